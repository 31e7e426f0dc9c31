import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

struct TLSWriteTests {
    @Test func `a write over TLS is done only when the kernel has all of it`() async throws {
        let certificate = TestCertificate()
        let written = Delivery<Int>()
        // Reads nothing before the client is stuck.
        let server = try RawServer(tls: try certificate.server()) { connection, _ in
            let count = await written.value()
            try await connection.send("\(try await connection.read(count: count).count)\n")
        }
        let loop = EventLoop(name: "client")
        let answer = try await loop.attempt { loop in
            let connection = try await RawConnection.connect(
                port: server.port, tls: try certificate.client(), on: loop)
            let stream = connection.stream
            let record = [UInt8](repeating: 0x78, count: 16 * 1024)
            var buffer = ByteBuffer()
            var count = 0
            var isDone = true
            while isDone, stream.isFlushed {
                buffer.append(record)
                count += record.count
                isDone = try stream.tryWrite(&buffer)
            }
            #expect(!isDone, "what TLS still holds would wait for a write that may never come")
            written.deliver(count)
            while try !stream.tryWrite(&buffer) { try await stream.waitWritable() }
            let line = String(decoding: try await connection.read(until: "\n"), as: UTF8.self)
            return line == "\(count)\n"
        }
        #expect(answer)
        loop.thread.stop()
        server.stop()
    }
}
