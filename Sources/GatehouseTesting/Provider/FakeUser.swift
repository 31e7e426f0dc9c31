import GatehouseBase
import GatehouseOIDC

/// Somebody who can sign in at a ``FakeProvider``.
public struct FakeUser: Sendable {
    /// The `sub`: a UUID at Keycloak.
    public var subject: String
    public var username: String
    public var password: String
    public var givenName: String
    public var familyName: String
    public var email: String
    /// Full paths, such as `/staff`.
    public var groups: [String]
    public var realmRoles: [String]
    /// By client.
    public var clientRoles: [String: [String]]

    /// - Parameter subject: nil for one made of the name.
    public init(
        _ username: String, password: String, givenName: String = "", familyName: String = "",
        groups: [String] = [], realmRoles: [String] = [], clientRoles: [String: [String]] = [:],
        subject: String? = nil
    ) {
        self.username = username
        self.password = password
        self.givenName = givenName
        self.familyName = familyName
        email = "\(username)@example.org"
        self.groups = groups
        self.realmRoles = realmRoles
        self.clientRoles = clientRoles
        self.subject = subject ?? FakeUser.subject(of: username)
    }

    /// The two of the demonstration: alice is an administrator, bob is not.
    public static let demonstration = [
        FakeUser(
            "alice", password: "alice-pw", givenName: "Alice", familyName: "Adams",
            groups: ["/staff", "/admins"], realmRoles: ["member", "operator"]),
        FakeUser(
            "bob", password: "bob-pw", givenName: "Bob", familyName: "Brown",
            groups: ["/staff"], realmRoles: ["member"]),
    ]

    /// A UUID that is the same for the same name in every run.
    private static func subject(of username: String) -> String {
        let digits = Hex.encode(Array(Crypto.sha256(Array(username.utf8)).prefix(16)))
        let groups = [8, 4, 4, 4, 12]
        var start = digits.startIndex
        return groups.map { count in
            let end = digits.index(start, offsetBy: count)
            defer { start = end }
            return String(digits[start..<end])
        }.joined(separator: "-")
    }
}
