public import GatehouseBase

/// What a ``FakeProvider`` does wrong, for tests; nothing of it unless it is set.
public struct Mischief: Sendable {
    /// A way in which a token is none that may be accepted.
    public enum WrongToken: String, Sendable, CaseIterable {
        /// `alg: none`, no signature.
        case algorithmNone
        /// HS256 with the client's secret.
        case hmacWithSecret
        /// HS256 with the bytes of the key set: the classic confusion.
        case hmacWithPublicKey
        /// Signed by a key that is in no key set, under a `kid` that is in none.
        case unknownKey
        /// Signed by a key that is in no key set, under the `kid` of the good one.
        case foreignKey
        /// Carries its own key in the header.
        case embeddedKey
        case brokenSignature
        /// An extension that must be understood (RFC 7515 §4.1.11).
        case criticalHeader
        case wrongIssuer, wrongAudience, missingAudience
        /// Two audiences and no `azp`.
        case severalAudiences
        case wrongAuthorizedParty
        case wrongNonce, missingNonce
        case expired, issuedInFuture, missingExpiry, missingIssuedAt
        case wrongAccessTokenHash
        case missingSubject, emptySubject
        /// Claims that are no JSON object.
        case notJSON
    }

    /// A way in which an endpoint does not answer as it should.
    public enum Trouble: Sendable, Equatable {
        case redirect(String)
        case html
        /// As many bytes of JSON.
        case huge(Int)
        /// JSON that goes on and on, as fast as it is read.
        case endless
        /// JSON of which a byte comes now and then, for as long as this is set.
        case drip
        /// What says that it is compressed.
        case compressed
        /// The right answer, after that time.
        case late(Duration)
        /// No answer for as long as this is set.
        case hang
        case status(Int)
        /// 200 and what is no JSON.
        case garbage
        /// The connection ends without an answer.
        case closed
    }

    /// Where to a provider is asked.
    public enum Endpoint: String, Sendable, CaseIterable {
        case discovery, authorization, login, token, keys, userinfo, endSession
        /// Any address that is none of these.
        case unknown
    }

    /// What is wrong with ID tokens.
    public var idToken: WrongToken?
    /// Claims put into ID tokens, after everything else; null removes one.
    public var claims: [String: JSONValue] = [:]
    /// Put into the header of ID tokens; null removes one.
    public var header: [String: JSONValue] = [:]
    /// Put into the answer of the token endpoint; null removes one.
    public var tokenResponse: [String: JSONValue] = [:]
    /// Put into the discovery document; null removes one.
    public var discovery: [String: JSONValue] = [:]
    /// Put into callbacks; nil removes one.
    public var callback: [String: String?] = [:]
    /// Endpoints that do not answer as they should.
    public var trouble: [Endpoint: Trouble] = [:]

    public init() {}
}
