import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseTesting
import Testing

/// What `gatehouse check` says of the files that a configuration names.
struct NamedFilesTests {
    private let good = TestCertificate()
    private let other = TestCertificate()

    private func decode(key: String, more: String = "") throws -> Configuration {
        let text = """
            listeners:
              - address: "127.0.0.1:0"
                tls: {certificates: [{certificate: "\(good.file)", key: "\(key)"}]}
            routes: [{path: /, upstream: http://127.0.0.1:8081}]
            access: [{path: /**, allow: public}]
            \(more)
            """
        let decoded = ConfigurationDecoder.decode(
            text: text, name: "gatehouse.yaml", environment: ["HOME": good.directory]
        ) { path in
            try SecretFile.read(path)
        }
        return try #require(decoded.configuration, "\(Diagnostic.report(decoded.diagnostics))")
    }

    private func mode(_ bits: Int, _ file: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: bits], ofItemAtPath: file)
    }

    @Test func `a key of another certificate is named where it stands, with what to do`() throws {
        try Gateway.check(try decode(key: good.keyFile))
        let wrong = try decode(key: other.keyFile)
        let error = #expect(throws: GatewayError.self) { try Gateway.check(wrong) }
        let diagnostic = try #require(error?.diagnostic)
        #expect(diagnostic.position?.line == 3)
        #expect(diagnostic.message.contains("'listeners[0].tls.certificates[0].key' is"))
        #expect(diagnostic.message.contains("not that of the certificate in \(good.file)"))
        #expect(diagnostic.hint == "name the key that the certificate was made for, in PEM")
        #expect("\(try #require(error))".hasPrefix("gatehouse.yaml:3:"))
    }

    @Test func `a secret that everybody can read is a warning`() throws {
        let configuration = try decode(key: good.keyFile)
        try mode(0o755, good.directory)
        try mode(0o600, good.keyFile)
        #expect(Gateway.warnings(about: configuration).isEmpty)
        try mode(0o640, good.keyFile)
        #expect(Gateway.warnings(about: configuration).isEmpty)
        try mode(0o644, good.keyFile)
        let found = Gateway.warnings(about: configuration)
        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.position?.line == 3)
        #expect(
            found.first?.message
                == "'listeners[0].tls.certificates[0].key' is '\(good.keyFile)', which everybody "
                + "on this machine can read")
        // Nobody else comes to it.
        try mode(0o700, good.directory)
        #expect(Gateway.warnings(about: configuration).isEmpty)
    }
}
