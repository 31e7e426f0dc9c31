import GatehouseBase

/// A secret that stands in a file, alone on one line.
enum SecretText {
    struct ReadError: Error {
        /// To stand after "which".
        let reason: String
        var isEmpty = false
    }

    static func read(
        _ file: String, with readFile: ConfigurationDecoder.FileReader
    ) throws(ReadError) -> Secret {
        var bytes: [UInt8]
        do {
            bytes = try readFile(file)
        } catch {
            throw ReadError(reason: "cannot be read: \(error)")
        }
        // Editors end a file with a line feed that is no part of the secret.
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ReadError(reason: "is empty", isEmpty: true) }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ReadError(reason: "holds more than one line of text")
        }
        return Secret(bytes)
    }
}
