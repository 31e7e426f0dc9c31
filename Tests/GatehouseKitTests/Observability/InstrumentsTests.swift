import FoundationEssentials
import GatehouseProxy
import Testing

@testable import GatehouseKit

/// The list of metrics, and the page that operators read.
struct InstrumentsTests {
    /// The rows of a table of `docs/OPERATIONS.md` below a heading, as their cells.
    private func rows(_ heading: String) throws -> [[String]] {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        let path = parts.dropLast(4).joined(separator: "/") + "/docs/OPERATIONS.md"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let start = try #require(text.firstRange(of: "\n" + heading + "\n"))
        return text[start.upperBound...].split(separator: "\n")
            .drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }.dropFirst(2)
            .map { row in
                row.split(separator: "|").map { String($0.trimmingPrefix(while: \.isWhitespace)) }
                    .map { String($0.reversed().drop(while: \.isWhitespace).reversed()) }
            }
    }

    @Test func `OPERATIONS has every metric with its kind and labels, and no other`() throws {
        let rows = try rows("## Metrics")
        let documented = rows.map { Array($0.prefix(3)) }
        let expected = Instruments.all.map { instrument in
            [
                "`\(instrument.name)`", instrument.kind.rawValue,
                instrument.labels.isEmpty
                    ? "–" : instrument.labels.map { "`\($0)`" }.joined(separator: ", "),
            ]
        }
        #expect(documented == expected)
        for row in rows { #expect(row.count == 4) }
    }

    @Test func `OPERATIONS has every failure's word with whose fault it is, and no other`()
        throws
    {
        let documented = try rows("### Why requests fail").map { Array($0.prefix(2)) }
        #expect(
            documented
                == ExchangeFailure.Kind.allCases.map { ["`\($0.rawValue)`", $0.fault.rawValue] })
    }

    @Test func `names are one each, and ours say what they count`() {
        #expect(Set(Instruments.all.map(\.name)).count == Instruments.all.count)
        for instrument in Instruments.all where instrument.name.hasPrefix("gatehouse_") {
            #expect(instrument.name.hasSuffix("_total") == (instrument.kind == .counter))
            #expect(
                instrument.name.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || $0 == 0x5F
                })
        }
    }
}
