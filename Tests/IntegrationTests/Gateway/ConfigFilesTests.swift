import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseTesting
import Testing

/// What `gatehouse check` says of the files in `config/`, once the files that they name are there.
struct ConfigFilesTests {
    private static let root = String(#filePath.prefix(#filePath.count - suffix.count))
    private static let suffix = "Tests/IntegrationTests/Gateway/ConfigFilesTests.swift"

    /// All of ours; the others there are for Keycloak, nginx, JupyterHub and Kubernetes.
    private static let files: [String] = {
        let all = try? FileManager.default.subpathsOfDirectory(atPath: root + "config")
        return (all ?? []).filter {
            $0.split(separator: "/").last?.hasPrefix("gatehouse") == true && $0.hasSuffix(".yaml")
        }.sorted()
    }()

    private let certificate = TestCertificate(names: ["DNS:*.example.org"])
    private let folder = TestFolder()
    private var secret: String { folder.path + "/secret" }

    init() throws {
        try SecretFile.createDirectory(folder.path)
        try SecretFile.create(secret, Secret("hunter2"))
    }

    /// The text with files of this test's in place of those that it names.
    private func text(of file: String) throws -> String {
        let data = try #require(FileManager.default.contents(atPath: Self.root + "config/" + file))
        var text = String(decoding: data, as: UTF8.self)
        let decoded = ConfigurationDecoder.decode(
            text: text, name: file, environment: ["HOME": "/"], readFile: { _ in [0x78] })
        let configuration = try #require(decoded.configuration)
        let secrets =
            [configuration.oidc?.clientSecretFile].compactMap { $0 }
            + configuration.listeners.compactMap(\.tokenFile)
        for name in secrets { text = text.replacing(name, with: secret) }
        for (path, name) in configuration.namedFiles {
            text = text.replacing(
                name, with: path.hasSuffix(".key") ? certificate.keyFile : certificate.file)
        }
        return text
    }

    /// Everything that `gatehouse check` writes on standard error.
    private func check(_ text: String) throws -> String {
        let decoded = ConfigurationDecoder.decode(
            text: text, name: "gatehouse.yaml", environment: ["HOME": "/"],
            readFile: { try SecretFile.read($0) })
        let report = Diagnostic.report(decoded.diagnostics)
        let configuration = try #require(decoded.configuration, "\(report)")
        try Gateway.check(configuration)
        return report + Diagnostic.report(Gateway.warnings(about: configuration))
    }

    @Test func `the files are there`() {
        #expect(
            Self.files == [
                "cloudflare-tunnel/gatehouse.yaml", "gatehouse.minimal.yaml", "gatehouse.yaml",
                "jupyterhub/gatehouse-serve.yaml", "jupyterhub/gatehouse.yaml",
                "nginx/gatehouse.yaml", "two-hosts/gatehouse.yaml",
            ])
    }

    @Test(arguments: files)
    func `nothing is wrong with a file that people take`(file: String) throws {
        let report = try check(try text(of: file))
        // JupyterHub starts `gatehouse proxy` with it.
        guard file == "jupyterhub/gatehouse.yaml" else {
            #expect(report == "")
            return
        }
        #expect(report.contains(": notice: there are no 'listeners' and no 'routes': this is a "))
        #expect(report.hasSuffix("\n1 notice\n"))
    }

    @Test func `a file that is named and not there is an error with its place`() throws {
        let text = try text(of: "two-hosts/gatehouse.yaml")
            .replacing("client_secret_file: \(secret)", with: "client_secret_file: /nowhere/x")
        #expect(text.contains("/nowhere/x"))
        let decoded = ConfigurationDecoder.decode(
            text: text, name: "gatehouse.yaml", environment: ["HOME": "/"],
            readFile: { try SecretFile.read($0) })
        #expect(decoded.configuration == nil)
        let found = decoded.diagnostics
        #expect(found.map(\.severity) == [.error])
        #expect(found.first?.position != nil)
        #expect(found.first?.message.contains("/nowhere/x") == true)
    }
}
