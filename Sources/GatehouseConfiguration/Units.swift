/// Durations and sizes as they are written: a whole number and a unit.
enum Units {
    /// Why a text is no duration or size, and what to write instead.
    struct ReadError: Error, Equatable {
        let message: String
        let hint: String
    }

    private static let durations: [(unit: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("B", 1), ("kB", 1000), ("KiB", 1024), ("MB", 1_000_000), ("MiB", 1_048_576),
        ("GB", 1_000_000_000), ("GiB", 1_073_741_824),
    ]
    /// The longest duration: ten years of 365 days.
    private static let longest: Int64 = 3650 * 86_400_000_000_000
    /// The largest size: 1 TiB.
    private static let largest = 1 << 40

    /// Reads `250ms`, `5s`, `15m`, `12h` or `7d`.
    static func duration(_ text: String) throws(ReadError) -> Duration {
        let (digits, unit) = split(text)
        guard !digits.isEmpty else {
            throw ReadError(
                message: "a duration is a whole number and a unit", hint: "such as '5s'")
        }
        guard !unit.isEmpty else {
            throw ReadError(message: "a duration needs a unit", hint: "write '\(digits)s'")
        }
        guard let factor = durations.first(where: { $0.unit == unit })?.nanoseconds else {
            throw ReadError(
                message: "a duration is a whole number and one of ms, s, m, h, d",
                hint: durationHint(digits, unit))
        }
        let (product, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: factor)
        guard !overflow, product <= longest else {
            throw ReadError(message: "that is longer than ten years", hint: "at most '3650d'")
        }
        return .nanoseconds(product)
    }

    /// Reads `512 B`, `32kB` or `8 KiB`.
    static func size(_ text: String) throws(ReadError) -> Int {
        let (digits, unit) = split(text)
        guard !digits.isEmpty else {
            throw ReadError(message: "a size is a whole number and a unit", hint: "such as '8 KiB'")
        }
        guard !unit.isEmpty else {
            throw ReadError(message: "a size needs a unit", hint: "write '\(digits) B'")
        }
        guard let factor = sizes.first(where: { $0.unit == unit })?.bytes else {
            throw ReadError(
                message: "a size is a whole number and one of B, kB, KiB, MB, MiB, GB, GiB",
                hint: sizeHint(digits, unit))
        }
        let (product, overflow) = (Int(digits) ?? .max).multipliedReportingOverflow(by: factor)
        guard !overflow, product <= largest else {
            throw ReadError(message: "that is larger than 1 TiB", hint: "at most '1024 GiB'")
        }
        return product
    }

    /// The shortest text that reads back as the same duration, down to milliseconds.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds == 0 else {
            return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
        }
        // Minutes and hours only where a reader would say so: 60m and 90s, not 1h and 1.5m.
        if seconds >= 172_800, seconds % 86400 == 0 { return "\(seconds / 86400)d" }
        if seconds >= 7200, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds >= 300, seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    /// The shortest text that reads back as the same size.
    static func text(_ size: Int) -> String {
        for (unit, bytes) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where size >= bytes && size % bytes == 0 {
            return "\(size / bytes) \(unit)"
        }
        return "\(size) B"
    }

    /// The leading digits and, after spaces, the rest.
    private static func split(_ text: String) -> (digits: Substring, unit: Substring) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        return (digits, text.dropFirst(digits.count).drop { $0 == " " })
    }

    private static func durationHint(_ digits: Substring, _ unit: Substring) -> String {
        switch unit.lowercased() {
        case "sec", "secs", "second", "seconds": "write '\(digits)s'"
        case "min", "mins", "minute", "minutes": "write '\(digits)m'"
        case "hour", "hours", "hr", "hrs": "write '\(digits)h'"
        case "day", "days": "write '\(digits)d'"
        default: "such as '250ms', '5s' or '12h'"
        }
    }

    private static func sizeHint(_ digits: Substring, _ unit: Substring) -> String {
        switch unit.lowercased() {
        case "k", "kb", "kib":
            "write '\(digits) KiB' for 1,024 bytes each, '\(digits) kB' for 1,000"
        case "m", "mb", "mib": "write '\(digits) MiB' or '\(digits) MB'"
        case "g", "gb", "gib": "write '\(digits) GiB' or '\(digits) GB'"
        case "b", "byte", "bytes": "write '\(digits) B'"
        default: "such as '8 KiB'"
        }
    }
}
