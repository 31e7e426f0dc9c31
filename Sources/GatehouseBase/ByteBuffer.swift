import Glibc

/// Growable bytes with a read and a write position.
///
///     0 ≤ readIndex ≤ writeIndex ≤ capacity
///     ├── consumed ──┤── readable ──┤── writable ──┤
///
/// The storage is an array whose count is the capacity, so that it can come from a free list and
/// go back to it. Positions return to zero when everything has been read.
public struct ByteBuffer: ~Copyable {
    @usableFromInline var storage: [UInt8]
    @usableFromInline var readIndex = 0
    @usableFromInline var writeIndex = 0

    /// Holds nothing and has no memory.
    @inlinable
    public init() { storage = [] }

    /// Takes over the memory of `storage`; what stands in it is forgotten.
    @inlinable
    public init(adopting storage: consuming [UInt8]) { self.storage = storage }

    @inlinable public var count: Int { writeIndex - readIndex }
    @inlinable public var isEmpty: Bool { writeIndex == readIndex }
    @inlinable public var capacity: Int { storage.count }
    @inlinable public var writableCount: Int { storage.count - writeIndex }

    /// What can be read.
    @inlinable
    public var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(readIndex..<writeIndex) }
    }

    /// Lends what can be read: for buffers that are properties of classes, whose span may not
    /// leave the expression.
    @inlinable
    public func withReadable<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(readable)
    }

    /// Moves up to `count` readable bytes to memory that is not ours.
    /// - Returns: how many.
    public mutating func move(to target: UnsafeMutableRawPointer, count: Int) -> Int {
        let taken = min(count, self.count)
        let from = readIndex
        // Sound: the caller vouches for `count` bytes at the target.
        unsafe storage.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe target.copyMemory(from: base + from, byteCount: taken)
        }
        consume(taken)
        return taken
    }

    /// Forgets the first `count` readable bytes.
    @inlinable
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        readIndex += count
        if readIndex == writeIndex {
            readIndex = 0
            writeIndex = 0
        }
    }

    /// Forgets all readable bytes, keeps the memory.
    @inlinable
    public mutating func removeAll() {
        readIndex = 0
        writeIndex = 0
    }

    /// Gives the memory back; the buffer is empty afterwards.
    @inlinable
    public mutating func takeStorage() -> [UInt8] {
        readIndex = 0
        writeIndex = 0
        var taken: [UInt8] = []
        swap(&taken, &storage)
        return taken
    }

    /// Makes room for `count` more bytes: moves what is readable to the front first, grows then.
    @inlinable
    public mutating func reserve(_ count: Int) {
        guard writableCount < count else { return }
        makeRoom(count)
    }

    @usableFromInline
    mutating func makeRoom(_ count: Int) {
        let (from, held) = (readIndex, self.count)
        guard storage.count - held >= count else {
            let size = max(storage.count * 2, held + count, 512)
            var grown = ByteBuffer(adopting: ByteBuffer.zeros(size))
            grown.append(readable)
            self = grown
            return
        }
        // Sound: both ranges lie within the storage; copyMemory allows overlap.
        unsafe storage.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe base.copyMemory(from: base + from, byteCount: held)
        }
        readIndex = 0
        writeIndex = held
    }

    /// Memory for a buffer: `count` zeros, written in one go.
    public static func zeros(_ count: Int) -> [UInt8] {
        // Sound: all `count` bytes are written before they are declared to be there.
        unsafe [UInt8](unsafeUninitializedCapacity: count) { memory, initialized in
            if let base = memory.baseAddress { unsafe _ = memset(base, 0, count) }
            initialized = count
        }
    }

    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        storage[writeIndex] = byte
        writeIndex += 1
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        let count = bytes.count
        guard count > 0 else { return }
        reserve(count)
        let at = writeIndex
        // Sound: `reserve` made room for `count` bytes at `at`; the source cannot overlap.
        unsafe bytes.withUnsafeBytes { source in
            unsafe storage.withUnsafeMutableBytes { target in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                unsafe (to + at).copyMemory(from: from, byteCount: count)
            }
        }
        writeIndex += count
    }

    /// Appends what `other` has to read.
    @inlinable
    public mutating func append(contentsOf other: borrowing ByteBuffer) {
        append(other.readable)
    }

    /// Appends a copy of memory that is not ours.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress else { return }
        let count = bytes.count
        reserve(count)
        let at = writeIndex
        // Sound: `reserve` made room; the caller vouches for the source.
        unsafe storage.withUnsafeMutableBytes { target in
            guard let to = target.baseAddress else { return }
            unsafe (to + at).copyMemory(from: from, byteCount: count)
        }
        writeIndex += count
    }

    @inlinable
    public mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

    /// Appends `name: value` and CRLF, with one look at the room for all four.
    public mutating func appendLine(
        _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>
    ) {
        let (nameCount, valueCount) = (name.count, value.count)
        reserve(nameCount + valueCount + 4)
        let at = writeIndex
        // Sound: `reserve` made room for all that is written; the sources cannot overlap it.
        unsafe storage.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var to = unsafe base + at
            unsafe name.withUnsafeBytes { source in
                guard let from = source.baseAddress else { return }
                unsafe to.copyMemory(from: from, byteCount: nameCount)
            }
            unsafe to += nameCount
            unsafe to.storeBytes(of: 0x3A, as: UInt8.self)
            unsafe to.storeBytes(of: 0x20, toByteOffset: 1, as: UInt8.self)
            unsafe to += 2
            unsafe value.withUnsafeBytes { source in
                guard let from = source.baseAddress else { return }
                unsafe to.copyMemory(from: from, byteCount: valueCount)
            }
            unsafe to += valueCount
            unsafe to.storeBytes(of: 0x0D, as: UInt8.self)
            unsafe to.storeBytes(of: 0x0A, toByteOffset: 1, as: UInt8.self)
        }
        writeIndex = at + nameCount + valueCount + 4
    }

    @inlinable
    public mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        reserve(count)
        let at = writeIndex
        // Sound: as above; a static string lives as long as the program.
        unsafe storage.withUnsafeMutableBytes { target in
            guard let to = target.baseAddress else { return }
            unsafe (to + at).copyMemory(from: text.utf8Start, byteCount: count)
        }
        writeIndex += count
    }

    /// Appends a number in decimal digits.
    public mutating func append(decimal number: Int) {
        precondition(number >= 0)
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var rest = number
        var index = 20
        repeat {
            index -= 1
            digits[index] = UInt8(rest % 10) + 0x30
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(index..<20))
    }

    /// Appends a number in lower-case hexadecimal digits (chunk sizes).
    public mutating func append(hexadecimal number: Int) {
        precondition(number >= 0)
        var digits: InlineArray<16, UInt8> = .init(repeating: 0)
        var rest = number
        var index = 16
        repeat {
            index -= 1
            let digit = UInt8(rest & 15)
            digits[index] = digit < 10 ? digit + 0x30 : digit + 0x57
            rest >>= 4
        } while rest > 0
        append(digits.span.extracting(index..<16))
    }

    /// Appends all 16 hexadecimal digits of a number.
    public mutating func append(hexadecimal16 number: UInt64) {
        var digits: InlineArray<16, UInt8> = .init(repeating: 0)
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - index * 4)) & 15
            digits[index] = digit < 10 ? digit + 0x30 : digit + 0x57
        }
        append(digits.span)
    }

    /// Lets `fill` write into the free room; it returns how many bytes it wrote, or a negative
    /// number, which is passed on and changes nothing.
    @inlinable
    public mutating func write<Result: FixedWidthInteger & SignedInteger>(
        _ fill: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        let at = writeIndex
        // Sound: the pointer covers the free room only and does not leave the closure.
        let written = unsafe storage.withUnsafeMutableBytes { bytes in
            unsafe fill(UnsafeMutableRawBufferPointer(rebasing: bytes[at...]))
        }
        if written > 0 {
            precondition(Int(written) <= storage.count - at)
            writeIndex += Int(written)
        }
        return written
    }
}
