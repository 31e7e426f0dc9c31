/// The gateway's configuration in the demonstration, in the form that is written for the product.
public struct DemoConfiguration: Sendable {
    /// Where people sign in.
    public enum Provider: Sendable, Equatable {
        /// The development provider, on this port of 127.0.0.1; a public route of the gateway.
        case development(port: UInt16, clientSecret: String)
        /// Another one, such as a Keycloak.
        case external(issuer: String, clientID: String, secretFile: String, caFile: String?)
    }

    /// The name of the gateway at the development provider.
    public static let clientID = "gatehouse-demo"

    /// The one port of the demonstration.
    public var port: UInt16
    /// Holds `server.pem` and `server.key`.
    public var certificates: String
    public var applicationPort: UInt16
    public var provider: Provider
    public var loops: Int?

    public init(
        port: UInt16, certificates: String, applicationPort: UInt16, provider: Provider,
        loops: Int? = nil
    ) {
        self.port = port
        self.certificates = certificates
        self.applicationPort = applicationPort
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
        routes:
          - {path: /, upstream: "http://127.0.0.1:\(applicationPort)"}
        \(providerRoute)access:
        \(providerRule)  - {path: /admin/**, allow: {group: /admins}}
          - {path: /user/*/**, allow: {path_user: 2}}
          - {path: /secret/**, allow: deny}
          - {path: /**, allow: signed_in}
        identity:
          headers:
            X-Auth-User: preferred_username
            X-Auth-Name: name
            X-Auth-Email: email
            X-Auth-Groups: groups
            X-Auth-Roles: realm_access.roles
        \(oidc)
        """
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
