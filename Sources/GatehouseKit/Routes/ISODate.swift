import GatehouseBase

/// Dates as clients of the routes API write them: ISO 8601, whole or cut at the end.
enum ISODate {
    /// Reads `2026`, `2026-11-27`, `2026-11-27T05:10:44Z`, `2026-11-27T05:10:44.123456+01:00`.
    /// Without a zone a date is meant in UTC, and so is a time.
    static func parse(_ text: String) -> Timestamp? {
        var rest = Substring(text)
        guard let year = number(&rest, digits: 4) else { return nil }
        var month = 1
        var day = 1
        if take(&rest, "-") {
            guard let value = number(&rest, digits: 2), 1...12 ~= value else { return nil }
            month = value
            if take(&rest, "-") {
                guard let value = number(&rest, digits: 2), 1...31 ~= value else { return nil }
                day = value
            }
        }
        var seconds = Double(days(year, month, day)) * 86400
        if take(&rest, "T") || take(&rest, "t") || take(&rest, " ") {
            guard let time = time(&rest) else { return nil }
            seconds += time
            guard let zone = zone(&rest) else { return nil }
            seconds -= zone
        }
        return rest.isEmpty ? Timestamp(seconds: seconds) : nil
    }

    private static func time(_ rest: inout Substring) -> Double? {
        guard let hour = number(&rest, digits: 2), 0...24 ~= hour, take(&rest, ":"),
            let minute = number(&rest, digits: 2), 0...59 ~= minute
        else { return nil }
        var seconds = Double(hour * 3600 + minute * 60)
        guard take(&rest, ":") else { return seconds }
        guard let second = number(&rest, digits: 2), 0...59 ~= second else { return nil }
        seconds += Double(second)
        guard take(&rest, ".") else { return seconds }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 9, let fraction = Double("0.\(digits)") else {
            return nil
        }
        rest = rest.dropFirst(digits.count)
        return seconds + fraction
    }

    /// Seconds east of UTC.
    private static func zone(_ rest: inout Substring) -> Double? {
        if rest.isEmpty || take(&rest, "Z") || take(&rest, "z") { return 0 }
        let isWest = rest.hasPrefix("-")
        guard take(&rest, "+") || take(&rest, "-"), let hour = number(&rest, digits: 2),
            0...23 ~= hour
        else { return nil }
        _ = take(&rest, ":")
        guard let minute = number(&rest, digits: 2), 0...59 ~= minute else { return nil }
        return Double(hour * 3600 + minute * 60) * (isWest ? -1 : 1)
    }

    private static func number(_ rest: inout Substring, digits count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.utf8.count == count, digits.utf8.allSatisfy(ASCII.isDigit) else { return nil }
        rest = rest.dropFirst(count)
        return Int(digits)
    }

    private static func take(_ rest: inout Substring, _ text: Character) -> Bool {
        guard rest.first == text else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Days since 1970 of a civil date (after Howard Hinnant).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
