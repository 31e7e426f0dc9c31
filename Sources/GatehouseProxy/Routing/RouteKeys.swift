public import GatehouseBase

/// The keys of a ``RouteTable``, numbered from 0 on without gaps: a removal gives its number to
/// the last one.
///
///     slots    tag, number of an entry + 1; 0: empty     open addressing, at most half in use
///     entries  hash, start, length                       by number
///     bytes    grafana.example.org/a /user/alice …       host and path of each, in any order
///
/// A look-up walks the path once, takes its hash at each end of a segment where a route of that
/// depth exists, and compares the bytes of what it finds. A removal shifts the slots behind it
/// back, and leaves none that only marks a place. An entry is 12 bytes, its slots 8 to 16 (each
/// twice that right after the table has grown).
@usableFromInline
struct RouteKeys: Sendable {
    private struct Entry: Sendable {
        let hash: UInt32
        var start: UInt32
        let length: UInt32
    }

    /// How many routes have so many segments.
    private struct Level: Sendable {
        var ofHosts = 0
        var ofAny = 0
    }

    /// What identifies a route.
    private struct Key {
        /// Lower case; empty: any host.
        let host: [UInt8]
        /// Empty, or `/` before each segment. The last segment is never empty.
        let path: [UInt8]
        let depth: Int
        let hash: UInt32
    }

    private static let slash = UInt8(ascii: "/")
    private static let fewestSlots = 16
    /// Bits of a slot that number an entry: 16 million routes.
    private static let numberBits: UInt32 = 24
    private static let numberMask: UInt32 = 1 << numberBits - 1

    private let readings: RoutingReadings
    private let emptyHash: RouteHash
    private var slots = [UInt32](repeating: 0, count: fewestSlots)
    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    private var unusedBytes = 0
    /// By number of segments, up to that of the deepest route.
    private var levels: [Level] = []
    private var routesOfHosts = 0

    init(_ readings: RoutingReadings, _ hash: RouteHash) {
        self.readings = readings
        emptyHash = hash
    }

    /// What the keys occupy, for tests.
    var footprint: Int {
        slots.capacity * MemoryLayout<UInt32>.stride
            + entries.capacity * MemoryLayout<Entry>.stride + bytes.capacity
            + levels.capacity * MemoryLayout<Level>.stride
    }

    // MARK: Changes

    /// - Returns: the number of the route, which is the count so far if it is new; nil if the host
    ///   is none.
    @usableFromInline
    mutating func insert(host: String?, prefix: String) -> Int? {
        guard let key = key(host, prefix) else { return nil }
        if let slot = slot(of: key.hash, key.host.span, key.path.span) {
            return number(at: slot)
        }
        precondition(entries.count < RouteKeys.numberMask, "more than 16 million routes")
        if (entries.count + 1) * 2 > slots.count { resize(to: slots.count * 2) }
        entries.append(
            Entry(
                hash: key.hash, start: UInt32(bytes.count),
                length: UInt32(key.host.count + key.path.count)))
        bytes.append(contentsOf: key.host)
        bytes.append(contentsOf: key.path)
        occupy(entries.count - 1)
        count(key, 1)
        return entries.count - 1
    }

    /// The number of the route of exactly this host and prefix.
    @usableFromInline
    func index(host: String?, prefix: String) -> Int? {
        guard let key = key(host, prefix) else { return nil }
        return slot(of: key.hash, key.host.span, key.path.span).map(number(at:))
    }

    /// - Returns: the number that the route had; the last route has it now.
    @usableFromInline
    mutating func remove(host: String?, prefix: String) -> Int? {
        guard let key = key(host, prefix),
            let slot = slot(of: key.hash, key.host.span, key.path.span)
        else { return nil }
        let number = number(at: slot)
        vacate(slot)
        count(key, -1)
        unusedBytes += Int(entries[number].length)
        let last = entries.removeLast()
        if number < entries.count {
            var moved = Int(last.hash) & (slots.count - 1)
            while self.number(at: moved) != entries.count { moved = next(moved) }
            slots[moved] = slots[moved] & ~RouteKeys.numberMask | UInt32(number + 1)
            entries[number] = last
        }
        entries.releaseUnused()
        if slots.count > RouteKeys.fewestSlots, entries.count * 8 < slots.count {
            resize(to: slots.count / 2)
        }
        if unusedBytes > 1024, unusedBytes * 2 > bytes.count { compact() }
        return number
    }

    /// - Returns: nil where there is a host, but no name in it.
    private func key(_ host: String?, _ prefix: String) -> Key? {
        var name: [UInt8] = []
        if let host {
            let written = Array(host.utf8)
            name = written.prefix(RouteKeys.lengthOfName(in: written.span)).map(ASCII.lowercased)
            if name.isEmpty { return nil }
        }
        var path = Array(prefix.utf8)
        while path.last == RouteKeys.slash { path.removeLast() }
        if let first = path.firstIndex(where: { $0 != RouteKeys.slash }), first != 1 {
            path.replaceSubrange(..<first, with: CollectionOfOne(RouteKeys.slash))
        }
        var hash = emptyHash
        var depth = 0
        for byte in path.dropFirst() {
            if byte == RouteKeys.slash {
                hash.endSegment()
                depth += 1
            } else {
                hash.append(byte)
            }
        }
        if !path.isEmpty {
            hash.endSegment()
            depth += 1
        }
        return Key(
            host: name, path: path, depth: depth, hash: hash.value(with: hostState(name.span)))
    }

    private mutating func count(_ key: Key, _ change: Int) {
        while levels.count <= key.depth { levels.append(Level()) }
        if key.host.isEmpty {
            levels[key.depth].ofAny += change
        } else {
            levels[key.depth].ofHosts += change
            routesOfHosts += change
        }
        while let last = levels.last, last.ofAny == 0, last.ofHosts == 0 { levels.removeLast() }
        levels.releaseUnused()
    }

    // MARK: Look-up

    /// Looks up as ``RouteTable/match(host:path:_:)`` does.
    /// - Returns: the number of the route.
    @usableFromInline
    func match(
        host: borrowing Span<UInt8>, path: borrowing Span<UInt8>, _ reading: PathReading
    ) -> RouteMatch<Int> {
        switch reading {
        case .invalid: return .none
        case .plain: return find(host, path)
        case .special: break
        }
        guard readings == .mustAgree else { return find(host, PathReading.routed(path).span) }
        var agreed: RouteMatch<Int>?
        for segments in PathReading.readings(of: path) {
            // No route has a slash in a segment.
            let found = find(host, segments.joinedPath().span)
            if let agreed, agreed != found { return .disagreeing }
            agreed = found
        }
        return agreed ?? .none
    }

    /// - Parameter path: each `/` begins a segment, which may be empty.
    private func find(
        _ host: borrowing Span<UInt8>, _ path: borrowing Span<UInt8>
    ) -> RouteMatch<Int> {
        let name = host.extracting(
            first: routesOfHosts > 0 ? RouteKeys.lengthOfName(in: host) : 0)
        let hostState = hostState(name)
        var ofHost: Int?
        var ofAny: Int?
        var hash = emptyHash
        var depth = 0
        var index = 0
        var isEmpty = false
        while depth < levels.count {
            if !isEmpty {
                let prefix = path.extracting(first: index)
                if !name.isEmpty, levels[depth].ofHosts > 0,
                    let slot = slot(of: hash.value(with: hostState), name, prefix)
                {
                    ofHost = number(at: slot)
                }
                if ofHost == nil, levels[depth].ofAny > 0,
                    let slot = slot(of: hash.value(with: 0), Span(), prefix)
                {
                    ofAny = number(at: slot)
                }
            }
            guard index < path.count else { break }
            index += 1
            let start = index
            while index < path.count, path[index] != RouteKeys.slash {
                hash.append(path[index])
                index += 1
            }
            hash.endSegment()
            isEmpty = index == start
            depth += 1
        }
        return (ofHost ?? ofAny).map { .route($0) } ?? .none
    }

    /// The length of the name in a Host: without port and trailing dot. An IPv6 address keeps its
    /// brackets. 0 for what is no host, because the bytes of a key must not be read in two ways.
    private static func lengthOfName(in host: borrowing Span<UInt8>) -> Int {
        var count = 0
        var isBracketed = false
        while count < host.count {
            let byte = host[count]
            if byte == slash { return 0 }
            if byte == UInt8(ascii: "[") { isBracketed = true }
            if byte == UInt8(ascii: "]") { isBracketed = false }
            if byte == UInt8(ascii: ":"), !isBracketed { break }
            count += 1
        }
        return count > 0 && host[count - 1] == UInt8(ascii: ".") ? count - 1 : count
    }

    private func hostState(_ name: borrowing Span<UInt8>) -> UInt64 {
        guard !name.isEmpty else { return 0 }
        var hash = emptyHash
        for index in name.indices { hash.append(ASCII.lowercased(name[index])) }
        hash.endSegment()
        return hash.state
    }

    // MARK: Slots

    private func number(at slot: Int) -> Int {
        Int(slots[slot] & RouteKeys.numberMask) - 1
    }

    private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }

    /// The slot of a key, of which the hash only says where to look.
    private func slot(
        of hash: UInt32, _ host: borrowing Span<UInt8>, _ path: borrowing Span<UInt8>
    ) -> Int? {
        let tag = hash & ~RouteKeys.numberMask
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] & ~RouteKeys.numberMask == tag,
                isKey(entries[number(at: slot)], host, path)
            {
                return slot
            }
            slot = next(slot)
        }
        return nil
    }

    private func isKey(
        _ entry: Entry, _ host: borrowing Span<UInt8>, _ path: borrowing Span<UInt8>
    ) -> Bool {
        guard Int(entry.length) == host.count + path.count else { return false }
        let start = Int(entry.start)
        let key = bytes.span.extracting(start..<start + Int(entry.length))
        for index in host.indices where ASCII.lowercased(host[index]) != key[index] {
            return false
        }
        return key.extracting(droppingFirst: host.count).equals(path)
    }

    private mutating func occupy(_ number: Int) {
        let hash = entries[number].hash
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = next(slot) }
        slots[slot] = hash & ~RouteKeys.numberMask | UInt32(number + 1)
    }

    /// Empties a slot; those behind it, up to the next gap, move up as far as they may.
    private mutating func vacate(_ slot: Int) {
        let mask = slots.count - 1
        var gap = slot
        var candidate = next(slot)
        while slots[candidate] != 0 {
            let home = Int(entries[number(at: candidate)].hash) & mask
            if (candidate - home) & mask >= (candidate - gap) & mask {
                slots[gap] = slots[candidate]
                gap = candidate
            }
            candidate = next(candidate)
        }
        slots[gap] = 0
    }

    private mutating func resize(to count: Int) {
        slots = [UInt32](repeating: 0, count: count)
        for number in entries.indices { occupy(number) }
    }

    /// Copies the bytes that are in use.
    private mutating func compact() {
        var used: [UInt8] = []
        used.reserveCapacity(bytes.count - unusedBytes)
        for number in entries.indices {
            let start = Int(entries[number].start)
            entries[number].start = UInt32(used.count)
            used.append(contentsOf: bytes[start..<start + Int(entries[number].length)])
        }
        bytes = used
        unusedBytes = 0
    }
}
