import CLinux
import Glibc

/// A socket address: IPv4, IPv6 or a UNIX path. Holds the kernel's own form.
public struct Address: Sendable, Hashable {
    private var storage: InlineArray<128, UInt8>
    private let length: Int

    /// AF_INET, AF_INET6 or AF_UNIX.
    public var family: Int32 {
        Int32(UInt16(storage[0]) | UInt16(storage[1]) << 8)
    }

    init?(_ pointer: UnsafePointer<sockaddr>?, _ length: socklen_t) {
        guard let pointer = unsafe pointer, length >= 2, length <= 128 else { return nil }
        storage = InlineArray(repeating: 0)
        self.length = Int(length)
        // Sound: the caller vouches for `length` bytes.
        let bytes = unsafe UnsafeRawBufferPointer(start: pointer, count: Int(length))
        for index in 0..<Int(length) { storage[index] = unsafe bytes[index] }
    }

    /// The numeric address `text`, such as `127.0.0.1` or `::1`.
    public init?(ip text: String, port: UInt16) {
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        // Sound: inet_pton writes the address of the family that is named.
        if unsafe inet_pton(AF_INET, text, &four.sin_addr) == 1 {
            let made = unsafe withUnsafePointer(to: &four) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Address($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard let made else { return nil }
            self = made
            return
        }
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        guard unsafe inet_pton(AF_INET6, text, &six.sin6_addr) == 1 else { return nil }
        let made = unsafe withUnsafePointer(to: &six) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Address($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        guard let made else { return nil }
        self = made
    }

    /// The bytes that a UNIX socket's path may have: the kernel's 108 with the NUL.
    public static let maximumPath = 107

    /// A UNIX socket's path, at most ``maximumPath`` bytes.
    public init?(path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= Address.maximumPath, !bytes.contains(0) else {
            return nil
        }
        storage = InlineArray(repeating: 0)
        storage[0] = UInt8(AF_UNIX)
        for (index, byte) in bytes.enumerated() { storage[index + 2] = byte }
        length = bytes.count + 3
    }

    /// The port; 0 for a UNIX path.
    public var port: UInt16 {
        family == AF_UNIX ? 0 : UInt16(storage[2]) << 8 | UInt16(storage[3])
    }

    /// The same address with another port.
    func withPort(_ port: UInt16) -> Address {
        var other = self
        guard family != AF_UNIX else { return other }
        other.storage[2] = UInt8(port >> 8)
        other.storage[3] = UInt8(port & 0xFF)
        return other
    }

    /// `0.0.0.0` with the same port, where this is `::`; else nil.
    var everywhereInIPv4: Address? {
        guard family == AF_INET6, (8..<24).allSatisfy({ storage[$0] == 0 }) else { return nil }
        return Address(ip: "0.0.0.0", port: port)
    }

    /// For logs: the numeric address without port, or `unix`.
    public var host: String { ip ?? "unix" }

    /// The numeric address without port; nil for a peer that has none, which is one of a UNIX
    /// socket.
    public var ip: String? {
        guard family != AF_UNIX else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let offset = family == AF_INET ? 4 : 8
        let copy = bytes
        // Sound: inet_ntop reads 4 or 16 bytes at the offset and writes at most `text.count`.
        let written = unsafe copy.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return false }
            return unsafe inet_ntop(family, base + offset, &text, socklen_t(text.count)) != nil
        }
        guard written else { return nil }
        let host = String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isMapped = host.hasPrefix("::ffff:") && host.contains(".")
        return isMapped ? String(host.dropFirst(7)) : host
    }

    /// Whether it stands for every address of a machine.
    public var isEverywhere: Bool { ip == "0.0.0.0" || ip == "::" }

    /// 127.0.0.0/8 or `::1`.
    public var isLoopback: Bool { ip.map { $0 == "::1" || $0.hasPrefix("127.") } ?? false }

    /// The path of a UNIX socket; nil for what has none, as nearly every client of one.
    public var path: String? {
        guard family == AF_UNIX, length > 2, storage[2] != 0 else { return nil }
        return String(decoding: bytes[2..<length].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// `127.0.0.1:8443`, `[::1]:8443`, `unix:/run/hub.sock`.
    public var description: String {
        if family == AF_UNIX { return path.map { "unix:\($0)" } ?? "unix" }
        let host = host
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private var bytes: [UInt8] { (0..<128).map { storage[$0] } }

    /// Lends the kernel's form to a system call.
    func withSockaddr<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        let copy = bytes
        // Sound: 128 bytes, enough for every family here, aligned by the allocation.
        return try unsafe copy.withUnsafeBytes { raw in
            let base = unsafe raw.baseAddress.unsafelyUnwrapped
            let pointer = unsafe base.assumingMemoryBound(to: sockaddr.self)
            return try unsafe body(pointer, socklen_t(length))
        }
    }

    public static func == (left: Address, right: Address) -> Bool {
        left.length == right.length && left.bytes == right.bytes
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
