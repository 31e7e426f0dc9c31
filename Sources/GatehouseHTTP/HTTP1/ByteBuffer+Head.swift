public import GatehouseBase

/// Heads are always written anew, never relayed as bytes (RFC 9112 §2.2 on smuggling). A line that
/// came exactly as it would be written is copied, with those beside it.
extension ByteBuffer {
    /// `METHOD target HTTP/1.1`.
    public mutating func appendRequestLine(of head: borrowing RequestHead) {
        append(head.methodName())
        append(0x20)
        append(head.target())
        append(" HTTP/1.1\r\n")
    }

    /// `HTTP/1.1 status reason`; the standard phrase where `reason` is empty.
    public mutating func appendStatusLine(
        _ status: Int, reason: borrowing Span<UInt8>
    ) {
        append("HTTP/1.1 ")
        append(decimal: status)
        append(0x20)
        if reason.isEmpty { append(Status.phrase(status)) } else { append(reason) }
        append("\r\n")
    }

    /// `Name: value`.
    public mutating func appendField(
        _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>
    ) {
        appendLine(name, value)
    }

    /// `Name: value`.
    public mutating func appendField(_ name: FieldName, _ value: borrowing Span<UInt8>) {
        append(name.spelling)
        append(": ")
        append(value)
        append("\r\n")
    }

    /// All lines of `fields`.
    public mutating func append(_ fields: borrowing Fields) {
        append(fields, lines: fields.indices)
    }

    /// Some lines of `fields`, in one piece where they stand in memory as they are written.
    public mutating func append(_ fields: borrowing Fields, lines: Range<Int>) {
        var index = lines.lowerBound
        while index < lines.upperBound {
            var end = index
            while end < lines.upperBound, fields.isVerbatim(end) { end += 1 }
            if end > index {
                append(fields.verbatim(index..<end))
                index = end
            } else {
                appendField(fields.name(at: index), fields.value(at: index))
                index += 1
            }
        }
    }

    /// The empty line.
    public mutating func appendHeadEnd() { append("\r\n") }
}
