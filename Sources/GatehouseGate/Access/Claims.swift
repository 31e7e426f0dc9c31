/// What access rules ask about a person; taken from the ID token at sign-in.
public struct Claims: Sendable, Equatable {
    /// `preferred_username`; nil where the provider gives none or one that is no name.
    public var username: String?
    /// `groups`, as the provider writes them.
    public var groups: [String]
    /// `realm_access.roles`.
    public var realmRoles: [String]
    /// `resource_access.CLIENT.roles`, by client.
    public var clientRoles: [String: [String]]

    public init(
        username: String?, groups: [String] = [], realmRoles: [String] = [],
        clientRoles: [String: [String]] = [:]
    ) {
        self.username = username
        self.groups = groups
        self.realmRoles = realmRoles
        self.clientRoles = clientRoles
    }

    /// Whether a user name can stand in a path and in a rule without being taken for another.
    ///
    /// Names with `/`, `\`, `%`, `;`, `?`, `#` or control characters, and dots alone, are read
    /// differently by different backends; who bears one cannot sign in.
    public static func isSafe(username: String) -> Bool {
        let bytes = username.utf8
        guard (1...255).contains(bytes.count), username != ".", username != ".." else {
            return false
        }
        return bytes.allSatisfy { byte in
            byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "/")
                && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "%")
                && byte != UInt8(ascii: ";") && byte != UInt8(ascii: "?")
                && byte != UInt8(ascii: "#")
        }
    }
}
