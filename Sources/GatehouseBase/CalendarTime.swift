/// The calendar of a ``Timestamp`` in UTC.
public struct CalendarTime: Sendable, Equatable {
    public var year: Int, month: Int, day: Int, weekday: Int
    public var hour: Int, minute: Int, second: Int, millisecond: Int

    /// Days to civil date after Howard Hinnant; no locale, no time zone, no Foundation.
    public init(_ timestamp: Timestamp) {
        let bounded = min(max(timestamp.seconds, 0), 253_402_300_799)
        let whole = Int(bounded)
        millisecond = Int((bounded - Double(whole)) * 1000)
        let days = whole / 86400
        let rest = whole % 86400
        hour = rest / 3600
        minute = rest % 3600 / 60
        second = rest % 60
        weekday = (days + 4) % 7
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2026-11-25T04:15:21.042Z`.
    public var iso8601: String {
        // Digits are written over a pattern: every answer of ours has a time, and interpolation
        // takes ten times as long.
        var text = Array("yyyy-mm-ddThh:mm:ss.fffZ".utf8)
        CalendarTime.write(year, at: 0..<4, of: &text)
        CalendarTime.write(month, at: 5..<7, of: &text)
        CalendarTime.write(day, at: 8..<10, of: &text)
        writeTime(at: 11, of: &text)
        CalendarTime.write(millisecond, at: 20..<23, of: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// `Wed, 25 Nov 2026 04:15:21 GMT` (RFC 9110 §5.6.7).
    public var httpDate: String {
        let (weekday, month) = (CalendarTime.weekdays[weekday], CalendarTime.months[month - 1])
        var text = Array((weekday + ", dd " + month + " yyyy hh:mm:ss GMT").utf8)
        CalendarTime.write(day, at: 5..<7, of: &text)
        CalendarTime.write(year, at: 12..<16, of: &text)
        writeTime(at: 17, of: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `hh:mm:ss`.
    private func writeTime(at start: Int, of text: inout [UInt8]) {
        CalendarTime.write(hour, at: start..<start + 2, of: &text)
        CalendarTime.write(minute, at: start + 3..<start + 5, of: &text)
        CalendarTime.write(second, at: start + 6..<start + 8, of: &text)
    }

    /// The last digits of a number, with zeros before it.
    private static func write(_ number: Int, at place: Range<Int>, of text: inout [UInt8]) {
        var rest = number
        for index in place.reversed() {
            text[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
