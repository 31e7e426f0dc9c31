import GatehouseBase

/// A header or trailer section: one buffer and a table of places in it.
///
/// Parsed heads adopt their bytes whole, so that a section costs two allocations whatever its
/// size. Order is kept, nothing is merged.
public struct Fields: Sendable {
    /// Where one field line stands in the buffer.
    public struct Entry: Sendable {
        @usableFromInline let nameStart: UInt32
        @usableFromInline let valueStart: UInt32
        @usableFromInline let valueCount: UInt32
        @usableFromInline let nameCount: UInt16
        /// The name, spelled exactly (but for case).
        public let name: FieldName
        /// The name also where `_` or `.` stands for `-`: what a backend may take it for.
        public let resembles: FieldName
        /// Whether it has a name and no value.
        public var isEmpty: Bool { valueCount == 0 }
    }

    @usableFromInline var bytes: [UInt8]
    @usableFromInline var entries: [Entry]
    /// A bit for each name that is there; several names share one. Most questions are for names
    /// that are not there.
    @usableFromInline var present: UInt64 = 0
    /// Whether the bytes are a head as it was parsed: its last line is empty, and the others stand
    /// before it without a gap.
    private var isParsed = false

    public init() {
        bytes = []
        entries = []
    }

    @inlinable public var count: Int { entries.count }
    @inlinable public var isEmpty: Bool { entries.isEmpty }
    @inlinable public var indices: Range<Int> { 0..<entries.count }

    @inlinable
    public subscript(index: Int) -> Entry { entries[index] }

    /// The name of field line `index` as received.
    @inlinable
    @_lifetime(borrow self)
    public func name(at index: Int) -> Span<UInt8> {
        let entry = entries[index]
        let start = Int(entry.nameStart)
        return bytes.span.extracting(start..<start + Int(entry.nameCount))
    }

    /// The value of field line `index`, without white space around it.
    @inlinable
    @_lifetime(borrow self)
    public func value(at index: Int) -> Span<UInt8> {
        let entry = entries[index]
        let start = Int(entry.valueStart)
        return bytes.span.extracting(start..<start + Int(entry.valueCount))
    }

    /// The first line of that name at or after `start`.
    @inlinable
    public func firstIndex(of name: FieldName, from start: Int = 0) -> Int? {
        guard present & name.bit != 0 else { return nil }
        var index = start
        while index < entries.count {
            if entries[index].name == name { return index }
            index += 1
        }
        return nil
    }

    /// The first line whose name is `text` (lower case).
    public func firstIndex(named text: StaticString) -> Int? {
        for index in entries.indices where name(at: index).equalsIgnoringCase(text) {
            return index
        }
        return nil
    }

    /// How many lines bear that name.
    @inlinable
    public func count(of name: FieldName) -> Int {
        var count = 0
        for entry in entries where entry.name == name { count += 1 }
        return count
    }

    /// The first value of that name as text; nil where there is none or it is no UTF-8.
    public func text(_ name: FieldName) -> String? {
        firstIndex(of: name).flatMap { value(at: $0).text }
    }

    /// Whether some line of that name has `token` in its comma-separated list, whatever its case.
    public func lists(_ name: FieldName, _ token: StaticString) -> Bool {
        var index = firstIndex(of: name)
        while let line = index {
            var rest = CommaSeparated(value(at: line))
            while let element = rest.next() {
                if element.equalsIgnoringCase(token) { return true }
            }
            index = firstIndex(of: name, from: line + 1)
        }
        return false
    }

    /// Adds a line. Name and value must be valid (`Fields.isValid(value:)` for foreign text).
    public mutating func append(_ name: FieldName, _ value: String) {
        precondition(name != .other)
        append(name.spelling.description, value, name: name, resembles: name)
    }

    /// Adds a line of any name.
    public mutating func append(_ name: String, _ value: String) {
        let classified = FieldName.classify(Array(name.utf8).span)
        append(name, value, name: classified.name, resembles: classified.resembles)
    }

    private mutating func append(
        _ spelling: String, _ value: String, name: FieldName, resembles: FieldName
    ) {
        precondition(Fields.isValid(name: spelling) && Fields.isValid(value: value))
        isParsed = false
        let nameStart = bytes.count
        bytes.append(contentsOf: spelling.utf8)
        let valueStart = bytes.count
        bytes.append(contentsOf: value.utf8)
        present |= name.bit
        entries.append(
            Entry(
                nameStart: UInt32(nameStart), valueStart: UInt32(valueStart),
                valueCount: UInt32(bytes.count - valueStart),
                nameCount: UInt16(valueStart - nameStart), name: name, resembles: resembles))
    }

    /// A token of RFC 9110 §5.6.2.
    public static func isValid(name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 1 << 16 && name.utf8.allSatisfy(ASCII.isToken)
    }

    /// Field content of RFC 9110 §5.5: no CR, LF, NUL or other control character.
    public static func isValid(value: String) -> Bool {
        value.utf8.allSatisfy(ASCII.isFieldValue)
    }

    /// Puts another value into field line `index`; it must be valid.
    mutating func setValue(at index: Int, _ value: [UInt8]) {
        precondition(value.allSatisfy(ASCII.isFieldValue))
        let (old, start) = (entries[index], bytes.count)
        bytes += value
        entries[index] = Entry(
            nameStart: old.nameStart, valueStart: UInt32(start), valueCount: UInt32(value.count),
            nameCount: old.nameCount, name: old.name, resembles: old.resembles)
    }

    // MARK: For the parser

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        present = 0
        isParsed = false
    }

    /// Begins another head. The lines of the last one stay until others take their places: on a
    /// connection most of them come again and again, and are then not parsed again.
    mutating func startOver() {
        guard isParsed else { return removeAll() }
        present = 0
    }

    /// Takes lines of the last head over, from line `index` on, as long as exactly these stand in
    /// `head` from `start` on, with their CRLF: the same bytes parse to the same lines.
    ///
    /// - Returns: how many lines there are then, and where the next one begins.
    mutating func keep(
        from index: Int, at start: Int, of head: borrowing Span<UInt8>
    ) -> (lines: Int, end: Int) {
        var line = index
        var place = start
        let count = entries.count
        guard line < count else { return (line, place) }
        // Mostly it is all of them: one comparison.
        let rest = Int(entries[line].nameStart)..<bytes.count - 2
        let isWhole = head.holds(bytes.span.extracting(rest), at: place)
        while line < count {
            let entry = entries[line]
            let from = Int(entry.nameStart)
            let end = line + 1 < count ? Int(entries[line + 1].nameStart) : rest.upperBound
            guard isWhole || head.holds(bytes.span.extracting(from..<end), at: place) else {
                break
            }
            if place != from {
                entries[line] = Entry(
                    nameStart: UInt32(place),
                    valueStart: UInt32(place + Int(entry.valueStart) - from),
                    valueCount: entry.valueCount, nameCount: entry.nameCount,
                    name: entry.name, resembles: entry.resembles)
            }
            present |= entry.name.bit
            place += end - from
            line += 1
        }
        return (line, place)
    }

    /// Makes this line `index`.
    mutating func set(
        line index: Int, name nameRange: Range<Int>, value valueRange: Range<Int>,
        name: FieldName, resembles: FieldName
    ) {
        present |= name.bit
        let entry = Entry(
            nameStart: UInt32(nameRange.lowerBound), valueStart: UInt32(valueRange.lowerBound),
            valueCount: UInt32(valueRange.count), nameCount: UInt16(nameRange.count),
            name: name, resembles: resembles)
        if index < entries.count { entries[index] = entry } else { entries.append(entry) }
    }

    /// Ends with so many lines, and takes the bytes that they point to, an empty line at their end.
    mutating func finish(lines count: Int, _ head: borrowing Span<UInt8>) {
        if count < entries.count { entries.removeLast(entries.count - count) }
        bytes.removeAll(keepingCapacity: true)
        bytes.reserveCapacity(head.count)
        bytes.append(copying: head)
        isParsed = true
    }

    // MARK: For the writer

    /// Whether line `index` stands in memory as it is written: `Name: value` and CRLF. Lines of
    /// which this is true stand there without a gap if they follow each other.
    func isVerbatim(_ index: Int) -> Bool {
        let entry = entries[index]
        let start = Int(entry.valueStart)
        return isParsed && start == Int(entry.nameStart) + Int(entry.nameCount) + 2
            && bytes[start - 1] == 0x20 && bytes[start + Int(entry.valueCount)] == 0x0D
    }

    /// The bytes of such lines.
    @_lifetime(borrow self)
    func verbatim(_ lines: Range<Int>) -> Span<UInt8> {
        let last = entries[lines.upperBound - 1]
        let end = Int(last.valueStart) + Int(last.valueCount) + 2
        return bytes.span.extracting(Int(entries[lines.lowerBound].nameStart)..<end)
    }

    @inlinable
    @_lifetime(borrow self)
    func span(_ range: Range<Int>) -> Span<UInt8> { bytes.span.extracting(range) }
}
