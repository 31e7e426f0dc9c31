import GatehouseConfiguration
import GatehouseHTTP

/// Whose word a listener takes about where requests come from.
extension Blueprint {
    /// nil where nobody's word is taken.
    static func front(
        _ settings: FrontSettings, _ configuration: Configuration
    ) -> FrontReader? {
        guard !settings.trusted.isEmpty || settings.trustsUnixSocket else { return nil }
        let profile: FrontReader.Profile
        switch settings.profile {
        case .none: return nil
        case .nginx: profile = .nginx
        case .cloudflareTunnel: profile = .cloudflareTunnel
        case .forwarded: profile = .forwarded
        }
        return FrontReader(
            profile, trusted: settings.trusted, trustsUnixSocket: settings.trustsUnixSocket,
            publicURLs: configuration.publicURLs)
    }
}
