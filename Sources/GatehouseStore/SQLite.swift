import CSQLite
import GatehouseBase
import Glibc

/// One connection to one database file; closed when the last statement is gone. SQLite's C
/// interface occurs in this file alone.
@safe final class SQLite {
    private let handle: OpaquePointer
    /// Given up after the connection is closed, never before.
    private let lock: FileLock

    /// Opens a file that is there.
    ///
    /// - Parameter patience: how long a call waits for a lock of SQLite's own (an operator's
    ///   `sqlite3` reads the file, say) before it fails as busy.
    init(_ path: String, lock: FileLock, patience: Duration) throws(StoreError) {
        var opened: OpaquePointer?
        errno = 0
        // Sound: SQLite reads the path as a C string, and fills in the handle.
        let code = unsafe sqlite3_open_v2(
            path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened = unsafe opened else {
            // Sound: a handle is made even for most failures, and is read before it is freed.
            defer { unsafe sqlite3_close(opened) }
            throw unsafe SQLite.failure(code, opened)
        }
        unsafe handle = opened
        self.lock = lock
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, Int32(clamping: patience.milliseconds))
    }

    // Sound: each statement keeps this object, so that none is left.
    deinit { unsafe sqlite3_close(handle) }

    /// Whether a transaction is open: some errors end it, some leave it.
    var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

    /// Whether the file may only be read.
    var isReadOnly: Bool { unsafe sqlite3_db_readonly(handle, nil) == 1 }

    /// Whether closing leaves the file and its log as they are.
    func keepLogAtClose(_ keep: Bool) {
        _ = unsafe gh_sqlite3_keep_log_at_close(handle, keep ? 1 : 0)
    }

    /// Runs statements that have no parameters.
    func execute(_ text: String) throws(StoreError) {
        errno = 0
        let code = unsafe sqlite3_exec(handle, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// The first column of the first row of the answer; an empty text for an answer without one.
    func value(_ text: String) throws(StoreError) -> String {
        try Statement(text, in: self).value()
    }

    /// Has the kernel write the log to the disk. What was committed is then safe from a power cut.
    func syncLog() throws(StoreError) {
        var log: UnsafeMutablePointer<sqlite3_file>?
        // Sound: answered with a pointer to the log's file, which lives as long as the connection.
        unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_JOURNAL_POINTER, &log)
        guard let sync = unsafe log?.pointee.pMethods?.pointee.xSync else { return }
        let code = unsafe sync(log, SQLITE_SYNC_NORMAL)
        guard code == SQLITE_OK else {
            throw StoreError(code, systemError: errno, "its log cannot be written to the disk")
        }
    }

    fileprivate func failure(_ code: Int32) -> StoreError { unsafe SQLite.failure(code, handle) }

    private static func failure(_ code: Int32, _ handle: OpaquePointer?) -> StoreError {
        // SQLite does not keep the system's error of a commit that failed; nothing came after it.
        let systemError = errno
        // Sound: the text is copied before SQLite is called again.
        return unsafe StoreError(
            code, systemError: systemError, String(cString: sqlite3_errmsg(handle)))
    }
}

extension StoreError {
    fileprivate init(_ code: Int32, systemError: Int32, _ text: String) {
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED: self = .locked
        case SQLITE_CORRUPT, SQLITE_NOTADB: self = .damaged(text)
        case SQLITE_FULL: self = .full
        case SQLITE_IOERR where [ENOSPC, EDQUOT, EFBIG].contains(systemError): self = .full
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            // Sound: strerror's text is copied at once.
            self = .io("\(text): \(unsafe String(cString: strerror(systemError)))")
        default: self = .io(text)
        }
    }
}

extension SQLite {
    /// One prepared statement, to be run many times. Its parameters, as far as it has them, are
    /// a number, a key and a value, in this order.
    @safe final class Statement {
        private let database: SQLite
        private let handle: OpaquePointer
        private let parameters: Int32

        init(_ text: String, in database: SQLite) throws(StoreError) {
            var prepared: OpaquePointer?
            // Sound: SQLite reads the text as a C string, and fills in the handle.
            let code = unsafe sqlite3_prepare_v3(
                database.handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            guard code == SQLITE_OK, let prepared = unsafe prepared else {
                throw database.failure(code)
            }
            self.database = database
            unsafe handle = prepared
            unsafe parameters = sqlite3_bind_parameter_count(prepared)
        }

        deinit { unsafe sqlite3_finalize(handle) }

        /// Runs it, its rows left unread.
        func run(_ number: UInt8 = 0, _ key: [UInt8] = [], _ value: [UInt8] = []) throws(StoreError)
        {
            try bound(number, key, value) { () throws(StoreError) in
                while try isAtRow() {}
            }
        }

        /// The first two columns of each row.
        func rows(_ number: UInt8, from key: [UInt8]) throws(StoreError) -> [([UInt8], [UInt8])] {
            var rows: [([UInt8], [UInt8])] = []
            try bound(number, key, []) { () throws(StoreError) in
                while try isAtRow() { rows.append((column(0), column(1))) }
            }
            return rows
        }

        /// The first column of the first row.
        func value() throws(StoreError) -> String {
            // Sound: finalised before anything else is done with it.
            defer { unsafe sqlite3_reset(handle) }
            return try isAtRow() ? String(decoding: column(0), as: UTF8.self) : ""
        }

        private func isAtRow() throws(StoreError) -> Bool {
            errno = 0
            let code = unsafe sqlite3_step(handle)
            guard code != SQLITE_ROW else { return true }
            guard code == SQLITE_DONE else { throw database.failure(code) }
            return false
        }

        /// Runs `body` with the parameters in place.
        private func bound(
            _ number: UInt8, _ key: [UInt8], _ value: [UInt8], _ body: () throws(StoreError) -> Void
        ) throws(StoreError) {
            // Sound: SQLite reads the bytes where they are, and no longer after the reset.
            unsafe try key.withUnsafeBufferPointer { key throws(StoreError) in
                unsafe try value.withUnsafeBufferPointer { value throws(StoreError) in
                    defer { unsafe sqlite3_reset(handle) }
                    if parameters > 0 { unsafe sqlite3_bind_int(handle, 1, Int32(number)) }
                    if parameters > 1 { unsafe try bind(key, 2) }
                    if parameters > 2 { unsafe try bind(value, 3) }
                    try body()
                }
            }
        }

        private func bind(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int32) throws(StoreError) {
            // No bytes may have no address, which SQLite takes for NULL.
            let code =
                if bytes.isEmpty { unsafe sqlite3_bind_zeroblob(handle, index, 0) } else {
                    unsafe sqlite3_bind_blob64(
                        handle, index, bytes.baseAddress, UInt64(bytes.count), nil)
                }
            guard code == SQLITE_OK else { throw database.failure(code) }
        }

        private func column(_ index: Int32) -> [UInt8] {
            // Sound: the pointer is good until the next step, the bytes are copied here.
            let start = unsafe sqlite3_column_blob(handle, index)
            let count = unsafe Int(sqlite3_column_bytes(handle, index))
            return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
        }
    }
}
