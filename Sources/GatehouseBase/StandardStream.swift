import Glibc

/// What a command says before it serves or in place of that: its reader may be slow, and is waited
/// for. What a loop says goes to a queue.
public enum StandardStream {
    /// Opens what was closed of standard input, output and error on `/dev/null`, first of all:
    /// another file that got their number would be read or written for them.
    public static func open() {
        while true {
            // Sound: the kernel reads the path as a C string.
            let file = unsafe Glibc.open("/dev/null", O_RDWR)
            guard (0...STDERR_FILENO).contains(file) else {
                if file >= 0 { close(file) }
                return
            }
        }
    }

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
