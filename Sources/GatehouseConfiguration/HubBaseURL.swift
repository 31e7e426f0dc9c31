import GatehouseBase

/// JupyterHub's base URL, as `jupyterhub.base_url` has it, or the Hub's error target: one rule for
/// both.
///
/// It is a path, written plainly or with escapes, which are decoded once: `/my hub` and
/// `/my%20hub/` are the same. Routes and requests are compared with ``path``. The Hub itself
/// compares addresses letter by letter, so that it is asked by its own spelling, ``description``.
public struct HubBaseURL: Sendable, Hashable, CustomStringConvertible {
    public static let root = HubBaseURL(path: "/", description: "/")

    /// Decoded; begins and ends with `/`.
    public let path: String
    /// As it stands in URLs, and the only way in which the Hub itself can have been told it; reads
    /// back as the same. Begins and ends with `/`.
    public let description: String

    /// Why a text is none, and what to write instead.
    public struct ParseError: Error, Sendable, Equatable {
        public let message: String
        public let hint: String
    }

    private init(path: String, description: String) {
        self.path = path
        self.description = description
    }

    /// Reads a path; as with JupyterHub the slashes at its ends may be left out.
    public init(parsing text: String) throws(ParseError) {
        guard !text.contains("://") else {
            let url = try? BaseURL(parsing: text)
            throw ParseError(
                message: "it is a path, without scheme and host",
                hint: url.map { "write '\($0.path.isEmpty ? "/" : $0.path)'" }
                    ?? "such as '/jupyter/'")
        }
        var parts = Array(text.utf8).split(separator: 0x2F, omittingEmptySubsequences: false)
        if parts.first?.isEmpty == true { parts.removeFirst() }
        if parts.last?.isEmpty == true { parts.removeLast() }
        var path = "/"
        var spelling = "/"
        for part in parts {
            let segment = try HubBaseURL.decoded(part)
            guard path != "/" || segment != ".gatehouse" else {
                throw ParseError(
                    message: "the paths below '\(OwnPath.folder)' are the gateway's own",
                    hint: "give the Hub another base URL")
            }
            path += segment + "/"
            spelling += HubBaseURL.spelled(part) + "/"
        }
        self.init(path: path, description: spelling)
    }

    private static func decoded(_ part: ArraySlice<UInt8>) throws(ParseError) -> String {
        try refuseCharacters(part)
        guard let bytes = PercentCoding.decodeBytes(part) else {
            throw ParseError(
                message: "not every '%' in it begins an escape",
                hint: "write '%25' for the character itself")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ParseError(
                message: "its escapes are not UTF-8", hint: "such as '%C3%BC' for 'ü'")
        }
        switch text {
        case "":
            throw ParseError(message: "there must be no empty segment", hint: "no '//'")
        case ".", "..":
            throw ParseError(
                message: "there must be no '\(text)' segment", hint: "no request has one either")
        default: break
        }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "\\"):
                // Programs disagree whether such a segment is one or two.
                throw ParseError(
                    message: "there must be no '\(Unicode.Scalar(byte))' within a segment",
                    hint: part.contains(byte) ? "write '/'" : "give the Hub another base URL")
            case 0...0x1F, 0x7F:
                throw ParseError(
                    message: "there must be no control characters", hint: "remove it")
            default: break
            }
        }
        return text
    }

    /// Refuses what means something else where it is not escaped.
    private static func refuseCharacters(_ part: ArraySlice<UInt8>) throws(ParseError) {
        for byte in part {
            switch byte {
            case UInt8(ascii: "*"):
                throw ParseError(
                    message: "it is one path, without '*'", hint: "such as '/jupyter/'")
            case UInt8(ascii: "?"), UInt8(ascii: "#"):
                throw ParseError(
                    message: "it ends with the path",
                    hint: "leave out '\(Unicode.Scalar(byte))' and what follows")
            default: break
            }
        }
        guard part.first != 0x20, part.last != 0x20 else {
            throw ParseError(
                message: "a segment must not begin or end with a space",
                hint: "remove it, or write '%20'")
        }
    }

    /// As in a URL. What means something in a pattern of the Hub's is escaped too: only so can the
    /// Hub have been told it.
    private static func spelled(_ part: ArraySlice<UInt8>) -> String {
        let kept = Array("-._~@!&',:=%".utf8)
        var bytes: [UInt8] = []
        for byte in part {
            let isPlain =
                ASCII.isDigit(byte) || byte < 0x80 && (0x61...0x7A).contains(byte | 0x20)
            if isPlain || kept.contains(byte) {
                bytes.append(byte)
            } else {
                PercentCoding.escape(byte, into: &bytes)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
