import GatehouseBase

/// Walks the pairs of a Cookie field's value, the way in which browsers write it: `;` separates,
/// whatever stands in quotes.
struct CookiePairs: ~Escapable {
    /// Where the parts of one pair stand.
    struct Pair {
        /// After the `;` before the pair.
        let start: Int
        /// At the `;` after the pair, or at the end of all.
        let end: Int
        /// Without blanks before it. Empty where there is no `=`: a browser sends a cookie
        /// without name so.
        let name: Range<Int>
        /// Without blanks after it.
        let value: Range<Int>
    }

    private let bytes: Span<UInt8>
    private var index = 0
    private var isDone: Bool

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        isDone = bytes.isEmpty
    }

    @_lifetime(self: copy self)
    mutating func next() -> Pair? {
        guard !isDone else { return nil }
        let start = index
        let end = bytes.offset(of: 0x3B, from: start)
        isDone = end == bytes.count
        index = end + 1
        var nameStart = start
        while nameStart < end, isBlank(nameStart) { nameStart += 1 }
        let nameEnd = bytes.extracting(0..<end).offset(of: 0x3D, from: nameStart)
        guard nameEnd < end else {
            return Pair(
                start: start, end: end, name: nameStart..<nameStart, value: nameStart..<end)
        }
        var valueEnd = end
        while valueEnd > nameEnd + 1, isBlank(valueEnd - 1) { valueEnd -= 1 }
        return Pair(
            start: start, end: end, name: nameStart..<nameEnd, value: nameEnd + 1..<valueEnd)
    }

    private func isBlank(_ index: Int) -> Bool { bytes[index] == 0x20 || bytes[index] == 0x09 }
}
