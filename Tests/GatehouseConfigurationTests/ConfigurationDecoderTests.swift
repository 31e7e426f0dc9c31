import GatehouseBase
import GatehouseConfiguration
import Testing

struct ConfigurationDecoderTests {
    private let base = """
        routes: [{path: /, upstream: http://127.0.0.1:8081}]
        access: [{path: /**, allow: public}]

        """
    private let oidc = """
        public_urls: [https://hub.example.org]
        listeners: [{address: "[::]:8443", tls: {certificates: [{certificate: a.pem, key: a.key}]}}]
        routes: [{path: /, upstream: http://127.0.0.1:8081}]
        access: [{path: /**, allow: signed_in}]
        oidc: {issuer: https://sso.example.org/realms/r, client_id: gatehouse, \
        client_secret_file: /run/secrets/oidc}

        """

    private func decode(
        _ text: String, _ environment: [String: String] = Corpus.environment
    ) throws -> Configuration {
        let decoded = Corpus.decode(text, environment: environment)
        try #require(decoded.diagnostics.isEmpty, "\(Diagnostic.report(decoded.diagnostics))")
        return try #require(decoded.configuration)
    }

    @Test func `what is not written has its default`() throws {
        let configuration = try decode(base)
        #expect(configuration.loops == .auto)
        #expect(configuration.listeners == Configuration().listeners)
        #expect(configuration.limits == Limits())
        #expect(configuration.session == SessionSettings())
        #expect(configuration.log == LogSettings())
        #expect(configuration.oidc == nil)
        #expect(configuration.origin(of: "loops") == .builtIn)
        #expect(configuration.origin(of: "routes[0].path").description == "gatehouse.yaml:1")
    }

    @Test(arguments: [
        (["STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"], "/var/lib/a"),
        (["XDG_STATE_HOME": "/x", "HOME": "/h"], "/x/gatehouse"),
        (["XDG_STATE_HOME": "relative", "HOME": "/h"], "/h/.local/state/gatehouse"),
        (["STATE_DIRECTORY": "", "HOME": "/"], "/.local/state/gatehouse"),
    ])
    func `the state directory has a default for services and for people`(
        _ environment: [String: String], _ path: String
    ) throws {
        #expect(try decode(base, environment).stateDirectory == .path(path))
    }

    @Test func `without any home the state directory must be written`() throws {
        let decoded = Corpus.decode(base, environment: [:])
        #expect(decoded.configuration == nil)
        #expect(decoded.diagnostics.count == 1)
        #expect(try decode(base + "state_dir: none\n", [:]).stateDirectory == .none)
        #expect(try decode(base + "state_dir: /s\n", [:]).stateDirectory == .path("/s"))
    }

    @Test func `paths are relative to the directory of the file, sockets to the state`() throws {
        let text = """
            state_dir: state
            keys_file: /etc/keys
            listeners:
              - address: unix:public.sock
                tls: {certificates: [{certificate: certs/a.pem, key: /abs/a.key}]}
            upstreams: {hub: {url: https://hub, tls: {ca_file: ca.pem}}}
            routes: [{path: /, upstream: hub}]
            access: [{path: /**, allow: public}]
            """
        let decoded = ConfigurationDecoder.decode(
            file: "etc/gatehouse/gatehouse.yaml", environment: [:]
        ) { _ in Array(text.utf8) }
        let configuration = try #require(decoded.configuration)
        #expect(configuration.stateDirectory == .path("etc/gatehouse/state"))
        #expect(configuration.keysFile == "/etc/keys")
        let listener = configuration.listeners[0]
        #expect(listener.address == .unix(path: "etc/gatehouse/state/public.sock"))
        #expect(
            configuration.namedFiles.map(\.file) == [
                "etc/gatehouse/certs/a.pem", "/abs/a.key", "etc/gatehouse/ca.pem",
            ])
        #expect(
            configuration.namedFiles.map(\.path) == [
                "listeners[0].tls.certificates[0].certificate",
                "listeners[0].tls.certificates[0].key", "upstreams.hub.tls.ca_file",
            ])
    }

    @Test func `the number of loops comes from the environment before the file`() throws {
        let text = base + "loops: 2\n"
        #expect(try decode(text).loops == .count(2))
        let configuration = try decode(text, ["HOME": "/h", "GATEHOUSE_LOOPS": "4"])
        #expect(configuration.loops == .count(4))
        #expect(configuration.origin(of: "loops") == .environment("GATEHOUSE_LOOPS"))
        #expect(try decode(text, ["HOME": "/h", "GATEHOUSE_LOOPS": "auto"]).loops == .auto)
        #expect(try decode(text, ["HOME": "/h", "GATEHOUSE_LOOPS": ""]).loops == .count(2))
        let wrong = Corpus.decode(text, environment: ["HOME": "/h", "GATEHOUSE_LOOPS": "0"])
        #expect(wrong.configuration == nil)
        #expect(
            wrong.diagnostics.first?.rendered
                == "environment GATEHOUSE_LOOPS: error: '0' is neither 'auto' nor a number from 1 to 64"
        )
    }

    @Test func `the client secret loses one line feed and no more`() throws {
        #expect(try decode(oidc).oidc?.clientSecret == Secret("s3cret"))
        #expect(try decode(oidc).oidc?.clientSecretFile == "/run/secrets/oidc")
    }

    @Test func `the client secret comes from the environment before the file`() throws {
        let environment = ["HOME": "/h", "GATEHOUSE_OIDC_CLIENT_SECRET": "other"]
        let text = oidc.replacing("/run/secrets/oidc", with: "/not/there")
        let configuration = try decode(text, environment)
        #expect(configuration.oidc?.clientSecret == Secret("other"))
        #expect(
            configuration.origin(of: "oidc.client_secret")
                == .environment("GATEHOUSE_OIDC_CLIENT_SECRET"))
        let bare = oidc.replacing(", client_secret_file: /run/secrets/oidc", with: "")
        #expect(try decode(bare, environment).oidc?.clientSecret == Secret("other"))
    }

    @Test func `the client secret may stand in the text`() throws {
        let text = oidc.replacing("client_secret_file: /run/secrets/oidc", with: "client_secret: a")
        #expect(try decode(text).oidc?.clientSecret == Secret("a"))
    }

    @Test func `keys can come as text in the environment`() throws {
        let configuration = try decode(base, ["HOME": "/h", "GATEHOUSE_KEYS": "k"])
        #expect(configuration.keys == Secret("k"))
        #expect("\(configuration)".contains("keys: Optional(‹secret›)"))
    }

    @Test func `the whole text can come in the environment`() throws {
        let environment = ["HOME": "/h", "GATEHOUSE_CONFIG_YAML": base + "loops: x\n"]
        let decoded = ConfigurationDecoder.decode(file: nil, environment: environment) { _ in [] }
        #expect(
            decoded.diagnostics.first?.rendered.hasPrefix("GATEHOUSE_CONFIG_YAML:3:8: error")
                == true
        )
        let both = Corpus.decode(base, environment: environment)
        #expect(both.configuration != nil)
        #expect(both.diagnostics.map(\.severity) == [.warning])
    }

    @Test func `a file that cannot be read says so`() {
        let decoded = ConfigurationDecoder.decode(file: "a/b.yaml", environment: [:]) { _ in
            throw Corpus.NoSuchFile()
        }
        #expect(
            Diagnostic.report(decoded.diagnostics) == """
                a/b.yaml: error: the configuration cannot be read: No such file or directory
                1 error

                """)
    }

    @Test func `routes hold their upstream with its options`() throws {
        let configuration = try decode(
            """
            upstreams:
              hub: {url: "https://10.0.0.1:8443", connect_timeout: 2s, first_byte_timeout: 30s,
                    tls: {server_name: hub.internal, insecure_skip_verify: true}}
            routes:
              - {path: /hub/, host: Hub.Example.ORG, upstream: hub}
              - {path: /, upstream: "http://[::1]:80", identity: {headers: {X-User: sub, X-Mail: null}}}
            access: [{path: /**, allow: deny}]
            identity: {headers: {}}
            limits: {connect_time: 3s}
            oidc: null
            """.replacing(
                "identity: {headers: {X-User: sub, X-Mail: null}}",
                with: "identity: {headers: {X-Mail: null}}"))
        let hub = configuration.routes[0]
        #expect(hub.host == "hub.example.org")
        #expect(hub.path == "/hub")
        #expect(hub.upstream == configuration.upstreams[0])
        #expect(hub.upstream.connectTimeout == .seconds(2))
        #expect(hub.upstream.firstByteTimeout == .seconds(30))
        #expect(hub.upstream.tls.serverName == "hub.internal")
        #expect(hub.upstream.tls.insecureSkipVerify)
        let other = configuration.routes[1]
        #expect(!other.upstream.isNamed && hub.upstream.isNamed)
        #expect(other.upstream.name == "http://[::1]")
        #expect(other.upstream.connectTimeout == .seconds(3))
        #expect(other.identityHeaders == ["X-Mail": nil])
    }

    @Test func `allow is a tree`() throws {
        let configuration = try decode(
            oidc.replacing(
                "signed_in",
                with: """
                    {any: [{all: [{group: /a}, {realm_role: b}]}, {client_role: c/d/e}, {user: f}, \
                    signed_in]}
                    """))
        #expect(
            configuration.access[0].allow
                == .any([
                    .all([.group("/a"), .realmRole("b")]), .clientRole(client: "c", role: "d/e"),
                    .user("f"), .signedIn,
                ]))
    }

    @Test func `every limit can be written`() throws {
        let rows = Limits.all.map { limit in
            switch limit.value {
            case .size: "  \(limit.name): 7 B"
            case .count: "  \(limit.name): 7"
            case .time, .patience: "  \(limit.name): 7s"
            }
        }
        let limits = try decode(base + "limits:\n" + rows.joined(separator: "\n")).limits
        for limit in Limits.all {
            switch limit.value {
            case .size(let key), .count(let key): #expect(limits[keyPath: key] == 7)
            case .time(let key): #expect(limits[keyPath: key] == .seconds(7))
            case .patience(let key): #expect(limits[keyPath: key] == .seconds(7))
            }
        }
    }

    @Test func `a reader may be given all the time that it takes`() throws {
        let configuration = try decode(base + "limits: {write_stall: none}\n")
        #expect(configuration.limits.writeStall == nil)
        #expect(EffectiveSettings.yaml(of: configuration).contains("write_stall: none"))
    }

    @Test func `a mistake in one item leaves the places of the others right`() {
        let decoded = Corpus.decode(
            """
            routes:
              - {path: nowhere, upstream: http://10.0.0.1:80}
              - {path: /a, upstream: http://10.0.0.1:80}
              - {path: /a, upstream: http://10.0.0.1:80}
            access: [{path: /**, allow: public}]
            """)
        #expect(decoded.diagnostics.map { $0.position?.line } == [2, 4])
        #expect(decoded.diagnostics[1].hint == "the first is in line 3")
    }
}
