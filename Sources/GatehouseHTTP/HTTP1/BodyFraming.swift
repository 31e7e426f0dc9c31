import GatehouseBase

/// How a message's body ends (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
    case untilClose

    /// The framing of a request's body.
    public static func of(_ head: borrowing RequestHead) throws(MessageError) -> BodyFraming {
        switch try declared(head.fields, version: head.version) {
        case .some(let framing): framing == .length(0) ? .none : framing
        case nil: .none
        }
    }

    /// The framing of the body of a response to a request with `method`.
    public static func of(
        _ head: borrowing ResponseHead, to method: Method
    ) throws(MessageError) -> BodyFraming {
        let framing = try declared(head.fields, version: head.version)
        if method == .head || head.status < 200 || head.status == 204 || head.status == 304 {
            return .none
        }
        return framing ?? .untilClose
    }

    /// What Content-Length or Transfer-Encoding say. Both together, a list, a repetition, or any
    /// coding but `chunked` are errors on either side: two readers could disagree about the end.
    private static func declared(
        _ fields: borrowing Fields, version: Version
    ) throws(MessageError) -> BodyFraming? {
        let encoding = fields.firstIndex(of: .transferEncoding)
        let length = fields.firstIndex(of: .contentLength)
        if let encoding {
            guard length == nil else { throw MessageError(.lengthAndEncoding) }
            guard version == .http11,
                fields.firstIndex(of: .transferEncoding, from: encoding + 1) == nil,
                fields.value(at: encoding).equalsIgnoringCase("chunked")
            else { throw MessageError(.transferEncoding) }
            return .chunked
        }
        guard let length else { return nil }
        guard fields.firstIndex(of: .contentLength, from: length + 1) == nil,
            let count = decimal(fields.value(at: length))
        else { throw MessageError(.contentLength) }
        return .length(count)
    }

    private static func decimal(_ digits: borrowing Span<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var number = 0
        for index in digits.indices {
            guard ASCII.isDigit(digits[index]) else { return nil }
            number = number * 10 + Int(digits[index] - 0x30)
        }
        return number
    }
}
