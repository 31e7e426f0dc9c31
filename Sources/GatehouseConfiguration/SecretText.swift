import GatehouseBase

/// A secret that stands in a file or in a variable, alone on one line.
enum SecretText {
    struct ReadError: Error {
        /// To stand after "which".
        let reason: String
        var isEmpty = false
    }

    static func read(
        _ file: String, with readFile: ConfigurationDecoder.FileReader
    ) throws(ReadError) -> Secret {
        let bytes: [UInt8]
        do {
            bytes = try readFile(file)
        } catch {
            throw ReadError(reason: "cannot be read: \(error)")
        }
        return try read(bytes)
    }

    /// The secret in what a file or a variable holds.
    static func read(_ text: [UInt8]) throws(ReadError) -> Secret {
        let bytes = withoutLineEnd(text)
        guard !bytes.isEmpty else { throw ReadError(reason: "is empty", isEmpty: true) }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ReadError(reason: "holds more than one line of text")
        }
        return Secret(bytes)
    }

    /// Editors, `echo` and the tools that make secrets of files end with a line feed that is no
    /// part of the secret.
    static func withoutLineEnd(_ text: [UInt8]) -> [UInt8] {
        var bytes = text
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }
}
