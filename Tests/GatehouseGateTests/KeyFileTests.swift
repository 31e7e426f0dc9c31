import GatehouseBase
import GatehouseGate
import Testing

@Suite struct KeyFileTests {
    @Test func `a file is completed once and reads back`() throws {
        var file = KeyFile()
        #expect(GateKeys(file) == nil)
        let isNew = file.complete()
        let isNewAgain = file.complete()
        #expect(isNew && !isNewAgain)
        let again = try KeyFile(parsing: file.serialized())
        #expect(again.entries.map(\.keyID) == file.entries.map(\.keyID))
        #expect(GateKeys(again)?.index == GateKeys(file)?.index)
        #expect("\(again.entries)".contains("‹secret›"))
    }

    @Test func `newer lines seal, older ones still open, strange names stay`() throws {
        let key = Base64URL.encode([UInt8](repeating: 1, count: 32))
        let newer = Base64URL.encode([UInt8](repeating: 2, count: 32))
        var file = try KeyFile(
            parsing: Secret("# x\n\ntransaction a \(key)\ntransaction b \(newer)\nlater c \(key)\n")
        )
        _ = file.complete()
        let keys = try #require(GateKeys(file))
        #expect(keys.transaction.map { $0.reveal()[0] } == [2, 1])
        #expect(file.serialized().revealText().contains("later c "))
    }

    @Test func `a broken file names its line and no key`() {
        let key = Base64URL.encode([UInt8](repeating: 1, count: 32))
        for (text, error) in [
            ("index a", KeyFile.ParseError.malformed(line: 1)), ("index a short", .key(line: 1)),
            ("\nindex a \(key) x", .malformed(line: 2)),
            ("index a \(key)\nindex a \(key)", .duplicate(line: 2)),
        ] {
            #expect(throws: error) { try KeyFile(parsing: Secret(text)) }
        }
    }
}
