import GatehouseBase

/// The path of an access rule: literal segments, `*` for one segment, `**` at the end for the rest.
///
/// `**` is zero or more segments: `/admin/**` covers `/admin`. Segments are compared with decoded
/// ones, byte for byte. There are no regular expressions and no `**` before the end: what a rule
/// covers must be plain to whoever reads it.
public struct RulePath: Sendable, Hashable, CustomStringConvertible {
    public enum Segment: Sendable, Hashable {
        /// Exactly this segment, decoded.
        case literal(String)
        /// `*`: any one segment.
        case any
    }

    /// The segments before a `**`; none for `/` and `/**`.
    public let segments: [Segment]
    /// Whether `**` follows, which covers the rest of a path, also none.
    public let coversRest: Bool

    /// Why a text is no pattern, and what to write instead.
    public struct ParseError: Error, Sendable, Equatable {
        public let message: String
        public let hint: String
    }

    /// Takes the parts as they are.
    public init(segments: [Segment], coversRest: Bool) {
        self.segments = segments
        self.coversRest = coversRest
    }

    /// Reads a pattern such as `/user/*/**`.
    public init(parsing text: String) throws(ParseError) {
        try RulePath.refuseCharacters(text)
        guard text.hasPrefix("/") else {
            throw ParseError(message: "a path begins with '/'", hint: "write '/\(text)'")
        }
        var parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if parts == [""] { parts = [] }
        coversRest = parts.last == "**"
        if coversRest { parts.removeLast() }
        var segments: [Segment] = []
        for part in parts { segments.append(try RulePath.segment(part)) }
        self.segments = segments
        if segments.first == .literal(OwnPath.segment) {
            throw ParseError(
                message: "the paths below '\(OwnPath.folder)' are the gateway's own",
                hint: "no rule is needed for them")
        }
    }

    /// Whether every path that `other` covers is covered by this pattern too.
    public func covers(_ other: RulePath) -> Bool {
        guard coversRest || (!other.coversRest && segments.count == other.segments.count),
            segments.count <= other.segments.count
        else { return false }
        return zip(segments, other.segments).allSatisfy { mine, theirs in
            mine == .any || mine == theirs
        }
    }

    /// Reads back as the same pattern.
    public var description: String {
        let parts = segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .any: "*"
            }
        }
        return "/" + (parts + (coversRest ? ["**"] : [])).joined(separator: "/")
    }

    private static func segment(_ part: Substring) throws(ParseError) -> Segment {
        switch part {
        case "":
            throw ParseError(
                message: "there must be no empty segment", hint: "no '//' and no '/' at its end")
        case ".", "..":
            throw ParseError(
                message: "there must be no '\(part)' segment", hint: "no request has one either")
        case "*":
            return .any
        case "**":
            throw ParseError(message: "'**' may only stand last", hint: "'*' is one segment")
        default:
            guard !part.contains("*") else {
                throw ParseError(
                    message: "'*' stands for a whole segment",
                    hint: "'/*' is one segment, '/**' is the rest")
            }
            guard part.first != " ", part.last != " " else {
                throw ParseError(
                    message: "a segment must not begin or end with a space", hint: "remove it")
            }
            return .literal(String(part))
        }
    }

    /// Refuses what a regular expression is made of, what ends a path and what is no text.
    private static func refuseCharacters(_ text: String) throws(ParseError) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "^", "$", "(", ")", "[", "]", "{", "}", "+", "|", "\\":
                throw ParseError(
                    message: "'\(scalar)' belongs to regular expressions, which there are not",
                    hint: "'/*' is one segment, '/**' is the rest")
            case "?", "#":
                throw ParseError(
                    message: "it ends with the path",
                    hint: "leave out '\(scalar)' and what follows")
            case "%":
                throw ParseError(
                    message: "segments are compared decoded", hint: "write the character itself")
            case ";":
                throw ParseError(
                    message: "there must be no path parameters",
                    hint: "leave out ';' and what follows")
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                throw ParseError(
                    message: "there must be no control characters", hint: "remove it")
            default: break
            }
        }
    }
}
