import COpenSSL

/// OpenSSL's error queue as text.
enum TLSError {
    /// Empties the queue, as OpenSSL wants it before a call whose error is asked for. It is nearly
    /// always empty, and a look is cheaper.
    static func forget() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Takes the queue: the first reason, with where it came from; never data.
    static func takeText() -> String {
        var text = ""
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            var buffer = [CChar](repeating: 0, count: 256)
            // Sound: writes at most `buffer.count` bytes with the NUL.
            unsafe ERR_error_string_n(code, &buffer, buffer.count)
            let line = String(
                decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // `error:0A000086:SSL routines::certificate verify failed`: the last part says it.
            if text.isEmpty { text = line.split(separator: ":").last.map(String.init) ?? line }
        }
        return text.isEmpty ? "connection closed" : text
    }
}
