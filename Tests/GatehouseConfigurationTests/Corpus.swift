import FoundationEssentials
import GatehouseConfiguration
import Testing

/// The configuration files that tests read, and the small world that they are decoded in.
enum Corpus {
    /// One file of the corpus.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let text: [UInt8]
        /// The report that stands beside it; empty where there is none.
        let expected: String
        var testDescription: String { name }
    }

    struct NoSuchFile: Error, CustomStringConvertible {
        var description: String { "No such file or directory" }
    }

    /// The folder of this package.
    static let root = String(#filePath.prefix(#filePath.count - suffix.count))
    private static let suffix = "Tests/GatehouseConfigurationTests/Corpus.swift"

    static let environment = ["HOME": "/home/gatehouse"]

    static func bytes(_ path: String) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: root + path) else { return [] }
        return [UInt8](data)
    }

    static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    /// All cases below `Tests/Corpus/yaml/`.
    static func cases(_ folder: String) -> [Case] {
        let directory = "Tests/Corpus/yaml/\(folder)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + directory)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { file in
            let name = String(file.dropLast(5))
            return Case(
                name: name, text: bytes("\(directory)/\(file)"),
                expected: text("\(directory)/\(name).expected"))
        }
    }

    /// Decodes `text` as the file `gatehouse.yaml` of a machine with one good secret.
    static func decode(
        _ text: [UInt8], environment: [String: String] = environment
    ) -> DecodedConfiguration {
        ConfigurationDecoder.decode(file: "gatehouse.yaml", environment: environment) { path in
            switch path {
            case "gatehouse.yaml": return text
            case "/run/secrets/oidc": return Array("s3cret\n".utf8)
            case "/run/secrets/proxy": return Array("t0ken\n".utf8)
            case "/run/secrets/empty": return Array("\n".utf8)
            case "/run/secrets/lines": return Array("one\ntwo\n".utf8)
            default: throw NoSuchFile()
            }
        }
    }

    static func decode(
        _ text: String, environment: [String: String] = environment
    ) -> DecodedConfiguration {
        decode(Array(text.utf8), environment: environment)
    }
}
