import GatehouseBase

/// Reads claims of a verified token, each in the form it must have.
struct Claims {
    /// Seconds since 1970 beyond which no claim of time is one: the year 10000.
    private static let lastSecond = 253_402_300_800.0

    let members: [String: JSONValue]

    init(_ claims: JSONValue) { members = claims.object ?? [:] }

    /// A claim that may be absent, but not something else. Providers write null for absent, too.
    func text(_ name: String) throws(OIDCError) -> String? {
        guard let value = members[name], value != .null else { return nil }
        guard let text = value.string else { throw .malformed(name) }
        return text
    }

    /// A claim that names something: 1 to 255 bytes without control characters.
    ///
    /// It ends up in index keys, logs and header fields.
    func identifier(_ name: String) throws(OIDCError) -> String? {
        guard let text = try text(name) else { return nil }
        guard !text.isEmpty, text.utf8.count <= OIDCLimits.identifier,
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw .malformed(name) }
        return text
    }

    /// A claim of time (RFC 7519 §2), in seconds since 1970, compared as doubles: nothing wraps.
    func date(_ name: String) throws(OIDCError) -> Double? {
        guard let value = members[name] else { return nil }
        guard let seconds = value.number, seconds >= 0, seconds < Self.lastSecond else {
            throw .malformed(name)
        }
        return seconds
    }

    /// `iss` is `issuer`, byte for byte: a slash, a port or a capital letter make another.
    func check(issuer: String) throws(OIDCError) {
        guard let text = try text("iss") else { throw .missing("iss") }
        guard sameBytes(text, issuer) else { throw .mismatch("iss") }
    }

    /// `aud` holds `audience`; gives all of them.
    func audiences(with audience: String) throws(OIDCError) -> [String] {
        guard let value = members["aud"] else { throw .missing("aud") }
        guard let audiences = value.string.map({ [$0] }) ?? value.strings else {
            throw .malformed("aud")
        }
        guard audiences.contains(where: { sameBytes($0, audience) }) else {
            throw .mismatch("aud")
        }
        return audiences
    }

    /// The strings of an array; none where the claim is absent or anything else.
    func strings(_ value: JSONValue?) -> [String] { value?.strings ?? [] }
}
