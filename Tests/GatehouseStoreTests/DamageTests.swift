import GatehouseBase
import GatehouseStore
import Testing

/// What is found when a file is opened: something that can be read to the last commit, or something
/// that is set aside as it is.
struct DamageTests {
    /// What happens to a file of 300 records, 15 pages of 4 KiB, whose log was folded into it.
    enum Harm: String, CaseIterable {
        case garbage, text, cutInHalf, cutToAHeader, aPageOfGarbage, aPageOfZeros, anotherProgram
        case anotherTable

        func done(to whole: [UInt8]) -> [UInt8] {
            var bytes = whole
            switch self {
            case .garbage:
                bytes = (0..<whole.count).map { UInt8(truncatingIfNeeded: $0 &* 167 >> 3) }
            case .text: bytes = Array("{}\\n".utf8)
            case .cutInHalf: bytes.removeSubrange((whole.count / 2)...)
            case .cutToAHeader: bytes.removeSubrange(100...)
            case .aPageOfGarbage:
                for index in 5 * 4096..<6 * 4096 {
                    bytes[index] = UInt8(truncatingIfNeeded: index &* 31)
                }
            case .aPageOfZeros:
                for index in 5 * 4096..<6 * 4096 { bytes[index] = 0 }
            case .anotherTable:
                let (name, other) = (Array("record".utf8), Array("recorx".utf8))
                for index in 0..<4096 where Array(bytes[index..<index + 6]) == name {
                    bytes.replaceSubrange(index..<index + 6, with: other)
                }
            // SQLite's documentation, "Application ID", at offset 68.
            case .anotherProgram: bytes.replaceSubrange(68..<72, with: [0x0f, 0x05, 0x51, 0x12])
            }
            return bytes
        }
    }

    static let now = Timestamp(seconds: 1_795_752_921)
    let folder: Folder
    let contents: [String: String]

    init() async throws {
        folder = try Folder()
        var contents: [String: String] = [:]
        for number in 0..<300 { contents["/user/\(number)"] = String(repeating: "v", count: 150) }
        let store = try RecordStore.open(folder.file, patience: .seconds(10))
        try await store.commit(contents.map { put($0, $1) })
        await store.close()
        self.contents = contents
    }

    @Test(arguments: Harm.allCases)
    func `a damaged file is set aside untouched and a new one begins`(harm: Harm) async throws {
        #expect(try RecordStore.open(folder.file, patience: .seconds(10)).texts() == contents)
        let harmed = harm.done(to: try bytes(of: folder.file))
        try write(harmed, to: folder.file)

        let store = try RecordStore.open(folder.file, patience: .seconds(10), now: Self.now)
        let damage = try #require(store.damage)
        #expect(damage.file == folder.file + ".damaged-20261127-041521")
        #expect(try bytes(of: damage.file) == harmed)
        #expect("\(damage)".contains("sqlite3 \(damage.file) .recover"))
        #expect(!"\(damage)".contains("\n"))
        #expect(try store.texts().isEmpty)
        try await store.commit([put("a", "1")], survives: .disk)
        await store.close()
        let again = try RecordStore.open(folder.file, patience: .seconds(10))
        #expect(again.damage == nil)
        #expect(try again.texts() == ["a": "1"])
        await again.close()
        #expect(
            try folder.names() == ["records", "records.damaged-20261127-041521", "records.lock"])
    }

    @Test func `what was set aside before is not overwritten`() async throws {
        for number in 1...3 {
            try write(Array("damage \(number)".utf8), to: folder.file)
            let store = try RecordStore.open(folder.file, patience: .seconds(10), now: Self.now)
            #expect(store.damage != nil)
            await store.close()
        }
        let names = ["", "-2", "-3"].map { "records.damaged-20261127-041521" + $0 }
        #expect(try folder.names() == ["records"] + names + ["records.lock"])
        for (number, name) in names.enumerated() {
            #expect(
                try bytes(of: folder.path + "/state/" + name) == Array("damage \(number + 1)".utf8))
        }
    }

    @Test(arguments: [0, 100, 4096 * 4])
    func `the log of a damaged file is kept with it, unchanged`(length: Int) async throws {
        let store = try RecordStore.open(folder.file, patience: .seconds(10))
        try await store.commit([put("a", "in the log")])
        let killed = try folder.copyAsKilled()
        let cut = Array(try bytes(of: killed.file).prefix(length))
        let log = try bytes(of: killed.file + "-wal")
        #expect(!log.isEmpty)
        try write(cut, to: killed.file)

        let new = try RecordStore.open(killed.file, patience: .seconds(10), now: Self.now)
        let damage = try #require(new.damage)
        #expect(try bytes(of: damage.file) == cut)
        #expect(try bytes(of: damage.file + "-wal") == log)
        try await new.commit([put("b", "1")])
        #expect(try new.texts() == ["b": "1"])
    }

    @Test func `a file whose process was killed is read to its last commit`() async throws {
        let store = try RecordStore.open(folder.file, patience: .seconds(10))
        try await store.commit([put("a", "in the log"), remove("/user/0")])
        let killed = try folder.copyAsKilled()
        let again = try RecordStore.open(killed.file, patience: .seconds(10))
        #expect(again.damage == nil)
        var expected = contents
        expected["a"] = "in the log"
        expected["/user/0"] = nil
        #expect(try again.texts() == expected)
    }

    @Test func `a commit that is not whole in the log is not there at all`() async throws {
        let store = try RecordStore.open(folder.file, patience: .seconds(10))
        try await store.commit([put("a", "1")])
        let first = try bytes(of: folder.file + "-wal").count
        try await store.commit((0..<300).map { put("/user/\($0)", "changed") } + [put("a", "2")])
        let log = try bytes(of: folder.file + "-wal")
        #expect(log.count > first + 8 * 4096)
        for length in [first + 1, first + 4096, (first + log.count) / 2, log.count - 1] {
            let killed = try folder.copyAsKilled()
            try write(Array(log.prefix(length)), to: killed.file + "-wal")
            let again = try RecordStore.open(killed.file, patience: .seconds(10))
            #expect(again.damage == nil)
            #expect(try again.texts() == contents.merging(["a": "1"]) { $1 }, "\(length) bytes")
        }
    }

    @Test func `a file of a newer release is refused and left as it is`() async throws {
        var bytes = try bytes(of: folder.file)
        // SQLite's documentation, "User version", at offset 60.
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 2])
        try write(bytes, to: folder.file)
        #expect(throws: StoreError.newer(version: 2)) {
            try RecordStore.open(folder.file, patience: .seconds(10))
        }
        #expect(try GatehouseStoreTests.bytes(of: folder.file) == bytes)
        #expect(try folder.names() == ["records", "records.lock"])
        bytes[63] = 1
        try write(bytes, to: folder.file)
        #expect(try RecordStore.open(folder.file, patience: .seconds(10)).texts() == contents)
    }

    @Test func `an empty file becomes a store`() async throws {
        try write([], to: folder.file)
        let store = try RecordStore.open(folder.file, patience: .seconds(10))
        #expect(store.damage == nil)
        try await store.commit([put("a", "1")])
        #expect(try store.texts() == ["a": "1"])
    }

    @Test func `what cannot be opened is an error and is left as it is`() async throws {
        for path in [folder.path + "/state", folder.file + "/records", folder.file + "/a/records"] {
            #expect {
                _ = try RecordStore.open(path, patience: .seconds(10))
            } throws: { error in
                guard case .io = error as? StoreError else { return false }
                return true
            }
        }
        #expect(try RecordStore.open(folder.file, patience: .seconds(10)).texts() == contents)
        #expect(try folder.names() == ["records", "records.lock"])
    }
}
