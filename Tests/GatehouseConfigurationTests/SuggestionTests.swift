import Testing

@testable import GatehouseConfiguration

struct SuggestionTests {
    @Test(arguments: [
        ("listners", "listeners"), ("public_url", "public_urls"), ("state-dir", "state_dir"),
        ("ACCESS", "access"), ("acess", "access"), ("rotues", "routes"), ("odic", "oidc"),
        ("logs", "log"), ("ident", "identity"),
    ])
    func `a slip of the finger is recognised`(_ word: String, _ meant: String) {
        #expect(Suggestion.nearest(to: word, among: Schema.root.built) == meant)
    }

    @Test(arguments: ["frobnicate", "x", "", "authentication"])
    func `what is nothing like a word gets no suggestion`(_ word: String) {
        #expect(Suggestion.nearest(to: word, among: Schema.root.built) == nil)
    }

    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1),
        ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
    func `the distance counts edits and swaps`(_ left: String, _ right: String, _ distance: Int) {
        #expect(Suggestion.editDistance(Array(left.utf8), Array(right.utf8)) == distance)
    }
}
