import GatehouseBase
import GatehouseConfiguration
import GatehouseNet

/// Lines of a log, as text for people or as JSON for machines, written one part after the other
/// into one buffer: with an access log, a line is written for every request.
struct LogLines: ~Copyable {
    private let format: LogSettings.Format
    private var buffer = ByteBuffer()
    /// The second that was written last, and its text up to the point.
    private var second = -1
    private var secondText: [UInt8] = []

    init(_ format: LogSettings.Format) { self.format = format }

    var isEmpty: Bool { buffer.isEmpty }

    /// The lines so far; there are none afterwards, and the memory stays.
    mutating func take() -> [UInt8] {
        let lines = buffer.readable.array
        buffer.removeAll()
        return lines
    }

    /// Begins a line. Control characters of `message` never reach a terminal or break a line.
    mutating func begin(
        _ time: Timestamp, level: String, label: String = "", message: String = ""
    ) {
        switch format {
        case .text:
            append(time)
            buffer.append(0x20)
            buffer.append(level.utf8.span)
            if !label.isEmpty {
                buffer.append(0x20)
                buffer.append(label.utf8.span)
            }
            if !message.isEmpty {
                buffer.append(": ")
                appendClean(message.utf8.span)
            }
        case .contract:
            append(time)
            buffer.append(" [ConfigProxy] ")
            buffer.append(LogLines.contractWord(level).utf8.span)
            buffer.append(message.isEmpty ? ":" : ": ")
            appendClean(message.utf8.span)
        case .json:
            buffer.append("{\"time\":\"")
            append(time)
            buffer.append("\",\"level\":\"")
            buffer.append(level.utf8.span)
            buffer.append(0x22)
            if !label.isEmpty { field("label", label.utf8.span) }
            if !message.isEmpty { field("message", message.utf8.span) }
        }
    }

    /// Adds `name=value`; the value is UTF-8, and in text it is quoted where it must be.
    mutating func field(_ name: StaticString, _ value: Span<UInt8>) {
        beginField(name)
        appendValue(value)
    }

    mutating func field(_ name: StaticString, _ value: String) { field(name, value.utf8.span) }

    /// Adds a field whose name is known at run time only.
    mutating func field(named name: String, _ value: String) {
        switch format {
        case .text, .contract:
            buffer.append(0x20)
            buffer.append(name.utf8.span)
            buffer.append(0x3D)
        case .json:
            buffer.append(0x2C)
            appendString(name.utf8.span)
            buffer.append(0x3A)
        }
        appendValue(value.utf8.span)
    }

    /// Adds a number, which JSON has as a string like every other value.
    mutating func field(_ name: StaticString, _ number: Int) {
        beginField(name)
        quote()
        buffer.append(decimal: number)
        quote()
    }

    /// Adds milliseconds with three digits after the point.
    mutating func field(_ name: StaticString, _ duration: Duration) {
        let micro = Int(max(0, duration.nanoseconds / 1000))
        beginField(name)
        quote()
        buffer.append(decimal: micro / 1000)
        buffer.append(0x2E)
        appendThree(micro % 1000)
        quote()
    }

    /// Adds an exchange's id.
    mutating func field(_ name: StaticString, hexadecimal16 number: UInt64) {
        beginField(name)
        quote()
        buffer.append(hexadecimal16: number)
        quote()
    }

    mutating func end() {
        if format == .json { buffer.append(0x7D) }
        buffer.append(0x0A)
    }

    // MARK: Parts

    private mutating func beginField(_ name: StaticString) {
        switch format {
        case .text, .contract:
            buffer.append(0x20)
            buffer.append(name)
            buffer.append(0x3D)
        case .json:
            buffer.append(",\"")
            buffer.append(name)
            buffer.append("\":")
        }
    }

    private mutating func appendValue(_ value: Span<UInt8>) {
        if format != .json, LogLines.isPlain(value) {
            buffer.append(value)
        } else {
            appendString(value)
        }
    }

    private mutating func quote() {
        if format == .json { buffer.append(0x22) }
    }

    private mutating func append(_ time: Timestamp) {
        let whole = Int(time.seconds)
        if whole != second {
            second = whole
            secondText = Array(CalendarTime(time).iso8601.utf8.dropLast(4))
        }
        buffer.append(secondText)
        appendThree(Int((time.seconds - Double(whole)) * 1000))
        buffer.append(0x5A)
    }

    private mutating func appendThree(_ number: Int) {
        for divisor in [100, 10, 1] { buffer.append(UInt8(number / divisor % 10) + 0x30) }
    }

    private mutating func appendClean(_ text: Span<UInt8>) {
        for index in text.indices {
            if LogLines.isControl(text[index]) {
                buffer.append("\u{FFFD}")
            } else {
                buffer.append(text[index])
            }
        }
    }

    /// A JSON string (RFC 8259 §7).
    private mutating func appendString(_ text: Span<UInt8>) {
        buffer.append(0x22)
        var run = 0
        for index in text.indices {
            let byte = text[index]
            guard byte == 0x22 || byte == 0x5C || LogLines.isControl(byte) else { continue }
            buffer.append(text.extracting(run..<index))
            run = index + 1
            switch byte {
            case 0x22: buffer.append("\\\"")
            case 0x5C: buffer.append("\\\\")
            case 0x0A: buffer.append("\\n")
            case 0x0D: buffer.append("\\r")
            case 0x09: buffer.append("\\t")
            default:
                buffer.append(byte < 0x10 ? "\\u000" : "\\u00")
                buffer.append(hexadecimal: Int(byte))
            }
        }
        buffer.append(text.extracting(run..<text.count))
        buffer.append(0x22)
    }

    /// configurable-http-proxy's word for a level.
    private static func contractWord(_ level: String) -> String {
        switch level {
        case "warning": "warn"
        case "debug", "error": level
        default: "info"
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    /// Whether a value can stand in text without quotes.
    private static func isPlain(_ value: Span<UInt8>) -> Bool {
        for index in value.indices {
            let byte = value[index]
            if byte <= 0x20 || byte == 0x7F || byte == 0x22 || byte == 0x3D || byte == 0x5C {
                return false
            }
        }
        return !value.isEmpty
    }
}

extension LogLines {
    /// Writes a whole line.
    mutating func write(_ event: Log.Event) {
        begin(.now(), level: event.level.name, label: event.label, message: event.message)
        for (name, value) in event.fields { field(named: name, value) }
        end()
    }
}
