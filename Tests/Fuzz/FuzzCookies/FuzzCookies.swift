import Fuzzing
import GatehouseBase
import GatehouseHTTP

/// No cookie of ours survives in what goes upstream, and what is not ours goes byte for byte.
@main
enum FuzzCookies {
    static func main() { fuzz { check($0) } }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        guard let fields = fields(bytes), !fields.isEmpty else { return }
        let value = fields.value(at: 0).array
        let pairs = value.split(separator: 0x3B, omittingEmptySubsequences: false)
        let isOurs = pairs.map { ReservedCookies.begin(Array($0).span) }
        let forwarded = forwarded(value)
        if !isOurs.contains(true) {
            precondition(forwarded == value)
        } else {
            let kept = zip(pairs, isOurs).filter { !$0.1 }.map(\.0)
            precondition(letters(forwarded) == letters(Array(kept.joined())))
        }
        precondition(self.forwarded(forwarded) == forwarded)
        for pair in forwarded.split(separator: 0x3B) {
            precondition(!ReservedCookies.begin(Array(pair).span))
        }
        switch CookieField.find(ReservedCookies.session, in: fields) {
        case .absent: break
        case .one(let place): precondition(place.line == 0 && isOurs.contains(true))
        case .several: precondition(isOurs.count { $0 } > 1)
        }
    }

    private static func fields(_ value: borrowing Span<UInt8>) -> Fields? {
        var section = ByteBuffer()
        section.append("GET / HTTP/1.0\r\nCookie: ")
        section.append(value)
        section.append("\r\n\r\n")
        var head = RequestHead()
        let length = try? HeadParser.requests(Limits()).parse(section.readable, into: &head)
        return length == section.count && head.fields.count == 1 ? head.fields : nil
    }

    private static func forwarded(_ value: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer()
        let isLeft = CookieField.append(to: &buffer, value: value.span)
        precondition(isLeft == !buffer.isEmpty)
        return buffer.readable.array
    }

    /// Without blanks and separators, of which a cut takes some along.
    private static func letters(_ bytes: [UInt8]) -> [UInt8] {
        bytes.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x3B }
    }
}
