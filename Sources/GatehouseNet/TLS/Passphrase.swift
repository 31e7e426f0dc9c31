import COpenSSL
import GatehouseBase

/// What OpenSSL is told when it asks for the passphrase of a key: the one that is configured, or
/// that there is none. Without a callback it would ask on the terminal.
final class Passphrase {
    private let secret: Secret?
    private(set) var wasAsked = false

    init(_ secret: Secret?) { self.secret = secret }

    static let callback:
        @convention(c) (
            UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?
        ) -> Int32 = { buffer, size, _, argument in
            // Sound: the argument is nil or a Passphrase that outlives the call.
            guard let argument = unsafe argument, let buffer = unsafe buffer else { return -1 }
            let own = unsafe Unmanaged<Passphrase>.fromOpaque(argument).takeUnretainedValue()
            own.wasAsked = true
            guard let secret = own.secret, secret.count <= Int(size) else { return -1 }
            secret.withBytes { bytes in
                // Sound: OpenSSL gave room for `size` bytes.
                for index in bytes.indices {
                    unsafe buffer[index] = CChar(bitPattern: bytes[index])
                }
            }
            return Int32(secret.count)
        }
}
