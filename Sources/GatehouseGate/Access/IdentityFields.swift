import GatehouseBase
import GatehouseHTTP

/// Claims as field values that an application can take apart without being fooled.
///
/// A value is the claim's text with these bytes written as `%XX`: control characters and DEL, `%`
/// itself, `,`, everything beyond ASCII (as UTF-8), and a blank at either end, which parsers trim.
/// The elements of a list are joined by `,`. So no claim can end a line, no text reads as two, be
/// it an element of a list or not, and no two texts give the same value. Whoever needs the text
/// decodes percent escapes once, after splitting.
///
/// A claim that is absent, null, an object or an empty list gives no field.
enum IdentityFields {
    /// The fields of a route for one identity; nil where they are above `limit` bytes.
    static func make(
        _ route: RouteIdentity, for identity: SessionIdentity, limit: Int
    ) -> Fields? {
        var fields = Fields()
        var size = 0
        for (name, claim) in route.identityHeaders {
            guard let value = value(of: lookUp(claim, in: identity.tokenClaims)) else { continue }
            size += name.utf8.count + value.utf8.count + 4
            guard size <= limit else { return nil }
            fields.append(name, value)
        }
        return fields
    }

    /// The claim of that very name, else the nested one that its dots lead to.
    static func lookUp(_ claim: String, in claims: JSONValue) -> JSONValue? {
        if let exact = claims[claim] { return exact }
        guard claim.contains(".") else { return nil }
        return claim.split(separator: ".").reduce(Optional(claims)) { $0?[String($1)] }
    }

    static func value(of claim: JSONValue?) -> String? {
        switch claim {
        case .array(let elements):
            let texts = elements.compactMap(scalar)
            guard !texts.isEmpty, texts.count == elements.count else { return nil }
            return texts.map(encode).joined(separator: ",")
        case .some(let value): return scalar(value).map(encode)
        case nil: return nil
        }
    }

    private static func scalar(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .bool, .number: String(decoding: value.encoded(), as: UTF8.self)
        case .null, .array, .object: nil
        }
    }

    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            let isEnd = index == 0 || index == bytes.count - 1
            let isPlain =
                byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%")
                && byte != UInt8(ascii: ",")
            if isPlain || (byte == 0x20 && !isEnd) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
