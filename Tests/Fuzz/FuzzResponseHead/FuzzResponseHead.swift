import Fuzzing
import GatehouseBase
import GatehouseHTTP

/// A response head that is taken is not refused when it comes in two pieces; whatever is read off
/// its fields does not trap.
@main
enum FuzzResponseHead {
    static func main() { fuzz { check($0) } }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        let parser = HeadParser.responses(Limits())
        var head = ResponseHead()
        guard let length = try? parser.parse(bytes, into: &head) else { return }
        precondition(length <= bytes.count)
        precondition((100...599).contains(head.status))
        var part = ResponseHead()
        for cut in [length - 1, length * Int(bytes[length - 3]) / 256] {
            let early = try? Optional.some(parser.parse(bytes.extracting(0..<cut), into: &part))
            guard let early else { fatalError("a good head was refused before its end") }
            precondition(early == nil && part.fields.count == 0)
        }
        _ = try? BodyFraming.of(head, to: .get)
        _ = try? BodyFraming.of(head, to: .head)
        _ = UpgradeRequest.accepts(head, answer: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        _ = head.keepsAlive
        _ = head.isInterim
        for index in head.fields.indices {
            _ = SetCookie.isReserved(head.fields.value(at: index))
            _ = SetCookie.name(of: head.fields.value(at: index)).count
        }
    }
}
