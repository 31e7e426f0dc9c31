import GatehouseBase

/// Metrics as Prometheus reads them: the text format, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    static let quantiles = [
        ("0.01", 0.01), ("0.05", 0.05), ("0.5", 0.5), ("0.9", 0.9), ("0.95", 0.95),
        ("0.99", 0.99), ("0.999", 0.999),
    ]

    /// What one set of labels has.
    enum Value {
        case count(Int)
        case number(Double)
        case histogram(DurationHistogram)
        case summary(SampledDurations)
    }

    /// A value with the values of the instrument's labels, in their order.
    struct Sample {
        let labels: [String]
        let value: Value

        init(_ labels: [String], _ value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    private(set) var bytes: [UInt8] = []

    /// Writes a metric without labels.
    mutating func write(_ instrument: Instrument, _ value: Value) {
        write(instrument, [Sample([], value)])
    }

    /// Writes a metric; without samples its name and kind all the same.
    mutating func write(_ instrument: Instrument, _ samples: [Sample]) {
        append("# HELP \(instrument.name) \(PrometheusText.escaped(help: instrument.help))\n")
        append("# TYPE \(instrument.name) \(instrument.kind.rawValue)\n")
        for sample in samples {
            precondition(sample.labels.count == instrument.labels.count)
            let labels = zip(instrument.labels, sample.labels).map { name, value in
                "\(name)=\"\(PrometheusText.escaped(label: value))\""
            }
            write(instrument.name, labels, sample.value)
        }
    }

    private mutating func write(_ name: String, _ labels: [String], _ value: Value) {
        switch value {
        case .count(let count): line(name, labels, "\(count)")
        case .number(let number): line(name, labels, PrometheusText.text(number))
        case .histogram(let histogram):
            var sum = 0
            for (bound, count) in zip(DurationHistogram.bounds, histogram.counts) {
                sum += count
                line(name + "_bucket", labels + ["le=\"\(bound.text)\""], "\(sum)")
            }
            line(name + "_bucket", labels + ["le=\"+Inf\""], "\(histogram.count)")
            line(name + "_sum", labels, PrometheusText.seconds(Double(histogram.nanoseconds)))
            line(name + "_count", labels, "\(histogram.count)")
        case .summary(let durations):
            for (text, share) in PrometheusText.quantiles {
                let quantile = PrometheusText.seconds(durations.quantile(share))
                line(name, labels + ["quantile=\"\(text)\""], quantile)
            }
            line(name + "_sum", labels, PrometheusText.seconds(Double(durations.nanoseconds)))
            line(name + "_count", labels, "\(durations.count)")
        }
    }

    private mutating func line(_ name: String, _ labels: [String], _ value: String) {
        append(name)
        if !labels.isEmpty { append("{" + labels.joined(separator: ",") + "}") }
        append(" \(value)\n")
    }

    private mutating func append(_ text: String) { bytes += text.utf8 }

    private static func seconds(_ nanoseconds: Double) -> String { text(nanoseconds / 1e9) }

    /// As Prometheus writes numbers: whole ones without a point.
    private static func text(_ number: Double) -> String {
        guard number.isFinite else {
            return number.isNaN ? "NaN" : number > 0 ? "+Inf" : "-Inf"
        }
        let whole = Int64(exactly: number)
        return whole.map { "\($0)" } ?? "\(number)"
    }

    private static func escaped(help: String) -> String {
        help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func escaped(label: String) -> String {
        escaped(help: label).replacing("\"", with: "\\\"")
    }
}
