import GatehouseBase

/// `limits` and `log`.
extension ConfigurationDecoder {
    mutating func readLimits(_ root: MappingReader) {
        guard let node = root["limits"], let reader = mapping(node, at: "limits", Schema.limits)
        else { return }
        for limit in Limits.all {
            guard let node = reader[limit.name] else { continue }
            let path = reader.path(of: limit.name)
            switch limit.value {
            case .size(let key):
                if let size = size(node, at: path) { configuration.limits[keyPath: key] = size }
            case .count(let key):
                let range = limit.name == "connection_share" ? 1...100 : 1...10_000_000
                if let count = number(node, at: path, in: range) {
                    configuration.limits[keyPath: key] = count
                }
            case .time(let key):
                if let time = duration(node, at: path) { configuration.limits[keyPath: key] = time }
            case .patience(let key):
                configuration.limits[keyPath: key] = duration(orNone: limit.name, reader)
            }
        }
    }

    mutating func readLog(_ root: MappingReader) {
        guard let node = root["log"], let reader = mapping(node, at: "log", Schema.log) else {
            return
        }
        if let node = reader["level"], let text = text(node, at: "log.level") {
            if let level = Log.Level(name: text) {
                configuration.log.level = level
            } else {
                oneOf(Log.Level.allCases.map(\.name), node, text, at: "log.level")
            }
        }
        if let node = reader["format"],
            let format = word(node, at: "log.format", as: LogSettings.Format.self)
        {
            configuration.log.format = format
        }
        if let node = reader["access"], let access = flag(node, at: "log.access") {
            configuration.log.access = access
        }
    }
}
