import Testing

@testable import GatehouseKit

struct PrometheusTextTests {
    private func text(_ instrument: Instrument, _ samples: [PrometheusText.Sample]) -> String {
        var text = PrometheusText()
        text.write(instrument, samples)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func `a counter has help, type and one line for each set of labels`() {
        let counter = Instrument("a_total", .counter, "What", labels: ["x", "y"])
        #expect(
            text(counter, [.init(["1", "2"], .count(3)), .init(["", "b"], .count(0))]) == """
                # HELP a_total What
                # TYPE a_total counter
                a_total{x="1",y="2"} 3
                a_total{x="",y="b"} 0

                """)
    }

    @Test func `backslashes, quotes and line feeds are escaped`() {
        let gauge = Instrument("a", .gauge, "one\\two\n\"three\"", labels: ["x"])
        #expect(
            text(gauge, [.init(["\\ \" \n"], .count(1))])
                == "# HELP a one\\\\two\\n\"three\"\n# TYPE a gauge\n"
                + "a{x=\"\\\\ \\\" \\n\"} 1\n")
    }

    @Test func `buckets of a histogram add up to the count`() {
        var histogram = DurationHistogram()
        for milliseconds in [1, 2, 2, 400_000] { histogram.add(UInt64(milliseconds) * 1_000_000) }
        let lines = text(
            Instrument("h", .histogram, "", labels: ["k"]), [.init(["v"], .histogram(histogram))]
        ).split(separator: "\n")
        #expect(lines[2] == #"h_bucket{k="v",le="0.001"} 1"#)
        #expect(lines[3] == #"h_bucket{k="v",le="0.0025"} 3"#)
        #expect(lines[17] == #"h_bucket{k="v",le="300"} 3"#)
        #expect(
            lines[18...] == [
                #"h_bucket{k="v",le="+Inf"} 4"#, #"h_sum{k="v"} 400.005"#, #"h_count{k="v"} 4"#,
            ])
    }

    @Test func `a summary has seven quantiles, a sum in seconds and a count`() {
        var durations = SampledDurations()
        durations.note(1000)
        let lines = text(Instrument("s", .summary, ""), [.init([], .summary(durations))])
            .split(separator: "\n").dropFirst(2)
        #expect(lines.count == 9)
        #expect(lines.first?.hasPrefix(#"s{quantile="0.01"} "#) == true)
        #expect(lines.suffix(2) == ["s_sum 1e-06", "s_count 0"])
    }

    @Test(arguments: [
        (1.0, "1"), (0.5, "0.5"), (-2.0, "-2"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
        (.nan, "NaN"),
    ])
    func `numbers are as Prometheus writes them`(number: Double, expected: String) {
        #expect(
            text(Instrument("n", .gauge, "x"), [.init([], .number(number))])
                .hasSuffix("\nn \(expected)\n"))
    }
}
