import FoundationEssentials
import GatehouseBase
import GatehouseStore
import Testing

/// A folder of a test's own, removed with it.
final class Folder: Sendable {
    let path: String
    /// Where the test has its store: in a folder that is not there yet.
    var file: String { path + "/state/records" }

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/gatehouse-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The names of the store's files, sorted. A log that holds nothing is none.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/state").sorted().filter {
            guard $0.hasSuffix("-wal") else { return true }
            return try !bytes(of: path + "/state/" + $0).isEmpty
        }
    }

    /// Does to the store's files what kill -9 leaves: they are copied as they are just now.
    func copyAsKilled() throws -> Folder {
        let copy = try Folder()
        // Killed before it had made anything.
        guard FileManager.default.fileExists(atPath: path + "/state") else { return copy }
        try FileManager.default.copyItem(atPath: path + "/state", toPath: copy.path + "/state")
        return copy
    }
}

func bytes(of path: String) throws -> [UInt8] { try SecretFile.read(path, limit: 1 << 30) }

func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(filePath: path))
}

func mode(of path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

let table = RecordStore.Table(1)

func put(_ key: String, _ value: String) -> RecordStore.Change {
    .put(table, key: Array(key.utf8), value: Array(value.utf8))
}

func remove(_ key: String) -> RecordStore.Change { .remove(table, key: Array(key.utf8)) }

extension RecordStore {
    /// A table as text.
    func texts(in table: Table = table) throws(StoreError) -> [String: String] {
        var texts: [String: String] = [:]
        try forEach(in: table) { record in
            texts[String(decoding: record.key, as: UTF8.self)] =
                String(decoding: record.value, as: UTF8.self)
        }
        return texts
    }
}
