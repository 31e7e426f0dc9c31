import GatehouseConfiguration
import GatehouseGate

/// What is done with the requests of a route, by the settings.
extension Blueprint {
    /// Of a configured route.
    static func rules(
        _ route: RouteSettings, _ configuration: Configuration, _ hub: HubPreset
    ) -> RouteRules {
        let preset = configuration.preset(of: route)
        let isToldIdentity = preset == .none || hub.isHub(prefix: Array(route.path.utf8)[...])
        return RouteRules(
            identity: RouteIdentity(
                identityHeaders: isToldIdentity
                    ? identityHeaders(configuration, merging: route.identityHeaders) : [],
                hub: preset == .jupyterhub ? hub : nil),
            maximumBody: route.maximumBody, isJupyterHub: preset == .jupyterhub)
    }

    private static func identityHeaders(
        _ configuration: Configuration, merging others: [String: String?]
    ) -> [(name: String, claim: String)] {
        var headers: [String: (name: String, claim: String)] = [:]
        for (name, claim) in configuration.identityHeaders {
            headers[name.lowercased()] = (name, claim)
        }
        for (name, claim) in others {
            headers[name.lowercased()] = claim.map { (name, $0) }
        }
        return headers.values.sorted { $0.name < $1.name }
    }

    /// Rules of the routes of the API: those of the longest configured route that covers one, but
    /// for identity, which only the Hub is told. User servers and services are other people's code.
    struct APIRules: Sendable {
        private struct Pair: Sendable {
            let hub: RouteRules
            let others: RouteRules
        }

        private let covered: [Pair]
        private let bare: Pair

        init(_ configuration: Configuration, _ hub: HubPreset) {
            covered = configuration.routes.map { APIRules.pair($0, configuration, hub) }
            bare = APIRules.pair(nil, configuration, hub)
        }

        /// - Parameters:
        ///   - covering: the place of the configured route that covers it.
        ///   - isHub: whether it is the Hub's own route.
        func rules(covering: Int?, isHub: Bool) -> RouteRules {
            let pair = covering.map { covered[$0] } ?? bare
            return isHub ? pair.hub : pair.others
        }

        private static func pair(
            _ route: RouteSettings?, _ configuration: Configuration, _ hub: HubPreset
        ) -> Pair {
            let isHub = configuration.preset(of: route) == .jupyterhub
            func rules(_ headers: [(name: String, claim: String)]) -> RouteRules {
                RouteRules(
                    identity: RouteIdentity(identityHeaders: headers, hub: isHub ? hub : nil),
                    maximumBody: route?.maximumBody, isJupyterHub: isHub)
            }
            let told =
                isHub
                ? identityHeaders(configuration, merging: route?.identityHeaders ?? [:]) : []
            return Pair(hub: rules(told), others: rules([]))
        }
    }
}
