import GatehouseBase
import GatehouseConfiguration
import Testing

struct EffectiveSettingsTests {
    private let secret = [
        "HOME": "/home/gatehouse", "GATEHOUSE_OIDC_CLIENT_SECRET": "s3cret",
    ]

    private static let texts =
        Corpus.cases("accept").map(\.text)
        + ["gatehouse.yaml", "gatehouse.minimal.yaml"].map { Corpus.bytes("config/\($0)") }

    @Test(arguments: texts)
    func `what check prints reads back as the same settings`(_ text: [UInt8]) throws {
        let first = try #require(Corpus.decode(text).configuration)
        let printed = EffectiveSettings.yaml(of: first)
        let decoded = Corpus.decode(printed)
        let second = try #require(
            decoded.configuration, "\(Diagnostic.report(decoded.diagnostics))\n\(printed)")
        #expect(second.publicURLs == first.publicURLs)
        #expect(second.stateDirectory == first.stateDirectory)
        #expect(second.keysFile == first.keysFile)
        #expect(second.loops == first.loops)
        #expect(second.listeners == first.listeners)
        #expect(second.upstreams == first.upstreams)
        #expect(second.routes == first.routes)
        #expect(second.pidFile == first.pidFile)
        #expect(second.routesAPI == first.routesAPI)
        #expect(second.forwarding == first.forwarding)
        #expect(second.access == first.access)
        #expect(second.oidc == first.oidc)
        #expect(second.session == first.session)
        #expect(second.identityHeaders == first.identityHeaders)
        #expect(second.jupyterHub == first.jupyterHub)
        #expect(second.limits == first.limits)
        #expect(second.log == first.log)
    }

    @Test func `each setting shows its origin`() throws {
        let text =
            "routes: [{path: /, upstream: http://127.0.0.1:8081}]\n"
            + "access: [{path: /**, allow: public}]\nsession: {idle: 5m}\n"
        let environment = ["STATE_DIRECTORY": "/s", "GATEHOUSE_LOOPS": "3", "GATEHOUSE_KEYS": "k"]
        let configuration = try #require(
            Corpus.decode(text, environment: environment).configuration)
        let lines = EffectiveSettings.yaml(of: configuration).split(separator: "\n")
        #expect(lines.contains("loops: 3  # environment GATEHOUSE_LOOPS"))
        #expect(lines.contains("state_dir: /s  # environment STATE_DIRECTORY"))
        #expect(lines.contains("  idle: 5m  # gatehouse.yaml:3"))
        #expect(lines.contains("  absolute: 12h  # default"))
        #expect(lines.contains("  - path: /  # gatehouse.yaml:1"))
        #expect(lines.contains("# keys: ‹secret›  # environment GATEHOUSE_KEYS"))
    }

    @Test func `fronts, presets and the Hub show their origin`() throws {
        let hub = try #require(
            Corpus.decode(Corpus.bytes("Tests/Corpus/yaml/accept/hub.yaml")).configuration)
        let lines = EffectiveSettings.yaml(of: hub).split(separator: "\n")
        #expect(lines.contains("    preset: jupyterhub  # gatehouse.yaml:4"))
        #expect(lines.contains("    max_body: none  # gatehouse.yaml:4"))
        #expect(lines.contains("    max_body: 10000000 B  # gatehouse.yaml:7"))
        #expect(lines.contains("  base_url: /jupyter/  # gatehouse.yaml:10"))
        #expect(
            lines.contains("  api_url: \"https://hub:8081/jupyter/hub/api\"  # gatehouse.yaml:10"))
        #expect(lines.contains("      profile: none  # default"))
        let front = try #require(
            Corpus.decode(Corpus.bytes("Tests/Corpus/yaml/accept/front.yaml")).configuration)
        let printed = EffectiveSettings.yaml(of: front)
        #expect(printed.contains("      profile: cloudflare-tunnel  # gatehouse.yaml:3\n"))
        #expect(
            printed.contains(
                "      trusted: [127.0.0.1, 10.0.0.0/8, \"fd00::/8\"]  # gatehouse.yaml:2\n"))
        #expect(printed.contains("      trusted: [unix]  # gatehouse.yaml:3\n"))
        #expect(!printed.contains(".gatehouse/"))
    }

    @Test func `what the provider's client must hold stands at the end, for each public URL`()
        throws
    {
        let text = Corpus.text("config/gatehouse.yaml")
        let printed = EffectiveSettings.yaml(of: try #require(Corpus.decode(text).configuration))
        #expect(
            printed.hasSuffix(
                """
                #
                # What the client gatehouse must hold at the provider. Keycloak takes one back-channel
                # logout URL; any one of these ends the sessions of all.
                # https://hub.example.org
                #   valid redirect URI: https://hub.example.org/.gatehouse/callback
                #   valid post logout redirect URI: https://hub.example.org/.gatehouse/logged-out
                #   back-channel logout URL: https://hub.example.org/.gatehouse/backchannel-logout
                # https://grafana.example.org
                #   valid redirect URI: https://grafana.example.org/.gatehouse/callback
                #   valid post logout redirect URI: https://grafana.example.org/.gatehouse/logged-out
                #   back-channel logout URL: https://grafana.example.org/.gatehouse/backchannel-logout

                """))
    }

    @Test func `a client's name that holds a line's end stays within its comment`() throws {
        let text = Corpus.text("config/gatehouse.yaml")
            .replacing("client_id: gatehouse ", with: "client_id: \"a\\u2028b:\" ")
        let printed = EffectiveSettings.yaml(of: try #require(Corpus.decode(text).configuration))
        #expect(printed.contains("# What the client \"a\\u2028b:\" must hold"))
        let again = try #require(Corpus.decode(printed).configuration)
        #expect(again.oidc?.clientID == "a\u{2028}b:")
    }

    @Test func `a secret is never printed`() throws {
        let text = String(decoding: Corpus.bytes("config/gatehouse.minimal.yaml"), as: UTF8.self)
        let fromFile = try #require(Corpus.decode(text).configuration)
        #expect(!EffectiveSettings.yaml(of: fromFile).contains("s3cret"))
        let bare = text.replacing("  client_secret_file: /run/secrets/oidc\n", with: "")
        let fromVariable = try #require(Corpus.decode(bare, environment: secret).configuration)
        let printed = EffectiveSettings.yaml(of: fromVariable)
        #expect(!printed.contains("s3cret"))
        #expect(
            printed.contains(
                "  client_secret: ‹secret›  # environment GATEHOUSE_OIDC_CLIENT_SECRET\n"))
        #expect(Corpus.decode(printed).configuration == nil)
        #expect(Corpus.decode(printed, environment: secret).configuration != nil)
    }

    @Test func `a field that may hold a secret is not printed either`() throws {
        let text = """
            routes: [{path: /, upstream: http://127.0.0.1:8081}]
            access: [{path: /**, allow: public}]
            forwarding: {request_fields: {X-Site: berlin, Authorization: Basic hunter2}}
            """
        let printed = EffectiveSettings.yaml(of: try #require(Corpus.decode(text).configuration))
        #expect(printed.contains("    X-Site: berlin  # gatehouse.yaml:3\n"))
        #expect(printed.contains("    Authorization: ‹secret›  # gatehouse.yaml:3\n"))
        #expect(!printed.contains("hunter2"))
    }

    @Test func `odd texts are quoted so that they read back`() throws {
        var configuration = Configuration()
        configuration.stateDirectory = .path("/a: b # c \"d\" \\ \u{7}\n\u{2028}é")
        configuration.keysFile = "/null"
        configuration.access = [
            AccessRuleSettings(
                path: try RulePath(parsing: "/é/&x/!y/@z/**"), methods: ["GET"], allow: .anyone)
        ]
        let printed = EffectiveSettings.yaml(of: configuration)
        let second = try #require(Corpus.decode(printed).configuration, "\(printed)")
        #expect(second.stateDirectory == configuration.stateDirectory)
        #expect(second.keysFile == configuration.keysFile)
        #expect(second.access == configuration.access)
    }
}
