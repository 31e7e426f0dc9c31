import GatehouseBase

@testable import GatehouseConfiguration

/// Reads command lines of configurable-http-proxy in a small world of files.
enum CommandLineFixture {
    struct Unexpected: Error { let text: String }

    static let token = ["HOME": "/home/jovyan", "CONFIGPROXY_AUTH_TOKEN": "s3cret"]

    static func read(
        _ words: [String], environment: [String: String] = token, files: [String: String] = [:]
    ) -> CHPReading {
        CHPCommandLine.read(words, environment: environment, version: "1.2.3") { path in
            guard let text = files[path] else { throw Corpus.NoSuchFile() }
            return Array(text.utf8)
        }
    }

    static func start(
        _ words: [String], environment: [String: String] = token, yaml: String? = nil,
        files: [String: String] = [:]
    ) throws -> CHPStart {
        var environment = environment
        if let yaml { environment["GATEHOUSE_CONFIG_YAML"] = yaml }
        let reading = read(words, environment: environment, files: files)
        guard case .run(let start) = reading else { throw Unexpected(text: "\(reading)") }
        return start
    }

    static func configuration(
        _ words: String..., yaml: String? = nil
    ) throws -> Configuration {
        try start(words, yaml: yaml).configuration
    }

    /// The text of a failure; nil where there was none.
    static func failure(
        _ words: [String], environment: [String: String] = token, yaml: String? = nil,
        files: [String: String] = [:]
    ) -> String? {
        var environment = environment
        if let yaml { environment["GATEHOUSE_CONFIG_YAML"] = yaml }
        guard case .failure(let text) = read(words, environment: environment, files: files) else {
            return nil
        }
        return text
    }
}
