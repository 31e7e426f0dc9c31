import GatehouseNet
import GatehouseTesting

/// One request over TLS, and what both sides agreed on.
enum TLSMeeting {
    /// - Returns: the cipher; nil where the handshake failed, and nothing reached the server.
    static func cipher(
        _ server: ServerTLS, _ client: ClientTLS, name: String = "localhost"
    ) async throws -> String? {
        let upstream = FakeUpstream()
        let local = try LocalServer.start(tls: server) { _ in upstream }
        let port = local.port
        let cipher: String? = await EventLoop(name: "client").run { loop in
            do {
                let connection = try await RawConnection.connect(
                    port: port, tls: client, name: name, on: loop)
                try await connection.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let isAnswered = try await connection.response().status == 200
                connection.close()
                return isAnswered ? connection.stream.cipher : nil
            } catch { return nil }
        }
        await local.stop()
        guard upstream.count() == (cipher == nil ? 0 : 1) else { throw WireError.ended([]) }
        return cipher
    }
}
