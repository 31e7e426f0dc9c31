import GatehouseBase

/// The database file of a store: recognised and checked when it is opened, then read in pages and
/// written in transactions. For one thread at a time.
final class RecordFile {
    /// What the header of a store's file carries: "Gate".
    private static let application = 0x4761_7465
    private static let version = 1
    /// Pages of 4 KiB after which the log is folded into the file. This waits for the disk twice,
    /// and a page that was written many times is then written once.
    private static let logPages = 4000

    private let database: SQLite
    private let begin: SQLite.Statement
    private let commit: SQLite.Statement
    private let rollback: SQLite.Statement
    private let put: SQLite.Statement
    private let remove: SQLite.Statement
    private let removeAll: SQLite.Statement
    private let page: SQLite.Statement
    /// Whether the kernel failed to write the log. It says so once and forgets what it could not
    /// write, so that the next success would mean nothing.
    private var isLogDoubtful = false

    /// Opens a file that is there, and makes a store of an empty one. One that is `damaged` is left
    /// as it was.
    init(_ file: StoreFile, lock: FileLock, patience: Duration) throws(StoreError) {
        database = try SQLite(file.path, lock: lock, patience: patience)
        // Until it is known to be whole, nothing is written to it, when it is closed neither.
        database.keepLogAtClose(true)
        // Exclusive before the first look: the index of the log is then in our memory, where a full
        // disk cannot take it away. Synchronous as far as a power cut could damage the file.
        try database.execute(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=NORMAL;"
                + "PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;"
                + "PRAGMA wal_autocheckpoint=\(RecordFile.logPages);"
                + "PRAGMA journal_size_limit=\(RecordFile.logPages * 4096)")
        if try RecordFile.isEmpty(database) {
            try RecordFile.begin(database)
        } else {
            try RecordFile.check(database)
        }
        database.keepLogAtClose(false)
        begin = try SQLite.Statement("BEGIN IMMEDIATE", in: database)
        commit = try SQLite.Statement("COMMIT", in: database)
        rollback = try SQLite.Statement("ROLLBACK", in: database)
        put = try SQLite.Statement("REPLACE INTO record VALUES (?1, ?2, ?3)", in: database)
        remove = try SQLite.Statement(
            "DELETE FROM record WHERE kind = ?1 AND key = ?2", in: database)
        removeAll = try SQLite.Statement("DELETE FROM record WHERE kind = ?1", in: database)
        page = try SQLite.Statement(
            "SELECT key, value FROM record WHERE kind = ?1 AND key >= ?2 ORDER BY key LIMIT 256",
            in: database)
    }

    /// Some records of a table in the order of their keys, the first of them `key` or the next
    /// after it; none when there are no more.
    func records(
        in table: RecordStore.Table, from key: [UInt8]
    ) throws(StoreError) -> [RecordStore.Record] {
        try page.rows(table.number, from: key).map { RecordStore.Record(key: $0, value: $1) }
    }

    /// Commits all changes, in their order, or none.
    func apply(_ changes: some Sequence<RecordStore.Change>) throws(StoreError) {
        try begin.run()
        do {
            for change in changes {
                switch change {
                case .put(let table, let key, let value): try put.run(table.number, key, value)
                case .remove(let table, let key): try remove.run(table.number, key)
                case .removeAll(let table): try removeAll.run(table.number)
                }
            }
            try commit.run()
        } catch {
            if database.isInTransaction { try? rollback.run() }
            throw error
        }
    }

    /// Makes what is committed safe from a power cut.
    func flush() throws(StoreError) {
        do {
            // What is in the log is copied to the file, and that is written to the disk.
            if isLogDoubtful { try database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
            try database.syncLog()
            isLogDoubtful = false
        } catch {
            isLogDoubtful = true
            throw error
        }
    }

    // MARK: Opening

    /// Whether nobody has written anything to the file, or only we and not to the end.
    private static func isEmpty(_ database: SQLite) throws(StoreError) -> Bool {
        try database.value(
            """
            SELECT application_id = 0 AND user_version = 0 AND NOT EXISTS (SELECT * FROM sqlite_schema)
            FROM pragma_application_id, pragma_user_version
            """) == "1"
    }

    private static func begin(_ database: SQLite) throws(StoreError) {
        try useLog(database)
        try database.execute(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE record (
                kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                PRIMARY KEY (kind, key)) WITHOUT ROWID;
            PRAGMA application_id=\(application);
            PRAGMA user_version=\(version);
            COMMIT
            """)
    }

    private static func check(_ database: SQLite) throws(StoreError) {
        guard try database.value("PRAGMA application_id") == String(application) else {
            throw .damaged("it is a database of another program")
        }
        let found = Int(try database.value("PRAGMA user_version")) ?? 0
        guard found <= version else { throw .newer(version: found) }
        let verdict = try database.value("PRAGMA quick_check(1)")
        guard verdict == "ok" else { throw .damaged(verdict.replacing("\n", with: " ")) }
        guard try database.value("SELECT name FROM sqlite_schema WHERE name = 'record'") != ""
        else {
            throw .damaged("its table is missing")
        }
        try useLog(database)
    }

    private static func useLog(_ database: SQLite) throws(StoreError) {
        guard try database.value("PRAGMA journal_mode=WAL") == "wal", !database.isReadOnly else {
            throw .io("it may not be written to")
        }
    }
}
