/// The words of the command line.
struct DemoCommand {
    static let usage = """
        usage: gatehouse-demo [--port N] [--certificates FOLDER]
                   [--issuer URL --client-id ID --client-secret-file FILE [--ca-file FILE]]
                   [--jupyterhub-port N --api-port N --api-token-file FILE
                    --jupyterhub-secret-file FILE]

        """

    var port: UInt16 = 8443
    var certificates = "certs"
    var issuer: String?
    var clientID: String?
    var secretFile: String?
    var caFile: String?
    var jupyterHubPort: UInt16?
    var apiPort: UInt16?
    var apiTokenFile: String?
    /// Of JupyterHub at the development provider.
    var jupyterHubSecretFile: String?

    /// - Returns: nil where the words say nothing that can be done.
    init?(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch word {
            case "--port":
                guard let number = DemoCommand.port(value) else { return nil }
                port = number
            case "--certificates": certificates = value
            case "--issuer": issuer = value
            case "--client-id": clientID = value
            case "--client-secret-file": secretFile = value
            case "--ca-file": caFile = value
            case "--jupyterhub-port", "--api-port":
                guard let number = DemoCommand.port(value) else { return nil }
                if word == "--api-port" { apiPort = number } else { jupyterHubPort = number }
            case "--api-token-file": apiTokenFile = value
            case "--jupyterhub-secret-file": jupyterHubSecretFile = value
            default: return nil
            }
        }
        // Another provider is named whole or not at all.
        let named = [issuer, clientID, secretFile].filter { $0 != nil }.count
        guard named == 3 || (named == 0 && caFile == nil) else { return nil }
        // So is a JupyterHub, whose secret another provider knows itself.
        let ports = [jupyterHubPort, apiPort].filter { $0 != nil }.count
        let files = [apiTokenFile, jupyterHubSecretFile].filter { $0 != nil }.count
        guard (ports, files) == (2, named == 0 ? 2 : 1) || (ports, files) == (0, 0) else {
            return nil
        }
    }

    private static func port(_ value: String) -> UInt16? {
        UInt16(value).flatMap { $0 > 0 ? $0 : nil }
    }
}
