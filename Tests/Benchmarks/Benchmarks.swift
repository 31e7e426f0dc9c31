import GatehouseBase
import GatehouseHTTP

/// What one request of the kind costs us in parsing and writing, without any input or output.
@main
enum Benchmarks {
    static func main() throws {
        print("operation                                 ns/op   ns/byte")
        let requests = HeadParser.requests(Limits())
        let responses = HeadParser.responses(Limits())
        for (name, bytes) in [("small", Heads.small), ("JupyterLab", Heads.jupyterLab)] {
            var head = RequestHead()
            try measure("request head, \(name)", bytes.count) {
                _ = try requests.parse(bytes.span, into: &head)
            }
            try measure("request head, \(name), new each time", bytes.count) {
                var head = RequestHead()
                _ = try requests.parse(bytes.span, into: &head)
            }
            try measure("framing and Connection, \(name)", bytes.count) {
                _ = try BodyFraming.of(head)
                _ = try ConnectionOptions(ofRequest: head.fields, identityNames: OwnedNames([]))
                _ = head.wantsKeepAlive
            }
            try measure("upgrade, \(name)", bytes.count) {
                _ = UpgradeRequest.of(head, framing: .none)
            }
            try measure("session cookie, \(name)", bytes.count) {
                _ = CookieField.find(ReservedCookies.session, in: head.fields)
            }
            var buffer = ByteBuffer()
            try measure("write anew, \(name)", bytes.count) {
                buffer.removeAll()
                buffer.appendRequestLine(of: head)
                for index in head.fields.indices {
                    if head.fields[index].name == .cookie {
                        _ = CookieField.appendLine(to: &buffer, value: head.fields.value(at: index))
                    } else {
                        buffer.appendField(
                            head.fields.name(at: index), head.fields.value(at: index))
                    }
                }
                buffer.appendHeadEnd()
            }
        }
        var response = ResponseHead()
        try measure("response head, Tornado", Heads.response.count) {
            _ = try responses.parse(Heads.response.span, into: &response)
        }
        try chunks()
        try frames()
        try Paths.run { name, bytes, body in try measure(name, bytes, body) }
        try Routes.run { name, bytes, body in try measure(name, bytes, body) }
    }

    private static func chunks() throws {
        var encoded = ByteBuffer()
        let payload = [UInt8](repeating: 0x61, count: 4096)
        for _ in 0..<4 { encoded.appendChunk(payload.span) }
        encoded.appendLastChunk()
        let limits = Limits()
        try measure("chunked body of 4 × 4 KiB", encoded.count) {
            var decoder = ChunkedDecoder(limits)
            var offset = 0
            while true {
                let rest = encoded.readable.extracting(offset..<encoded.count)
                let step = try decoder.decode(rest)
                offset += step.skipped + step.payload
                if step.isEnd { return }
            }
        }
    }

    private static func frames() throws {
        var bytes: [UInt8] = []
        for _ in 0..<16 {
            bytes += [0x82, 126, 2, 0] + [UInt8](repeating: 0, count: 512)
        }
        var tracker = WebSocketFrameTracker(.server)
        try measure("16 WebSocket frames of 512 B", bytes.count) { tracker.follow(bytes.span) }
    }

    /// The best of five rounds, so that a busy machine does not count.
    private static func measure(_ name: String, _ bytes: Int, _ body: () throws -> Void) throws {
        let clock = ContinuousClock()
        let count = 20_000
        var best = Double.infinity
        for _ in 0..<8 {
            let time = try clock.measure { for _ in 0..<count { try body() } }
            let (seconds, attoseconds) = time.components
            let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
            best = min(best, nanoseconds / Double(count))
        }
        let padded = name + String(repeating: " ", count: max(1, 40 - name.count))
        print(padded, column(best), "  ", column(best / Double(bytes)))
    }

    private static func column(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        let text = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        return String(repeating: " ", count: max(0, 8 - text.count)) + text
    }
}
