#if canImport(Glibc)
    import Glibc
#endif

/// Bytes that nobody may read by accident: keys, tokens, cookie values, passwords.
///
/// They print as `‹secret›` wherever Swift prints a value, compare in constant time and are
/// zeroed when the last copy goes. Copies share one storage.
public struct Secret: Sendable, Equatable {
    private let storage: Storage

    /// Takes a copy of `bytes`.
    public init(_ bytes: [UInt8]) { storage = Storage(copying: bytes) }

    /// Takes a copy of the UTF-8 of `text`.
    public init(_ text: String) { self.init(Array(text.utf8)) }

    /// `count` bytes of the system's random generator.
    public static func random(count: Int) -> Secret {
        var generator = SystemRandomNumberGenerator()
        return Secret((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The number of bytes, which is no secret.
    public var count: Int { storage.count }

    /// Lends the bytes to `body`, without a copy.
    public func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withBytes(body)
    }

    /// A copy that is a secret no more; for what must be written on the wire.
    public func reveal() -> [UInt8] {
        withBytes { span in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(span.count)
            for index in span.indices { bytes.append(span[index]) }
            return bytes
        }
    }

    /// As ``reveal()``, as text; what is not UTF-8 is replaced.
    public func revealText() -> String { String(decoding: reveal(), as: UTF8.self) }

    /// In constant time for secrets of equal length.
    public static func == (left: Secret, right: Secret) -> Bool {
        left.withBytes { one in right.withBytes { other in constantTimeEquals(one, other) } }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "‹secret›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Whether both hold the same bytes, in a time that depends on their lengths only.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    constantTimeEquals(left.span, right.span)
}

/// As ``constantTimeEquals(_:_:)-([UInt8],[UInt8])``.
public func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}

/// The one place where the bytes of a ``Secret`` are.
@safe private final class Storage: Sendable {
    // Sound: written in init only, freed in deinit only, so that any thread may read it meanwhile.
    private nonisolated(unsafe) let bytes: UnsafeMutableBufferPointer<UInt8>

    var count: Int { unsafe bytes.count }

    init(copying source: [UInt8]) {
        // Sound: allocated for exactly as many bytes as are then written.
        unsafe bytes = .allocate(capacity: source.count)
        // Sound: see above.
        _ = unsafe bytes.initialize(from: source)
    }

    func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        // Sound: the span cannot leave `body`, and this object outlives the call.
        return try unsafe body(UnsafeBufferPointer(bytes).span)
    }

    deinit {
        // Sound: nobody else can reach the bytes now; explicit_bzero is not optimised away.
        if let address = unsafe bytes.baseAddress { unsafe explicit_bzero(address, bytes.count) }
        // Sound: allocated in init, freed once.
        unsafe bytes.deallocate()
    }
}
