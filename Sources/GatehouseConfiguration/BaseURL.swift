import GatehouseBase

/// An origin and a path, as issuers and base URLs have them: no query and no fragment
/// (OpenID Connect Discovery 1.0 §3).
struct BaseURL: Equatable {
    let origin: Origin
    /// Empty or with `/` at its beginning.
    let path: String

    /// Why a text is none.
    struct ParseError: Error, Equatable {
        let reason: String
    }

    init(parsing text: String) throws(ParseError) {
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let hasPath = parts.count == 4
        let authority = parts.prefix(3).joined(separator: "/")
        do throws(Origin.ParseError) {
            origin = try Origin(parsing: authority)
        } catch {
            throw ParseError(reason: error.reason)
        }
        path = hasPath ? "/\(parts[3])" : ""
        let refused = Array("?#\\\"<>^`{|}".utf8)
        for byte in path.utf8 where byte <= 0x20 || byte >= 0x7F || refused.contains(byte) {
            let isEnd = byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
            throw ParseError(
                reason: isEnd
                    ? "it goes on after its path" : "its path holds what must be written as %XX")
        }
    }
}
