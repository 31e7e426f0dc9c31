import GatehouseStore
import Glibc
import Testing

/// The map itself: what is put into it, in which order, and who else may open it.
struct RecordStoreTests {
    let folder: Folder
    let store: RecordStore

    init() throws {
        folder = try Folder()
        store = try RecordStore.open(folder.file, patience: .seconds(10))
    }

    @Test func `what is committed is there when the store is opened again`() async throws {
        try await store.commit([put("/user/a", "one"), put("/user/b", "two")])
        #expect(try store.texts() == ["/user/a": "one", "/user/b": "two"])
        await store.close()
        let again = try RecordStore.open(folder.file, patience: .seconds(10))
        #expect(again.damage == nil)
        #expect(try again.texts() == ["/user/a": "one", "/user/b": "two"])
    }

    @Test func `the changes of a commit are made in their order`() async throws {
        try await store.commit([
            put("a", "1"), put("b", "1"), remove("b"), put("a", "2"), remove("c"),
        ])
        #expect(try store.texts() == ["a": "2"])
    }

    @Test func `commits are made in the order in which they were asked`() async throws {
        for number in 0..<1000 {
            store.commit([put("a", "\(number)"), put("n\(number % 7)", "\(number)")]) { _ in }
        }
        try await store.commit([])
        #expect(try store.texts()["a"] == "999")
        #expect(try store.texts()["n3"] == "997")
    }

    @Test func `tables do not see each other`() async throws {
        let other = RecordStore.Table(255)
        try await store.commit([put("a", "1"), .put(other, key: Array("a".utf8), value: [7])])
        try await store.commit([.removeAll(table), put("b", "2")])
        #expect(try store.texts() == ["b": "2"])
        #expect(try store.records(in: other).map(\.value) == [[7]])
        #expect(try store.records(in: RecordStore.Table(0)).isEmpty)
    }

    @Test func `keys and values are any bytes, of any length, also none`() async throws {
        let all = [UInt8](0...255)
        let large = [UInt8](repeating: 0xa5, count: 3_000_000)
        try await store.commit([
            .put(table, key: [], value: all), .put(table, key: all, value: []),
            .put(table, key: [0], value: large),
        ])
        let records = try store.records(in: table)
        #expect(records.map(\.key) == [[], [0], all])
        #expect(records.map(\.value) == [all, large, []])
    }

    @Test func `a large table is read whole and in the order of its keys`() async throws {
        let keys = (0..<1000).map { [UInt8($0 % 250), UInt8($0 / 250)] }
        try await store.commit(keys.map { .put(table, key: $0, value: $0) })
        // A key that is another's beginning, where a page of the reader ends.
        try await store.commit([.put(table, key: [63, 3, 0], value: [1])])
        var read: [[UInt8]] = []
        try store.forEach(in: table) { read.append($0.key) }
        let expected = (keys + [[63, 3, 0]]).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(read == expected)
    }

    @Test func `commits that arrive while one runs share the next one`() async throws {
        let before = try bytes(of: folder.file + "-wal").count
        await withCheckedContinuation { continuation in
            // Asked on the store's own thread, so that all are there before it looks again.
            store.commit([put("a", "1")]) { [store] _ in
                for number in 1..<500 { store.commit([put("a", "\(number)")]) { _ in } }
                store.commit([put("a", "last")]) { _ in continuation.resume() }
            }
        }
        #expect(try store.texts() == ["a": "last"])
        let pages = (try bytes(of: folder.file + "-wal").count - before) / 4096
        #expect(pages > 0 && pages < 10, "500 commits wrote \(pages) pages to the log")
    }

    @Test func `the log does not grow beyond its bound`() async throws {
        let value = [UInt8](repeating: 7, count: 10_000)
        for round in 0..<100 {
            try await store.commit(
                (0..<50).map { .put(table, key: [UInt8($0), UInt8(round)], value: value) })
        }
        #expect(try bytes(of: folder.file).count > 30_000_000)
        let log = try bytes(of: folder.file + "-wal").count
        #expect(log < 18_000_000, "50 MB were written, the log has \(log) bytes")
    }

    @Test func `after a commit larger than its bound the log shrinks again`() async throws {
        let value = [UInt8](repeating: 7, count: 10_000)
        try await store.commit(
            (0..<3000).map { .put(table, key: [UInt8($0 >> 8), UInt8($0 & 255)], value: value) })
        #expect(try bytes(of: folder.file + "-wal").count > 25_000_000)
        for number in 0..<2 { try await store.commit([put("a", "\(number)")]) }
        #expect(try bytes(of: folder.file + "-wal").count < 18_000_000)
    }

    @Test func `the directory and the files are for their owner alone`() async throws {
        try await store.commit([put("a", "1")])
        #expect(try mode(of: folder.path + "/state") == 0o700)
        #expect(try folder.names() == ["records", "records-wal", "records.lock"])
        for name in try folder.names() {
            #expect(try mode(of: folder.path + "/state/" + name) == 0o600, "\(name)")
        }
    }

    // MARK: The end

    @Test func `a closed store has done what it was asked and takes nothing more`() async throws {
        for number in 0..<300 { store.commit([put("a", "\(number)")]) { _ in } }
        await store.close()
        await store.close()
        await #expect(throws: StoreError.closed) { try await store.commit([put("a", "late")]) }
        await #expect(throws: StoreError.closed) { try await store.flush() }
        #expect(throws: StoreError.closed) { try store.texts() }
        #expect(try folder.names() == ["records", "records.lock"])
        #expect(try RecordStore.open(folder.file, patience: .seconds(10)).texts() == ["a": "299"])
    }

    @Test func `a store that nobody holds any more does what it was asked and lets go`()
        async throws
    {
        let file = folder.path + "/other"
        await withCheckedContinuation { continuation in
            do {
                let other = try RecordStore.open(file)
                for number in 0..<300 { other.commit([put("a", "\(number)")]) { _ in } }
                other.commit([put("a", "last")]) { _ in continuation.resume() }
            } catch {
                Issue.record(error)
                continuation.resume()
            }
        }
        let again = try RecordStore.open(file, patience: .seconds(10))
        #expect(try again.texts() == ["a": "last"])
    }

    // MARK: Who else may open it

    @Test func `a file that is open cannot be opened again before it is closed`() async throws {
        #expect(throws: StoreError.locked) { try RecordStore.open(folder.file) }
        try await store.commit([put("a", "1")])
        await store.close()
        #expect(try RecordStore.open(folder.file, patience: .seconds(10)).texts() == ["a": "1"])
    }

    @Test func `another process cannot open a file that is open`() async throws {
        try await store.commit([put("a", "1")])
        await #expect(processExitsWith: .exitCode(17)) { [file = folder.file as String] in
            do throws(StoreError) {
                _ = try RecordStore.open(file, patience: .milliseconds(100))
            } catch .locked {
                exit(17)
            }
        }
        try await store.commit([put("a", "2")])
        await store.close()
        await #expect(processExitsWith: .exitCode(18)) { [file = folder.file as String] in
            exit(try RecordStore.open(file).texts() == ["a": "2"] ? 18 : 19)
        }
    }

    // The sanitizers take all the addresses that this leaves none of.
    #if !ADDRESS_SANITIZER && !THREAD_SANITIZER
        @Test func `without a thread a store does not open, and can be opened later`() async throws
        {
            try await store.commit([put("a", "1")])
            await store.close()
            await #expect(processExitsWith: .success) { [file = folder.file as String] in
                // No room for the stack of a thread.
                let pages = try bytes(of: "/proc/self/statm").split(separator: 0x20).first ?? []
                let used = try #require(UInt(String(decoding: pages, as: UTF8.self))) * 4096
                let kind = __rlimit_resource_t(RLIMIT_AS.rawValue)
                var limit = rlimit()
                unsafe getrlimit(kind, &limit)
                limit.rlim_cur = used + 1_500_000
                try #require(unsafe setrlimit(kind, &limit) == 0)
                let failure = #expect(throws: StoreError.self) { try RecordStore.open(file) }
                limit.rlim_cur = limit.rlim_max
                try #require(unsafe setrlimit(kind, &limit) == 0)
                #expect(
                    failure == .io("there is no thread for it: Resource temporarily unavailable"))
                #expect(try RecordStore.open(file).texts() == ["a": "1"])
            }
        }
    #endif

    @Test func `who is patient opens the file when the other has closed it`() async throws {
        let (trying, begun) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: [String: String].self) { group in
            group.addTask { [folder] in
                begun.finish()
                return try RecordStore.open(folder.file, patience: .seconds(60)).texts()
            }
            for await _ in trying {}
            for _ in 0..<100 { try await store.commit([put("a", "1")]) }
            await store.close()
            #expect(try await group.next() == ["a": "1"])
        }
    }
}
