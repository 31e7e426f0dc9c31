import Glibc

/// What a command says before it serves or in place of that: its reader may be slow, and is waited
/// for. What a loop says goes to a queue.
public enum StandardStream {
    /// Writes all of `bytes` to descriptor `file`; where nobody reads they are lost.
    public static func write(_ bytes: [UInt8], to file: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Sound: the kernel reads the bytes of the slice only.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                // Nobody reads: the line is lost, the service goes on.
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}
