import Fuzzing
import GatehouseBase
import GatehouseHTTP

/// A request head that is taken is taken the same way once more when written anew, and however it
/// was split; whatever is read off its fields does not trap.
@main
enum FuzzRequestHead {
    static func main() { fuzz { check($0) } }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        let parser = HeadParser.requests(Limits())
        var head = RequestHead()
        guard let length = try? parser.parse(bytes, into: &head) else { return }
        precondition(length <= bytes.count)
        var part = RequestHead()
        let cut = length * Int(bytes[0]) / 256
        guard let early = try? Optional.some(parser.parse(bytes.extracting(0..<cut), into: &part))
        else { fatalError("a good head was refused before its end") }
        precondition(early == nil && part.fields.count == 0)
        read(head)
        writeAnew(head, parser)
    }

    private static func read(_ head: borrowing RequestHead) {
        if let framing = try? BodyFraming.of(head) { _ = UpgradeRequest.of(head, framing: framing) }
        _ = try? ConnectionOptions(ofRequest: head.fields, identityNames: OwnedNames([]))
        _ = head.wantsKeepAlive
        _ = CookieField.find(ReservedCookies.session, in: head.fields)
        _ = PathReading.check(head.path())
        var buffer = ByteBuffer()
        for index in head.fields.indices {
            _ = SetCookie.isReserved(head.fields.value(at: index))
            _ = CookieField.appendLine(to: &buffer, value: head.fields.value(at: index))
        }
    }

    private static func writeAnew(_ head: borrowing RequestHead, _ parser: HeadParser) {
        var buffer = ByteBuffer()
        buffer.appendRequestLine(of: head)
        buffer.append(head.fields)
        if head.fields.firstIndex(of: .host) == nil {
            buffer.appendField(.host, [0x61].span)
        }
        buffer.appendHeadEnd()
        var again = RequestHead()
        do throws(MessageError) {
            guard try parser.parse(buffer.readable, into: &again) == buffer.count else {
                fatalError("a head written anew ends elsewhere")
            }
        } catch {
            // Blanks after colons, and a Host, may make it too large.
            precondition(error.rule == .headTooLarge || error.rule == .tooManyFields)
            return
        }
        precondition(again.target().array == head.target().array)
        precondition(again.methodName().array == head.methodName().array)
        precondition(again.fields.count - head.fields.count == (head.hasHost ? 0 : 1))
        for index in head.fields.indices {
            precondition(again.fields.value(at: index).array == head.fields.value(at: index).array)
        }
    }
}

extension RequestHead {
    fileprivate var hasHost: Bool { fields.firstIndex(of: .host) != nil }
}
