/// What libyaml reports, as values.
enum YAMLEvent: Sendable {
    case documentStart(hasTagDirectives: Bool)
    case scalar(text: String, isPlain: Bool, properties: Properties)
    case sequenceStart(Properties)
    case mappingStart(Properties)
    /// The end of the innermost sequence or mapping.
    case collectionEnd
    case alias(name: String)

    /// An anchor and a tag, both of which a configuration does without.
    struct Properties: Sendable {
        var anchor: String?
        var tag: String?
    }

    /// An event with its place, from 0.
    struct Marked: Sendable {
        let event: YAMLEvent
        let line: Int
        let column: Int
        let endLine: Int
    }

    /// Why a text is no YAML.
    struct SyntaxError: Error, Sendable {
        let problem: String
        let line: Int
        let column: Int
    }
}
