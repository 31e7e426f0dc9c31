import COpenSSL
import GatehouseNet
import GatehouseTesting
import Glibc
import Testing

/// A peer that asks for new keys (RFC 8446 §4.6.3) again and again, and reads none of the answers.
struct KeyUpdateFloodTests {
    /// Asks until the connection is cut.
    /// - Returns: whether it was.
    private static func flood(port: UInt16) -> Bool {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var room: Int32 = 4096
        // Sound: the kernel reads what it is given, of that size.
        unsafe setsockopt(file, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(
            file, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        // Sound: handles of OpenSSL's, used by this function alone and freed at its end.
        let context = unsafe SSL_CTX_new(TLS_client_method())
        defer { unsafe SSL_CTX_free(context) }
        let stream = unsafe SSL_new(context)
        defer { unsafe SSL_free(stream) }
        unsafe SSL_set_fd(stream, file)
        guard isConnected, unsafe SSL_connect(stream) == 1 else { return false }
        // What is asked for is gathered here, and nothing is read.
        let gathered = unsafe BIO_new(BIO_s_mem())
        unsafe BIO_up_ref(SSL_get_rbio(stream))
        unsafe SSL_set0_wbio(stream, gathered)
        var bytes = [UInt8](repeating: 0, count: 256 * 1024)
        for _ in 0..<400 {
            for _ in 0..<2000 {
                unsafe SSL_key_update(stream, SSL_KEY_UPDATE_REQUESTED)
                unsafe SSL_do_handshake(stream)
            }
            let count = unsafe BIO_read(gathered, &bytes, Int32(bytes.count))
            var sent = 0
            while sent < count {
                // Sound: the kernel reads that part of the array only.
                let more = unsafe bytes[sent..<Int(count)].withUnsafeBytes {
                    unsafe send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { return errno == EPIPE || errno == ECONNRESET }
                sent += more
            }
        }
        return false
    }

    @Test(.timeLimit(.minutes(1)))
    func `a peer that asks for new keys without end and reads nothing is cut`() async throws {
        let server = try RawServer(tls: try TestCertificate().server()) { connection, _ in
            while try await connection.read() != nil {}
        }
        #expect(KeyUpdateFloodTests.flood(port: server.port))
        server.stop()
    }
}
