import GatehouseBase
import GatehouseHTTP

/// What JupyterHub or one of its servers may take for a token of the Hub's in a request: after
/// `token` or `bearer` in Authorization, and as `token` in the query.
///
/// Both trim and decode, and not all in the same way. So whatever stands around a token is cut off
/// here, and what cannot be one, with something else in its middle or longer than the Hub makes
/// them, is none. What is read here and not there costs a question and nothing else.
enum ShownTokens: Equatable {
    case none
    case one([UInt8])
    /// Of which nobody can tell which one counts.
    case several

    private static let parameter = Array("token".utf8)

    /// - Parameter limit: bytes of a token.
    init(_ request: borrowing RequestHead, limit: Int) {
        self = ShownTokens(inQueryOf: request, limit: limit)
        var index = request.fields.firstIndex(of: .authorization)
        while let line = index {
            add(ShownTokens.token(inAuthorization: request.fields.value(at: line)), limit)
            index = request.fields.firstIndex(of: .authorization, from: line + 1)
        }
    }

    /// Those in the query alone.
    init(inQueryOf request: borrowing RequestHead, limit: Int) {
        self = .none
        let query = request.query()
        var start = 0
        while start < query.count {
            var end = start
            while end < query.count, query[end] != 0x26, query[end] != 0x3B { end += 1 }
            let equals = min(query.offset(of: 0x3D, from: start), end)
            if equals < end, ShownTokens.isToken(name: query.extracting(start..<equals)) {
                let value = ShownTokens.decoded(query.extracting(equals + 1..<end))
                add(ShownTokens.core(of: value.span), limit)
            }
            start = end + 1
        }
    }

    private mutating func add(_ token: [UInt8]?, _ limit: Int) {
        guard let token, token.count <= limit else { return }
        switch self {
        case .none: self = .one(token)
        case .one(let other): if token != other { self = .several }
        case .several: break
        }
    }

    private static func token(inAuthorization value: borrowing Span<UInt8>) -> [UInt8]? {
        var start = 0
        while start < value.count, !HubToken.isAllowed(value[start]) { start += 1 }
        for scheme in ["token", "bearer"] as [StaticString] {
            let end = start + scheme.utf8CodeUnitCount
            if end < value.count, !HubToken.isAllowed(value[end]),
                value.extracting(start..<end).equalsIgnoringCase(scheme)
            {
                return core(of: value.extracting(end..<value.count))
            }
        }
        return nil
    }

    /// Without what stands around it; nil where nothing is left, or no token.
    private static func core(of value: borrowing Span<UInt8>) -> [UInt8]? {
        var start = 0
        var end = value.count
        while start < end, !HubToken.isAllowed(value[start]) { start += 1 }
        while end > start, !HubToken.isAllowed(value[end - 1]) { end -= 1 }
        guard start < end else { return nil }
        for index in start..<end where !HubToken.isAllowed(value[index]) { return nil }
        return value.extracting(start..<end).array
    }

    /// Whether a name reads `token` when decoded.
    private static func isToken(name: borrowing Span<UInt8>) -> Bool {
        var index = 0
        for letter in parameter {
            guard index < name.count, next(name, &index) == letter else { return false }
        }
        return index == name.count
    }

    private static func decoded(_ value: borrowing Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < value.count { bytes.append(next(value, &index)) }
        return bytes
    }

    /// The byte at `index`, decoded; what is no escape stands for itself.
    private static func next(_ text: borrowing Span<UInt8>, _ index: inout Int) -> UInt8 {
        let byte = text[index]
        index += 1
        if byte == 0x2B { return 0x20 }
        guard byte == 0x25, index + 1 < text.count, let high = ASCII.hexValue(text[index]),
            let low = ASCII.hexValue(text[index + 1])
        else { return byte }
        index += 2
        return high << 4 | low
    }
}
