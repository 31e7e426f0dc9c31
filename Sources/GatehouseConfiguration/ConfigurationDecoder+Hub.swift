import GatehouseBase

/// `listeners.front` and `jupyterhub`.
extension ConfigurationDecoder {
    mutating func front(_ node: YAMLNode, at path: String) -> FrontSettings {
        var front = FrontSettings()
        guard let reader = mapping(node, at: path, Schema.front) else { return front }
        let profile =
            reader["profile"].map {
                word(
                    $0, at: reader.path(of: "profile"), as: FrontSettings.Profile.self,
                    waiting: Schema.waitingProfiles)
            } ?? FrontSettings.Profile.none
        let place = reader.path(of: "trusted")
        let trusted = reader["trusted"]
        let items = trusted.map { list($0, at: place) } ?? []
        for (index, item) in items.enumerated() {
            let path = "\(place)[\(index)]"
            guard let text = text(item, at: path) else { continue }
            do throws(FrontSettings.TrustError) {
                try front.trust(text)
            } catch {
                fail(item, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            }
        }
        // What could not be read is not complained about once more.
        guard let profile, trusted?.isSequence != false else { return FrontSettings() }
        front.profile = profile
        return front
    }

    mutating func readJupyterHub(_ root: MappingReader) {
        guard let node = root["jupyterhub"],
            let reader = mapping(node, at: "jupyterhub", Schema.jupyterHub)
        else { return }
        if let node = reader["base_url"], let url = hubBaseURL(node, at: "jupyterhub.base_url") {
            configuration.jupyterHub.baseURL = url
        }
        configuration.jupyterHub.apiURL = reader["api_url"].flatMap {
            token($0, at: "jupyterhub.api_url")
        }
    }

    private mutating func hubBaseURL(_ node: YAMLNode, at path: String) -> HubBaseURL? {
        guard let text = text(node, at: path) else { return nil }
        do throws(HubBaseURL.ParseError) {
            return try HubBaseURL(parsing: text)
        } catch {
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            return nil
        }
    }
}
