import GatehouseBase

/// What the provider must know of us.
extension EffectiveSettings {
    /// Comments, so that the whole stays YAML: whoever sets up the client copies from here.
    mutating func writeClient() {
        guard let oidc = configuration.oidc, !configuration.publicURLs.isEmpty else { return }
        write("#")
        let client = scalar(oidc.clientID)
        write(
            "# What the client \(client) must hold at the provider. Keycloak takes one back-channel"
        )
        write("# logout URL; any one of these ends the sessions of all.")
        for url in configuration.publicURLs {
            write("# \(url)")
            for (name, path) in EffectiveSettings.endpoints {
                write("#   \(name): \(url)\(path)")
            }
        }
    }

    private static let endpoints = [
        ("valid redirect URI", OwnPath.callback),
        ("valid post logout redirect URI", OwnPath.loggedOut),
        ("back-channel logout URL", OwnPath.backChannelLogout),
    ]
}
