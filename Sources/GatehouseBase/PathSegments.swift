/// The segments of one reading of a path. They stand one behind another in one piece of memory:
/// a path of thousands of segments costs no more to read than one of its length with few.
public struct PathSegments: RandomAccessCollection, Sendable, Equatable {
    private var bytes: [UInt8] = []
    /// Where each ends in ``bytes``.
    private var ends: [Int] = []

    init(reserving count: Int) { bytes.reserveCapacity(count) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { ends.count }

    /// The bytes of a segment, where they stand.
    public subscript(place: Int) -> ArraySlice<UInt8> {
        bytes[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
    }

    /// Whether the segment at `place` is `name`.
    public func has(_ name: [UInt8], at place: Int) -> Bool {
        guard place >= 0, place < ends.count else { return false }
        let start = place == 0 ? 0 : ends[place - 1]
        return ends[place] - start == name.count && bytes.span.holds(name.span, at: start)
    }

    /// `/` before each segment, up to the first that holds one itself.
    public func joinedPath() -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var path: [UInt8] = []
        path.reserveCapacity(bytes.count + ends.count)
        for segment in self {
            if segment.contains(slash) { return path }
            path.append(slash)
            path.append(contentsOf: segment)
        }
        return path
    }

    // MARK: Reading

    /// The bytes of the segment that has not ended yet.
    var openCount: Int { bytes.count - (ends.last ?? 0) }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func endSegment() { ends.append(bytes.count) }

    /// Ends the segment unless it is empty or `.`; `..` takes the one before away.
    mutating func endResolvedSegment() {
        let dot = UInt8(ascii: ".")
        let count = openCount
        guard count <= 2, bytes.suffix(count).allSatisfy({ $0 == dot }) else {
            return endSegment()
        }
        if count == 2 { _ = ends.popLast() }
        bytes.removeLast(bytes.count - (ends.last ?? 0))
    }

    mutating func dropEmptyLast() {
        if let last = ends.last, last == (ends.dropLast().last ?? 0) { ends.removeLast() }
    }
}
