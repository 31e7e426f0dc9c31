import GatehouseBase

/// Names of fields and methods (RFC 9110 §5.1, §9.1), as far as a configuration may write them.
enum FieldNames {
    /// Methods that somebody who writes them in small letters surely means.
    static let commonMethods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND",
    ]

    /// Fields that identity must never be written to: they frame or steer the message, carry
    /// credentials, or are the gateway's own. In lower case, with `-`.
    static let reserved: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "host", "content-length", "content-type", "content-encoding", "content-range",
        "expect", "range", "cookie", "set-cookie", "authorization", "origin", "referer", "via",
        "forwarded", "date", "http2-settings", "x-forwarded-for", "x-forwarded-proto",
        "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-uri",
        "x-forwarded-method", "x-real-ip", "x-scheme", "x-request-id", "x-original-url",
        "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override",
    ]

    /// Beginnings of such names.
    static let reservedPrefixes = ["sec-", "proxy-", "if-", "access-control-", "x-accel-"]

    /// Fields that frame a message or belong to one connection, in lower case.
    private static let framing: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "content-length", "expect", "http2-settings",
    ]

    /// Why a field cannot be set in every request to an upstream; nil where it can. Host and the
    /// forwarded fields can.
    static func refusal(ofRequestField name: String, _ value: String) -> String? {
        guard isToken(name) else { return "that is no name of a field" }
        let folded = folded(name)
        if framing.contains(folded) || folded.hasPrefix("sec-websocket-") {
            return "it belongs to the connection and cannot be set"
        }
        let isText = value.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
        return isText ? nil : "its value is more than one line of text"
    }

    /// Whether the value of such a field is not for everybody's eyes.
    static func mayHoldSecret(_ name: String) -> Bool {
        let words = ["authorization", "cookie", "secret", "token", "password", "key"]
        return words.contains { folded(name).contains($0) }
    }

    /// RFC 9110 §5.6.2.
    static func isToken(_ text: String) -> Bool {
        let others = Array("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
                    || others.contains(byte)
            }
    }

    /// One form for all spellings that an upstream may take for the same field.
    static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map(ASCII.foldedName), as: UTF8.self)
    }

    /// Whether identity must not be written to the field.
    static func isReserved(_ name: String) -> Bool {
        let folded = folded(name)
        return reserved.contains(folded) || reservedPrefixes.contains { folded.hasPrefix($0) }
    }
}
