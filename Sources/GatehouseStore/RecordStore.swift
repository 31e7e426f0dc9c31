public import GatehouseBase
import Synchronization

/// A durable map of small records by table and key. What they mean is the business of others.
///
/// One thread of its own writes them to one SQLite file. Changes that arrive while a commit runs
/// share the next one, in the order in which they came, so that many writers cost little more than
/// one. What is committed survives the end of the process, however it comes; what is flushed
/// survives a power cut (docs/decisions/0013). The file and what SQLite keeps beside it are for
/// their owner alone, and no other process can open them meanwhile.
///
/// What waits for its commit has no bound: who writes much waits for the answers. A store that is
/// dropped in place of closed waits for the disk in whichever thread drops it.
public final class RecordStore: Sendable {
    /// One of 256 maps that share the file.
    public struct Table: Sendable, Hashable {
        /// What stands in the file: never give a number a second meaning.
        public let number: UInt8

        public init(_ number: UInt8) { self.number = number }
    }

    /// Bytes of the caller's under a key of the caller's.
    public struct Record: Sendable, Hashable {
        public let key: [UInt8]
        public let value: [UInt8]
    }

    /// What a commit consists of.
    public enum Change: Sendable, Hashable {
        /// Adds a record, or takes the place of the one with this key.
        case put(Table, key: [UInt8], value: [UInt8])
        /// Removes a record, if there is one.
        case remove(Table, key: [UInt8])
        /// Removes all records of a table.
        case removeAll(Table)
    }

    /// What a commit has survived when it is acknowledged.
    public enum Durability: Sendable {
        /// The end of the process, by kill -9 too. Costs a few system calls.
        case process
        /// A power cut. Waits for the disk.
        case disk
    }

    /// A file that could not be read when the store was opened. A new one has begun in its place.
    public struct Damage: Sendable, CustomStringConvertible {
        /// Where it is now, unchanged.
        public let file: String
        /// What is wrong with it.
        public let reason: String

        public var description: String {
            "\(reason); it is kept unchanged as \(file), and a new one begins empty. What is still "
                + "in it can be read by: sqlite3 \(file) .recover. Remove it when nobody needs it"
        }
    }

    private struct Request: Sendable {
        let changes: [Change]
        let durability: Durability
        /// Keeps the store as well, until everything that it was asked is done.
        let completion: @Sendable (Result<Void, StoreError>) -> Void
    }

    private struct Queue: Sendable {
        var requests: [Request] = []
        /// Nothing more is taken.
        var isClosing = false
        /// The thread has ended.
        var isClosed = false
        /// Who waits for the end of the store.
        var closing: [@Sendable () -> Void] = []
    }

    /// What was wrong with the file when it was opened, if anything: to be told to the operator.
    public let damage: Damage?

    /// The file and its log as they are known; the log begins with the first commit.
    private let marks: Locked<(file: StoreFile.Mark?, log: StoreFile.Mark?)>
    private let place: StoreFile
    private let queue = Locked(Queue())
    /// Nothing once the store is closed.
    private let file: Locked<RecordFile?>
    private let thread = StoreThread()

    private init(
        _ file: sending RecordFile, _ place: StoreFile, damage: Damage?
    ) throws(StoreError) {
        self.file = Locked(file)
        self.place = place
        marks = Locked((place.mark, nil))
        self.damage = damage
        try thread.start { [weak self] in self?.work() ?? false }
    }

    deinit { thread.wake() }

    /// Opens a file, or makes it, its directory too. Checks the whole file, and blocks meanwhile.
    ///
    /// A damaged file is renamed, and its place taken by a new one: see ``damage``.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for another process that has the file open.
    ///   - now: for the name of a damaged file.
    /// - Throws: `locked`, `newer`, `full`, `io`.
    public static func open(
        _ path: String, patience: Duration = .zero, now: Timestamp = .now()
    ) throws(StoreError) -> RecordStore {
        let deadline = Instant.now() + patience
        let place = StoreFile(path: path)
        try place.create()
        let lock = try FileLock(path + ".lock", until: deadline)
        do throws(StoreError) {
            guard !place.isLogAlone else { throw .damaged("all but its log is missing") }
            let patience = deadline.since(.now())
            return try RecordStore(
                RecordFile(place, lock: lock, patience: patience), place, damage: nil)
        } catch .damaged(let reason) {
            let damage = Damage(file: try place.setAside(now), reason: reason)
            try place.create()
            return try RecordStore(
                RecordFile(place, lock: lock, patience: .zero), place, damage: damage)
        }
    }

    /// Whether the file and its log are those that were opened. Where somebody has removed them or
    /// put others in their place commits go on, into what nobody will find again.
    public var isInPlace: Bool {
        marks.withLock { marks in
            if marks.log == nil { marks.log = place.logMark }
            return marks.file == place.mark && marks.log == place.logMark
        }
    }

    // MARK: Writing

    /// Commits all changes, in their order, or none; returns when they are as durable as was asked.
    ///
    /// - Throws: `full`, `io`, `damaged`, `closed`. If only the wait for the disk failed, the
    ///   changes are made, but may not survive a power cut.
    public func commit(
        _ changes: [Change], survives durability: Durability = .process
    ) async throws(StoreError) {
        let result = await withCheckedContinuation { continuation in
            commit(changes, survives: durability) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// As above; `completion` is called on the store's thread, once, and is to be short.
    public func commit(
        _ changes: [Change], survives durability: Durability = .process,
        completion: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        let request = Request(changes: changes, durability: durability) { result in
            completion(result)
            withExtendedLifetime(self) {}
        }
        let isTaken = queue.withLock { queue in
            if !queue.isClosing { queue.requests.append(request) }
            return !queue.isClosing
        }
        if isTaken { thread.wake() } else { completion(.failure(.closed)) }
    }

    /// Returns when everything that was committed before survives a power cut.
    ///
    /// - Throws: as ``commit(_:survives:)``.
    public func flush() async throws(StoreError) { try await commit([], survives: .disk) }

    /// Ends the store after what it was asked before: the log is folded into the file, which
    /// another process may then open.
    public func close() async {
        await withCheckedContinuation { continuation in
            let isClosed = queue.withLock { queue in
                queue.isClosing = true
                if !queue.isClosed { queue.closing.append { continuation.resume() } }
                return queue.isClosed
            }
            if isClosed { continuation.resume() } else { thread.wake() }
        }
    }

    // MARK: Reading

    /// Calls `body` with each record of a table, in the order of the keys. For the start: it blocks
    /// the thread, and waits for a commit under way. Only a few records are in memory at a time.
    ///
    /// - Throws: `io`, `damaged`, `closed`.
    public func forEach(in table: Table, _ body: (Record) -> Void) throws(StoreError) {
        var key: [UInt8] = []
        while true {
            let records = try file.withLock { [key] file throws(StoreError) in
                guard let file else { throw .closed }
                return try file.records(in: table, from: key)
            }
            guard let last = records.last else { return }
            for record in records { body(record) }
            // The next key that there can be.
            key = last.key + [0]
        }
    }

    /// All records of a table, as ``forEach(in:_:)``.
    public func records(in table: Table) throws(StoreError) -> [Record] {
        var records: [Record] = []
        try forEach(in: table) { records.append($0) }
        return records
    }

    // MARK: On the store's thread

    /// Does what was asked. Returns false if that was the end.
    private func work() -> Bool {
        while true {
            let (requests, isClosing) = queue.withLock { queue in
                defer { queue.requests = [] }
                return (queue.requests, queue.isClosing)
            }
            for (request, result) in zip(requests, perform(requests)) { request.completion(result) }
            if isClosing {
                end()
                return false
            }
            if requests.isEmpty { return true }
        }
    }

    private func perform(_ requests: [Request]) -> [Result<Void, StoreError>] {
        guard !requests.isEmpty else { return [] }
        return file.withLock { file in
            guard let file else { return requests.map { _ in .failure(.closed) } }
            var results = RecordStore.apply(requests, to: file)
            guard requests.contains(where: { $0.durability == .disk }) else { return results }
            let flushed = Result { () throws(StoreError) in try file.flush() }
            for (index, request) in requests.enumerated() where request.durability == .disk {
                results[index] = results[index].flatMap { flushed }
            }
            return results
        }
    }

    /// One transaction for all; if it fails, one for each, so that nobody pays for what another
    /// has asked.
    private static func apply(
        _ requests: [Request], to file: RecordFile
    ) -> [Result<Void, StoreError>] {
        do throws(StoreError) {
            try file.apply(requests.lazy.flatMap(\.changes))
            return requests.map { _ in .success(()) }
        } catch {
            guard requests.count > 1 else { return [.failure(error)] }
            return requests.map { request in
                Result { () throws(StoreError) in try file.apply(request.changes) }
            }
        }
    }

    private func end() {
        file.withLock { $0 = nil }
        let closing = queue.withLock { queue in
            defer { queue.closing = [] }
            queue.isClosed = true
            return queue.closing
        }
        for resume in closing { resume() }
    }
}
