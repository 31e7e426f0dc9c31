public import GatehouseBase

/// What the provider sends through the browser to our callback (RFC 6749 §4.1.2).
///
/// Anyone can write such a query: it is worth something only with the login's own cookie.
public struct AuthorizationResponse: Sendable {
    /// What the provider decided.
    public enum Outcome: Sendable {
        /// To be redeemed once and never again.
        case code(Secret)
        /// The provider's own code, such as `access_denied`, and its words for a person.
        case error(code: String, description: String?)
    }

    public let state: String
    public let outcome: Outcome
    private let issuer: String?

    /// Reads the query of a callback.
    ///
    /// - Parameter query: what stands after `?`.
    public init(parsing query: [UInt8]) throws(OIDCError) {
        guard let fields = FormFields(parsing: query) else { throw .malformed("query") }
        guard let state = try Self.single("state", in: fields) else { throw .missing("state") }
        self.state = state
        issuer = try Self.single("iss", in: fields)
        let code = try Self.single("code", in: fields)
        let error = try Self.single("error", in: fields)
        let description = try Self.single("error_description", in: fields)
        switch (code, error) {
        case (let code?, nil): outcome = .code(Secret(code))
        case (nil, let error?):
            outcome = .error(
                code: Self.printable(error, 64),
                description: description.map { Self.printable($0, 256) })
        case (nil, nil): throw .missing("code")
        case (_?, _?): throw .mismatch("error")
        }
    }

    /// Whether it comes from the provider that the login went to (RFC 9207 §2.4).
    ///
    /// - Parameters:
    ///   - expected: the issuer of the login.
    ///   - promised: the provider's metadata say that it always sends `iss`.
    public func check(issuer expected: String, promised: Bool) throws(OIDCError) {
        guard let issuer else {
            if promised { throw .missing("iss") }
            return
        }
        guard sameBytes(issuer, expected) else { throw .mismatch("iss") }
    }

    /// An empty parameter counts as absent (RFC 6749 §3.1).
    private static func single(
        _ name: String, in fields: FormFields
    ) throws(OIDCError) -> String? {
        let values = fields.all(named: name)
        guard values.count <= 1 else { throw .duplicate(name) }
        guard let value = values.first, !value.isEmpty else { return nil }
        return value
    }

    /// For a page or a log: without control characters and not longer than `count`.
    private static func printable(_ text: String, _ count: Int) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(count).map { scalar in
                    scalar.properties.generalCategory == .control ? " " : scalar
                }))
    }
}
