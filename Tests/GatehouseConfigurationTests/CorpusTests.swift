import GatehouseConfiguration
import Testing

struct CorpusTests {
    @Test(arguments: Corpus.cases("reject"))
    func `what is wrong is refused with every reason`(_ example: Corpus.Case) {
        let decoded = Corpus.decode(example.text)
        let report = Diagnostic.report(decoded.diagnostics)
        #expect(decoded.configuration == nil)
        #expect(report == example.expected)
        #expect(!report.contains("hunter2"))
    }

    @Test(arguments: Corpus.cases("accept"))
    func `what is right is accepted, with the warnings that stand beside it`(
        _ example: Corpus.Case
    ) {
        let decoded = Corpus.decode(example.text)
        #expect(decoded.configuration != nil)
        #expect(Diagnostic.report(decoded.diagnostics) == example.expected)
    }

    @Test func `the corpus is there`() {
        #expect(Corpus.cases("reject").count >= 50)
        #expect(Corpus.cases("accept").count >= 10)
    }
}
