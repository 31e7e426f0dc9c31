/// The gateway's configuration in the demonstration, in the form that is written for the product.
public struct DemoConfiguration: Sendable {
    /// Where people sign in.
    public enum Provider: Sendable, Equatable {
        /// The development provider, on this port of 127.0.0.1; a public route of the gateway.
        case development(port: UInt16, clientSecret: String)
        /// Another one, such as a Keycloak.
        case external(issuer: String, clientID: String, secretFile: String, caFile: String?)
    }

    /// A JupyterHub that somebody else starts, on ports of 127.0.0.1.
    public struct JupyterHub: Sendable, Equatable {
        public var port: UInt16
        /// Where the gateway takes routes from it.
        public var apiPort: UInt16
        /// Holds the token of the routes API.
        public var apiTokenFile: String

        public init(port: UInt16, apiPort: UInt16, apiTokenFile: String) {
            self.port = port
            self.apiPort = apiPort
            self.apiTokenFile = apiTokenFile
        }
    }

    /// What stands behind the gateway.
    public enum Upstream: Sendable, Equatable {
        /// The demonstration's own application, on this port of 127.0.0.1.
        case application(port: UInt16)
        case jupyterHub(JupyterHub)
    }

    /// The name of the gateway at the development provider.
    public static let clientID = "gatehouse-demo"
    /// The name of JupyterHub at the development provider.
    public static let jupyterHubClientID = "jupyterhub"

    /// The one port of the demonstration.
    public var port: UInt16
    /// Holds `server.pem` and `server.key`.
    public var certificates: String
    public var upstream: Upstream
    public var provider: Provider
    public var loops: Int?

    public init(
        port: UInt16, certificates: String, upstream: Upstream, provider: Provider,
        loops: Int? = nil
    ) {
        self.port = port
        self.certificates = certificates
        self.upstream = upstream
        self.provider = provider
        self.loops = loops
    }

    /// What browsers say.
    public var publicURL: String { port == 443 ? "https://localhost" : "https://localhost:\(port)" }

    /// The issuer of the development provider.
    public var issuer: String { publicURL + "/provider" }

    /// The whole text.
    public var yaml: String {
        """
        public_urls: [\(quoted(publicURL))]
        state_dir: none
        \(loops.map { "loops: \($0)" } ?? "loops: auto")
        listeners:
          - address: "127.0.0.1:\(port)"
            tls:
              certificates:
                - certificate: \(quoted(certificates + "/server.pem"))
                  key: \(quoted(certificates + "/server.key"))
        \(apiListener)routes:
        \(upstreamRoute)\(providerRoute)access:
        \(providerRule)\(upstreamRules)  - {path: /**, allow: signed_in}
        \(upstreamSettings)\(oidc)
        """
    }

    private var apiListener: String {
        guard case .jupyterHub(let hub) = upstream else { return "" }
        return """
              - address: "127.0.0.1:\(hub.apiPort)"
                role: api
                token_file: \(quoted(hub.apiTokenFile))

            """
    }

    private var upstreamRoute: String {
        switch upstream {
        case .application(let port):
            "  - {path: /, upstream: \"http://127.0.0.1:\(port)\"}\n"
        case .jupyterHub(let hub):
            "  - {path: /, upstream: \"http://127.0.0.1:\(hub.port)\", preset: jupyterhub}\n"
        }
    }

    private var upstreamRules: String {
        let own = "  - {path: /user/*/**, allow: {path_user: 2}}\n"
        guard case .application = upstream else { return own }
        return "  - {path: /admin/**, allow: {group: /admins}}\n" + own
            + "  - {path: /secret/**, allow: deny}\n"
    }

    private var upstreamSettings: String {
        switch upstream {
        case .application:
            """
            identity:
              headers:
                X-Auth-User: preferred_username
                X-Auth-Name: name
                X-Auth-Email: email
                X-Auth-Groups: groups
                X-Auth-Roles: realm_access.roles

            """
        case .jupyterHub(let hub):
            // JupyterLab asks for a hundred things a minute; what is to be seen are logins and
            // logouts.
            """
            jupyterhub:
              api_url: "http://127.0.0.1:\(hub.port)/hub/api"
            log:
              access: false

            """
        }
    }

    private var providerRoute: String {
        guard case .development(let port, _) = provider else { return "" }
        return "  - {path: /provider, upstream: \"http://127.0.0.1:\(port)\"}\n"
    }

    private var providerRule: String {
        guard case .development = provider else { return "" }
        return "  - {path: /provider/**, allow: public}\n"
    }

    private var oidc: String {
        switch provider {
        case .development(let port, let secret):
            """
            oidc:
              issuer: \(quoted(issuer))
              client_id: \(DemoConfiguration.clientID)
              client_secret: \(quoted(secret))
              backchannel_base_url: "http://127.0.0.1:\(port)/provider"

            """
        case .external(let issuer, let clientID, let secretFile, let caFile):
            """
            oidc:
              issuer: \(quoted(issuer))
              client_id: \(quoted(clientID))
              client_secret_file: \(quoted(secretFile))
            \(caFile.map { "  ca_file: \(quoted($0))\n" } ?? "")
            """
        }
    }

    /// A double-quoted scalar (YAML 1.2.2 §7.3.1).
    private func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}
