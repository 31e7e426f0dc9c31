/// URLs in texts that people read.
public enum URLText {
    /// The text without what stands before the host of its URLs: `http://…@host` for
    /// `http://user:password@host`.
    ///
    /// A password may hold what ends a host, so that everything up to the last `@` is left out.
    public static func withoutUserInformation(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(at) else { return text }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index...].starts(with: separator) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result += separator
            index += separator.count
            let rest = bytes[index...].prefix { $0 > 0x20 }
            guard let end = rest.lastIndex(of: at) else { continue }
            result += Array("…".utf8)
            index = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let separator = Array("://".utf8)
    private static let at = UInt8(ascii: "@")
}
