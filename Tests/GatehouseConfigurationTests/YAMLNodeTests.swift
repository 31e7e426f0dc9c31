import Testing

@testable import GatehouseConfiguration

struct YAMLNodeTests {
    private func root(_ text: String) throws -> YAMLNode {
        let tree = YAMLTreeBuilder.build(Array(text.utf8), name: "x")
        try #require(tree.diagnostics.isEmpty)
        return try #require(tree.root)
    }

    @Test func `a tree keeps the places of keys and values`() throws {
        let root = try root("a: 1\nb:\n  - x\n  - {c: 'd'}\n")
        guard case .mapping(let entries) = root.content else {
            Issue.record("no mapping")
            return
        }
        #expect(entries.map(\.key) == ["a", "b"])
        #expect(entries[1].keyPosition.line == 2)
        guard case .sequence(let items) = entries[1].value.content,
            case .mapping(let inner) = items[1].content
        else {
            Issue.record("no list with a mapping")
            return
        }
        #expect(items[0].position == SourcePosition(file: "x", line: 3, column: 5, text: "  - x"))
        #expect(inner[0].value.position.column == 9)
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "~", "{}"])
    func `a text without anything is an empty configuration`(_ text: String) throws {
        let tree = YAMLTreeBuilder.build(Array(text.utf8), name: "x")
        #expect(tree.diagnostics.isEmpty)
        #expect(tree.root != nil)
    }

    @Test(arguments: [("~", true), ("null", true), ("", true), ("'null'", false), ("''", false)])
    func `only a plain scalar is null`(_ text: String, _ isNull: Bool) throws {
        guard case .mapping(let entries) = try root("a: \(text)").content else { return }
        #expect(entries.first?.value.isNull == isNull)
    }

    @Test func `what is not UTF-8 or too long is refused at once`() {
        let latin = YAMLTreeBuilder.build([0x61, 0x3A, 0x20, 0xFC], name: "x")
        #expect(latin.root == nil)
        #expect(latin.diagnostics.count == 1)
        let long = [UInt8](repeating: 0x23, count: YAMLTreeBuilder.sizeLimit + 1)
        #expect(YAMLTreeBuilder.build(long, name: "x").root == nil)
    }

    @Test func `a text of many events ends`() {
        let text = "[" + String(repeating: "a,", count: 60_000) + "]"
        let tree = YAMLTreeBuilder.build(Array(text.utf8), name: "x")
        #expect(tree.root == nil)
        #expect(tree.diagnostics.count == 1)
    }

    @Test(arguments: ["[", "{", "- ", "? ", "[a: "])
    func `a text that nests without end ends`(_ text: String) {
        let deep = String(repeating: text, count: 3_000)
        let tree = YAMLTreeBuilder.build(Array(deep.utf8), name: "x")
        #expect(!tree.diagnostics.isEmpty)
    }

    @Test func `control characters are refused with their place`() {
        let tree = YAMLTreeBuilder.build(Array("a: b\nc: \u{1}d\n".utf8), name: "x")
        #expect(tree.root == nil)
        #expect(tree.diagnostics.first?.position?.line == 2)
    }
}
