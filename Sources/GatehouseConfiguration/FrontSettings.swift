public import GatehouseBase

/// `listeners.front`: what stands before a public listener, and whose word is taken about where
/// requests come from.
public struct FrontSettings: Sendable, Hashable {
    /// How a front tells the client's address and scheme. The other profiles of the design are
    /// not built yet.
    public enum Profile: String, Sendable, Hashable, CaseIterable {
        /// Nothing stands before it: nobody's word is taken.
        case none
        /// X-Forwarded-For, right to left past trusted hops; X-Forwarded-Proto or X-Scheme.
        case nginx
        /// CF-Connecting-IP and X-Forwarded-Proto.
        case cloudflareTunnel = "cloudflare-tunnel"
        /// Forwarded (RFC 7239).
        case forwarded
    }

    /// Why a text cannot stand in `trusted`, and what to write instead.
    struct TrustError: Error, Equatable {
        let message: String
        let hint: String
    }

    /// The word of `trusted` for peers that come through a UNIX socket.
    static let unixWord = "unix"

    public var profile = Profile.none
    /// Networks whose peers are the front; empty for nobody, loopback included.
    public var trusted: [Network] = []
    /// Whether peers that come through a UNIX socket are the front.
    public var trustsUnixSocket = false

    public init() {}

    /// Whether there is somebody whose word is taken.
    public var isTrusted: Bool { profile != .none && trustsAnybody }

    var trustsAnybody: Bool { !trusted.isEmpty || trustsUnixSocket }

    /// `trusted` as it is written.
    var trustedTexts: [String] {
        trusted.map(\.description) + (trustsUnixSocket ? [FrontSettings.unixWord] : [])
    }

    /// Adds one of `trusted`: a network, an address, or `unix`.
    mutating func trust(_ text: String) throws(TrustError) {
        guard text != FrontSettings.unixWord else {
            trustsUnixSocket = true
            return
        }
        do throws(Network.ParseError) {
            let network = try Network(parsing: text)
            if !trusted.contains(network) { trusted.append(network) }
        } catch {
            guard let hint = Suggestion.hint(for: text, among: [FrontSettings.unixWord]) else {
                throw TrustError(message: error.message, hint: error.hint)
            }
            throw TrustError(message: error.message, hint: hint)
        }
    }
}
