import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseTesting
import Glibc
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

    /// A configuration that is accepted, in which `edit` has changed something.
    private func configuration(
        state: String = "none", secret: String = "client_secret: hunter2", front: String = "",
        name: String = "gatehouse.yaml", _ edit: (inout Configuration) -> Void = { _ in }
    ) throws -> Configuration {
        let text = """
            public_urls: [https://localhost, https://hub.example.org]
            state_dir: \(state)
            listeners:
              - address: "127.0.0.1:0"
                tls: {certificates: [{certificate: "\(good.file)", key: "\(good.keyFile)"}]}
                \(front)
            upstreams: {hub: {url: https://127.0.0.1:8081, tls: {insecure_skip_verify: true}}}
            routes: [{path: /, upstream: hub}]
            access: [{path: /**, allow: signed_in}]
            oidc: {issuer: https://sso.example.org, client_id: x, \(secret)}
            """
        let decoded = ConfigurationDecoder.decode(
            text: text, name: name, environment: ["HOME": good.directory]
        ) { path in
            try SecretFile.read(path)
        }
        let report = Diagnostic.report(decoded.diagnostics)
        var configuration = try #require(decoded.configuration, "\(report)")
        edit(&configuration)
        return configuration
    }

    private func messages(_ configuration: Configuration) -> [String] {
        let found = Gateway.warnings(about: configuration)
        #expect(found.allSatisfy { $0.severity == .warning })
        return found.map { "\($0.position?.line ?? 0): \($0.message) | \($0.hint ?? "")" }
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

    @Test func `a list of ciphers that is none is named where it stands`() throws {
        for list in ["FOO", "aNULL"] {
            var changed = try decode(key: good.keyFile)
            changed.listeners[0].tls?.ciphers = list
            let error = #expect(throws: GatewayError.self) { try Gateway.check(changed) }
            let message = try #require(error?.diagnostic?.message)
            #expect(message.hasPrefix("'listeners[0].tls.ciphers': "))
            #expect(message.contains("'\(list)'"))
        }
    }

    @Test func `keys that cannot be used are an error, and none are made`() throws {
        let folder = TestFolder()
        try SecretFile.createDirectory(folder.path)
        let keys = folder.path + "/keys"
        func complaint(_ edit: (inout Configuration) -> Void = { _ in }) throws -> Diagnostic? {
            let configuration = try configuration(state: folder.path, edit)
            do throws(GatewayError) {
                try Gateway.check(configuration)
                return nil
            } catch {
                return error.diagnostic ?? Diagnostic(.error, error.message)
            }
        }
        #expect(try complaint() == nil)
        #expect(SecretFile.standing(at: keys) == .nothing)
        #expect(
            try complaint { $0.keysFile = keys }?.message
                == "'keys_file' is '\(keys)', which cannot be read: No such file or directory")
        #expect(
            try complaint { $0.keys = Secret("# none\n") }?.message
                == "GATEHOUSE_KEYS does not hold every key")
        try SecretFile.create(keys, Secret("# one\nhunter2\n"))
        let there = try #require(try complaint())
        #expect(there.position?.line == 2)
        #expect(
            there.message
                == "'state_dir' has '\(keys)', which holds no usable keys: line 2 is no key: "
                + "it takes a name, an id and the key")
        #expect(there.hint == "restore it, or remove it: a new one signs everybody out")
        let named = try #require(try complaint { $0.keysFile = keys })
        #expect(
            named.message.hasPrefix("'keys_file' is '\(keys)', which holds no usable keys: line 2"))
        #expect(!named.rendered.contains("hunter2") && named.hint?.contains("remove") == false)
    }

    @Test func `a folder of error pages that is none is a warning`() throws {
        let missing = try configuration { $0.forwarding.errorPages.directory = "/nowhere" }
        #expect(
            messages(missing).contains(
                "0: 'forwarding.error_pages.directory' is '/nowhere', which is no directory | our own "
                    + "pages are shown until it is one"))
    }

    @Test func `a file in place of the state directory is a warning`() throws {
        let configuration = try configuration(state: good.keyFile)
        #expect(
            messages(configuration).contains(
                "2: 'state_dir' is '\(good.keyFile)', which is no directory | name one, which need "
                    + "not be there yet"))
        let error = #expect(throws: SecretFile.Failure.self) {
            try SecretFile.createDirectory(good.keyFile)
        }
        #expect(error?.description == "Not a directory")
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

    // MARK: Other secrets

    @Test func `keys in the state directory, and the directory, are no one else's`() throws {
        let folder = TestFolder()
        let keys = folder.path + "/keys"
        let configuration = try configuration(state: folder.path)
        try SecretFile.createDirectory(folder.path)
        #expect(messages(configuration).isEmpty)
        try SecretFile.create(keys, Secret("k"))
        try mode(0o755, folder.path)
        #expect(messages(configuration).isEmpty)
        for (bits, deed) in [(0o644, "read"), (0o622, "change"), (0o666, "read and change")] {
            try mode(bits, keys)
            #expect(
                messages(configuration) == [
                    "2: 'state_dir' has '\(keys)', which everybody on this machine can \(deed) | "
                        + "'chmod 600 \(keys)', and let it belong to the user that the gateway "
                        + "runs as"
                ])
        }
        try mode(0o600, keys)
        try mode(0o777, folder.path)
        #expect(
            messages(configuration) == [
                "2: 'state_dir' is '\(folder.path)', where everybody on this machine can put files "
                    + "| 'chmod 700 \(folder.path)', and let it belong to the user that the "
                    + "gateway runs as"
            ])
    }

    @Test func `a configuration with the client's secret in it is one`() throws {
        let folder = TestFolder()
        try SecretFile.createDirectory(folder.path)
        let file = folder.path + "/gatehouse.yaml"
        try SecretFile.create(file, Secret("oidc: …"))
        try mode(0o755, folder.path)
        let inside = try configuration(name: file)
        #expect(messages(inside).isEmpty)
        try mode(0o644, file)
        #expect(messages(inside).count == 1)
        #expect(
            messages(inside).first?.hasPrefix(
                "10: 'oidc.client_secret' stands in '\(file)', which everybody on this machine can "
                    + "read | 'chmod 600 \(file)'") == true)
        try SecretFile.create(folder.path + "/secret", Secret("hunter2"))
        let beside = try configuration(
            secret: "client_secret_file: \"\(folder.path)/secret\"", name: file)
        #expect(messages(beside).isEmpty)
    }

    // MARK: Certificates

    /// What is said of a certificate in place of the good one.
    private func said(
        of certificate: TestCertificate, front: String = ""
    ) throws -> [String] {
        let changed = try configuration(front: front) {
            $0.listeners[0].tls?.certificates[0].certificate = certificate.file
            $0.listeners[0].tls?.certificates[0].key = certificate.keyFile
        }
        try Gateway.check(changed)
        return messages(changed).map { $0.replacing(certificate.file, with: "FILE") }
    }

    @Test func `a certificate that nobody takes now is a warning`() throws {
        let day = 86400
        #expect(try said(of: good).isEmpty)
        let start = "5: 'listeners[0].tls.certificates[0].certificate' is 'FILE', which "
        let expired = try said(of: TestCertificate(valid: -90 * day ... -3600))
        #expect(expired.count == 1)
        #expect(expired.first?.hasPrefix(start + "ended on ") == true)
        #expect(expired.first?.hasSuffix(" GMT: nobody takes it | renew it") == true)
        let early = try said(of: TestCertificate(valid: 3600...90 * day))
        #expect(early.count == 1)
        #expect(early.first?.hasPrefix(start + "begins on ") == true)
        let late = try said(of: TestCertificate(valid: -80 * day...13 * day))
        #expect(late.count == 1)
        #expect(late.first?.hasPrefix(start + "ends on ") == true)
        #expect(late.first?.hasSuffix(" GMT | renew it before") == true)
        // Those of six days are renewed when two are left.
        #expect(try said(of: TestCertificate(valid: -3 * day...3 * day)).isEmpty)
    }

    @Test func `a certificate for no host of the public URLs is a warning`() throws {
        let odd = TestCertificate(names: ["DNS:Other.example.org", "IP:127.0.0.1"])
        #expect(
            try said(of: odd) == [
                "5: 'listeners[0].tls.certificates[0].certificate' is 'FILE', which is for "
                    + "'other.example.org', and for no host of 'public_urls': browsers do not take "
                    + "it | name a certificate for 'localhost'"
            ])
        for name in ["DNS:hub.example.org", "DNS:*.example.org"] {
            #expect(try said(of: TestCertificate(names: [name])).isEmpty)
        }
        // A front has the names that browsers ask for.
        let front = "front: {profile: nginx, trusted: [127.0.0.1]}"
        #expect(try said(of: odd, front: front).isEmpty)
    }

    @Test func `our own certificate for upstreams is judged by its dates`() throws {
        let changed = try configuration {
            let expired = TestCertificate(names: ["DNS:x"], valid: -7200 ... -3600)
            $0.upstreams[0].tls.certificate = expired.file
            #expect(messages($0).count == 1)
            $0.upstreams[0].tls.certificate = other.file
        }
        #expect(messages(changed).isEmpty)
    }

    // MARK: What is no file

    @Test(.timeLimit(.minutes(1)))
    func `a FIFO or a device where a file belongs is an error and not waited for`() throws {
        let fifo = good.directory + "/fifo"
        try #require(unsafe mkfifo(fifo, 0o600) == 0)
        defer { TextFile.remove(fifo) }
        let certificate = "listeners[0].tls.certificates[0]"
        let places: [(String, (inout Configuration, String) -> Void)] = [
            (
                "\(certificate).certificate",
                { $0.listeners[0].tls?.certificates[0].certificate = $1 }
            ),
            ("\(certificate).key", { $0.listeners[0].tls?.certificates[0].key = $1 }),
            ("listeners[0].tls.dhparam_file", { $0.listeners[0].tls?.dhparamFile = $1 }),
            (
                "listeners[0].tls.client_ca",
                {
                    $0.listeners[0].tls?.clientCA = $1
                    $0.listeners[0].tls?.clientCertificate = .request
                }
            ),
            (
                "upstreams.hub.tls.ca_file",
                {
                    $0.upstreams[0].tls = UpstreamSettings.TLS(caFile: $1)
                    $0.routes[0].upstream = $0.upstreams[0]
                }
            ),
            ("oidc.ca_file", { $0.oidc?.caFile = $1 }),
        ]
        for (path, set) in places {
            for file in [fifo, "/dev/null"] {
                let changed = try configuration { set(&$0, file) }
                let error = #expect(throws: GatewayError.self, "\(path)") {
                    try Gateway.check(changed)
                }
                #expect(
                    error?.diagnostic?.message == "'\(path)' is '\(file)': it is no regular file")
                // It is looked at for warnings too.
                #expect(!messages(changed).contains { $0.contains("ended on") })
            }
        }
        let text = "oidc: {issuer: https://x, client_id: x, client_secret_file: \"\(fifo)\"}"
        let decoded = ConfigurationDecoder.decode(
            text: text, name: "gatehouse.yaml", environment: [:]
        ) { try SecretFile.read($0) }
        let message = "'oidc.client_secret_file' is '\(fifo)', which cannot be read: it is no "
        #expect(decoded.diagnostics.contains { $0.message == message + "regular file" })
    }
}
