public import GatehouseBase
public import GatehouseConfiguration

/// A line of the log, as text for people or as JSON for machines.
enum LogLine {
    static func render(
        time: Timestamp, level: String, label: String, message: String,
        _ fields: [(String, String)], _ format: LogSettings.Format
    ) -> String {
        var line: String
        switch format {
        case .text:
            line = "\(CalendarTime(time).iso8601) \(level)"
            if !label.isEmpty { line += " \(label)" }
            if !message.isEmpty { line += ": \(clean(message))" }
            for (name, value) in fields { line += " \(name)=\(quoted(value))" }
        case .json:
            line = "{\"time\":\"\(CalendarTime(time).iso8601)\",\"level\":\"\(level)\""
            if !label.isEmpty { line += ",\"label\":\(json(label))" }
            if !message.isEmpty { line += ",\"message\":\(json(message))" }
            for (name, value) in fields { line += ",\(json(name)):\(json(value))" }
            line += "}"
        }
        return line + "\n"
    }

    /// Control characters never reach a terminal or break a line.
    private static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            return text
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar
                }))
    }

    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy {
                $0 > 0x20 && $0 != 0x7F && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C
            }
        return isPlain ? value : json(value)
    }

    private static func json(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}

extension Log {
    /// Events to standard error, in the format of the settings.
    public static func standardError(_ settings: LogSettings) -> Log {
        Log(label: "gatehouse", level: settings.level) { event in
            let line = LogLine.render(
                time: .now(), level: event.level.name, label: event.label,
                message: event.message, event.fields.map { ($0.name, $0.value) },
                settings.format)
            StandardStream.write(Array(line.utf8), to: 2)
        }
    }
}
