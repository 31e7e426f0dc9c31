import GatehouseBase
import GatehouseStore
import Glibc
import Synchronization
import Testing

/// A disk without room: what was committed is there, what was refused is not, and it goes on when
/// there is room again.
struct FullDiskTests {
    @Test func `a commit that finds no room is refused whole and the store stays usable`()
        async throws
    {
        let folder = try Folder()
        await #expect(processExitsWith: .success) { [file = folder.file as String] in
            // The limit of a process stands for the disk's: the kernel refuses to write beyond it.
            signal(SIGXFSZ, SIG_IGN)
            let store = try RecordStore.open(file, patience: .seconds(10))
            try limitFiles(1_000_000)
            let committed = await fill(store)
            #expect(committed > 10)
            #expect(try store.texts().count == committed)
            try limitFiles(nil)
            try await store.commit([put("room again", "1")], survives: .disk)
            #expect(try store.texts().count == committed + 1)
        }
        let store = try RecordStore.open(folder.file, patience: .seconds(10))
        #expect(store.damage == nil)
        let texts = try store.texts()
        #expect(texts["room again"] == "1")
        #expect(texts.count > 11)
        for (key, value) in texts where key != "room again" { #expect(value == filling) }
    }

    @Test func `a commit that finds no room takes none of its neighbours with it`() async throws {
        let folder = try Folder()
        await #expect(processExitsWith: .success) { [file = folder.file as String] in
            signal(SIGXFSZ, SIG_IGN)
            let store = try RecordStore.open(file, patience: .seconds(10))
            try limitFiles(1_000_000)
            let large = String(repeating: "x", count: 2_000_000)
            // Asked on the store's own thread, so that all three would share one transaction.
            let results = await withCheckedContinuation { continuation in
                store.commit([put("first", "1")]) { [store] _ in
                    let results = Locked<[Result<Void, StoreError>]>([])
                    for change in [put("before", "1"), put("large", large)] {
                        store.commit([change]) { result in results.withLock { $0.append(result) } }
                    }
                    store.commit([put("after", "1")]) { result in
                        continuation.resume(returning: results.withLock { $0 + [result] })
                    }
                }
            }
            #expect(results.map(error) == [nil, .full, nil])
            #expect(try store.texts() == ["first": "1", "before": "1", "after": "1"])
        }
    }

    @Test(.enabled(if: isAllowedToMount || isStrict, "only root can mount a small tmpfs"))
    func `a full tmpfs behaves so too`() async throws {
        let folder = try Folder()
        let disk = folder.path + "/disk"
        unsafe mkdir(disk, 0o700)
        try #require(unsafe mount("tmpfs", disk, "tmpfs", 0, "size=1m") == 0)
        defer { unsafe umount2(disk, Int32(MNT_DETACH)) }
        let store = try RecordStore.open(disk + "/state/records", patience: .seconds(10))
        try write([UInt8](repeating: 0, count: 300_000), to: disk + "/other")
        let committed = await fill(store)
        #expect(committed > 10)
        #expect(try store.texts().count == committed)
        unsafe unlink(disk + "/other")
        try await store.commit([put("room again", "1")], survives: .disk)
        await store.close()
        let again = try RecordStore.open(disk + "/state/records", patience: .seconds(10))
        #expect(again.damage == nil)
        #expect(try again.texts().count == committed + 1)
        // Not even room for a new store.
        await again.close()
        _ = await fill(try RecordStore.open(disk + "/state/records", patience: .seconds(10)))
        #expect(throws: StoreError.full) {
            try RecordStore.open(disk + "/state/more", patience: .seconds(10))
        }
    }

    private static let isStrict = ProcessEnvironment.variables["GATEHOUSE_CI"] == "1"
    private static let isAllowedToMount = geteuid() == 0
}

private let filling = String(repeating: "f", count: 4000)

/// Commits until there is no room left. Returns how many commits were acknowledged.
private func fill(_ store: RecordStore) async -> Int {
    for number in 0..<10_000 {
        do throws(StoreError) {
            try await store.commit([put("\(number)", filling)])
        } catch {
            #expect(error == .full, "\(error)")
            return number
        }
    }
    Issue.record("10,000 commits found room")
    return 0
}

/// Sets the size beyond which the process cannot write to any file.
private func limitFiles(_ size: UInt?) throws {
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = size ?? limit.rlim_max
    try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
}

private func error(_ result: Result<Void, StoreError>) -> StoreError? {
    guard case .failure(let error) = result else { return nil }
    return error
}
