import FoundationEssentials
import Testing

/// The cases in `Tests/Corpus/h1`: one message per file, the name says what is wrong with it.
enum Corpus {
    /// A file, shown by its name.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
    }

    /// All files of a folder whose names begin with `prefix`.
    static func cases(_ folder: String, _ prefix: String) -> [Case] {
        let directory = root + "/h1/" + folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".http") }.sorted().map {
            let data = FileManager.default.contents(atPath: directory + "/" + $0) ?? Data()
            return Case(testDescription: $0, bytes: Array(data))
        }
    }

    private static var root: String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(2).joined(separator: "/") + "/Corpus"
    }
}
