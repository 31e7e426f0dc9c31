import COpenSSL
import GatehouseBase

/// OpenSSL over a socket, by a BIO of our own: it reads as much ciphertext as there is with one
/// system call where OpenSSL asks for 5 bytes and then the rest, and it gathers the records of one
/// write. Between calls an idle stream holds no buffer.
@safe final class TLSStream {
    private let socket: Socket
    private let handle: OpaquePointer
    /// Keeps the certificates alive that the name callback looks at.
    private let owner: AnyObject
    /// Ciphertext that was read and not yet taken by OpenSSL.
    private var inbound = ByteBuffer()
    /// Ciphertext that the kernel did not take.
    private var outbound = ByteBuffer()
    /// Of ours no more than a write is ever left over; above that it is what OpenSSL answers by itself
    /// (KeyUpdate, RFC 8446 §4.6.3) to a peer that goes on asking and takes nothing.
    private static let maximumOutbound = 256 * 1024
    private var sawEnd = false
    private var socketFailure: StreamError?

    init?(_ handle: OpaquePointer?, socket: Socket, owner: AnyObject) {
        guard let handle = unsafe handle else { return nil }
        guard let bio = unsafe BIO_new(TLSStream.method.pointer) else {
            unsafe SSL_free(handle)
            return nil
        }
        unsafe self.handle = handle
        self.socket = socket
        self.owner = owner
        // Sound: the BIO lives as long as the handle, which lives as long as this object.
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        unsafe SSL_set_bio(handle, bio, bio)
    }

    deinit { unsafe SSL_free(handle) }

    var hasPendingInput: Bool {
        if !inbound.isEmpty { return true }
        return unsafe SSL_pending(handle) > 0
    }
    var hasPendingOutput: Bool { !outbound.isEmpty }
    var cipher: String? {
        guard let cipher = unsafe SSL_get_current_cipher(handle) else { return nil }
        // Sound: names are constants of OpenSSL.
        return unsafe String(cString: SSL_CIPHER_get_name(cipher))
    }
    var isHandshakeDone: Bool { unsafe SSL_is_init_finished(handle) == 1 }

    /// Drives the handshake as far as it goes.
    func handshake() throws(StreamError) -> ReadResult {
        guard try flush() else { return .wouldBlock }
        TLSError.forget()
        let result = unsafe SSL_do_handshake(handle)
        let error = result == 1 ? SSL_ERROR_NONE : unsafe SSL_get_error(handle, result)
        _ = try flush()
        releaseInbound()
        if result == 1 { return .bytes(0) }
        return try outcome(error)
    }

    func tryRead(_ buffer: inout ByteBuffer) throws(StreamError) -> ReadResult {
        var total = 0
        while buffer.writableCount > 0 {
            TLSError.forget()
            // Sound: OpenSSL writes at most the room that it is given.
            let count = unsafe buffer.write {
                unsafe SSL_read(handle, $0.baseAddress, Int32(clamping: $0.count))
            }
            if count > 0 {
                total += Int(count)
                if hasPendingInput { continue }
                break
            }
            let error = unsafe SSL_get_error(handle, count)
            if total > 0 { break }
            releaseInbound()
            // An alert goes out before its error is told.
            if !core.scratch.isEmpty { _ = try flush() }
            return try outcome(error)
        }
        releaseInbound()
        if !core.scratch.isEmpty { _ = try flush() }
        return .bytes(total)
    }

    func tryWrite(_ buffer: inout ByteBuffer) throws(StreamError) -> Bool {
        guard try flush() else { return false }
        while !buffer.isEmpty {
            while !buffer.isEmpty, core.scratch.count < 48 * 1024 {
                TLSError.forget()
                // Sound: OpenSSL reads the readable bytes only.
                let count = unsafe buffer.readable.withUnsafeBytes {
                    unsafe SSL_write(handle, $0.baseAddress, Int32(clamping: $0.count))
                }
                guard count > 0 else {
                    let error = unsafe SSL_get_error(handle, count)
                    _ = try flush()
                    _ = try outcome(error)
                    return false
                }
                buffer.consume(Int(count))
            }
            guard try flush() else { return false }
        }
        return true
    }

    /// Sends what is left of earlier writes and what this pass gathered.
    func flush() throws(StreamError) -> Bool {
        if !outbound.isEmpty {
            outbound.append(contentsOf: core.scratch)
            core.scratch.removeAll()
            guard outbound.count <= TLSStream.maximumOutbound else {
                throw .tls("the peer asks for more answers than it reads")
            }
            guard try socket.tryWrite(&outbound) else { return false }
            core.giveBack(outbound.takeStorage())
            return true
        }
        do throws(StreamError) {
            if try socket.tryWrite(&core.scratch) { return true }
        } catch {
            // All streams of the loop share it: what is left would go to the next one's peer.
            core.scratch.removeAll()
            throw error
        }
        outbound = ByteBuffer(adopting: core.takeBuffer())
        outbound.append(contentsOf: core.scratch)
        core.scratch.removeAll()
        return false
    }

    /// Says that we are done (close_notify), as far as the kernel takes it.
    func sayGoodbye() {
        guard isHandshakeDone, outbound.isEmpty else { return }
        TLSError.forget()
        unsafe SSL_shutdown(handle)
        TLSError.forget()
        _ = try? flush()
    }

    /// Gives buffers back; the stream is not used afterwards.
    func release() {
        inbound.removeAll()
        releaseInbound()
        if outbound.capacity > 0 { core.giveBack(outbound.takeStorage()) }
        core.scratch.removeAll()
    }

    private var core: LoopCore { socket.core }

    private func releaseInbound() {
        if inbound.isEmpty, inbound.capacity > 0 { core.giveBack(inbound.takeStorage()) }
    }

    private func outcome(_ error: Int32) throws(StreamError) -> ReadResult {
        if let socketFailure { throw socketFailure }
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .end
        default:
            // An end without close_notify is a cut connection, not the end of what was sent.
            if sawEnd { throw .closed }
            throw .tls(failureText())
        }
    }

    private func failureText() -> String {
        let verdict = unsafe SSL_get_verify_result(handle)
        let text = TLSError.takeText()
        guard verdict != X509_V_OK, let reason = unsafe X509_verify_cert_error_string(verdict)
        else { return text }
        // Sound: a static string of OpenSSL's.
        return unsafe "\(text): \(String(cString: reason))"
    }

    // MARK: The BIO

    private func read(into target: UnsafeMutablePointer<CChar>, _ count: Int32) -> Int32? {
        if inbound.isEmpty {
            if inbound.capacity == 0 { inbound = ByteBuffer(adopting: core.takeBuffer()) }
            do throws(StreamError) {
                switch try socket.tryRead(&inbound) {
                case .bytes: break
                case .wouldBlock: return nil
                case .end:
                    sawEnd = true
                    return 0
                }
            } catch {
                socketFailure = error
                return 0
            }
        }
        // Sound: OpenSSL gives room for `count` bytes.
        return unsafe Int32(inbound.move(to: UnsafeMutableRawPointer(target), count: Int(count)))
    }

    /// The methods of our BIO, made once.
    @safe private struct Method: Sendable {
        // Sound: written once, before any use.
        nonisolated(unsafe) let pointer: OpaquePointer?

        init() {
            let made = unsafe BIO_meth_new(
                BIO_get_new_index() | gh_BIO_TYPE_SOURCE_SINK(), "gatehouse socket")
            unsafe BIO_meth_set_read(made, TLSStream.bioRead)
            unsafe BIO_meth_set_write(made, TLSStream.bioWrite)
            unsafe BIO_meth_set_ctrl(made, TLSStream.bioControl)
            unsafe pointer = made
        }
    }

    private static let method = Method()

    private static func stream(of bio: OpaquePointer?) -> TLSStream? {
        // Sound: the data is the TLSStream that owns the BIO.
        guard let bio = unsafe bio, let data = unsafe BIO_get_data(bio) else { return nil }
        return unsafe Unmanaged<TLSStream>.fromOpaque(data).takeUnretainedValue()
    }

    private static let bioRead:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int32) -> Int32 = {
            bio, target, count in
            guard let stream = unsafe stream(of: bio), let target = unsafe target else { return -1 }
            unsafe gh_BIO_clear_retry_flags(bio)
            guard let taken = unsafe stream.read(into: target, count) else {
                unsafe gh_BIO_set_retry_read(bio)
                return -1
            }
            return taken
        }

    private static let bioWrite:
        @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int32) -> Int32 = {
            bio, source, count in
            guard let stream = unsafe stream(of: bio), let source = unsafe source else {
                return -1
            }
            unsafe gh_BIO_clear_retry_flags(bio)
            // Sound: OpenSSL hands over `count` bytes.
            let bytes = unsafe UnsafeRawBufferPointer(start: source, count: Int(count))
            unsafe stream.core.scratch.append(bytes)
            return count
        }

    private static let bioControl:
        @convention(c) (OpaquePointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int = {
            _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
}
