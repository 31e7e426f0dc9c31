import GatehouseBase
public import GatehouseHTTP
public import GatehouseNet

/// One end of a connection, for a test that says every byte itself. Lives on its loop.
public final class RawConnection {
    /// How long a read waits before it throws `StreamError.timedOut`.
    public var patience = Duration.seconds(10)
    /// For a test that looks closer.
    public let stream: ByteStream
    private let core: LoopCore
    /// What came and was not asked for yet.
    private var inbound = ByteBuffer()

    init(_ stream: ByteStream) {
        self.stream = stream
        core = stream.socket.core
    }

    deinit { stream.close(cleanly: false) }

    /// Connects to a port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - tls: nil for plain TCP.
    ///   - name: the name to ask for and to check, with TLS.
    public static func connect(
        port: UInt16, tls: ClientTLS? = nil, name: String = "localhost",
        on loop: isolated EventLoop
    ) async throws -> RawConnection {
        guard let address = Address(ip: "127.0.0.1", port: port) else { throw StreamError.refused }
        return try await connect(to: address, tls: tls, name: name, on: loop)
    }

    /// As ``connect(port:tls:name:on:)``, to any address.
    public static func connect(
        to address: Address, tls: ClientTLS? = nil, name: String = "localhost",
        on loop: isolated EventLoop
    ) async throws -> RawConnection {
        let deadline = Instant.now() + .seconds(10)
        let socket = try await Connector.connect(
            to: [address], core: loop.core, deadline: deadline, addressDelay: .seconds(1))
        guard let tls else { return RawConnection(ByteStream(socket)) }
        socket.readDeadline = deadline
        do throws(StreamError) {
            return RawConnection(try await ByteStream.connect(socket, tls, host: name))
        } catch {
            socket.close()
            throw error
        }
    }

    // MARK: Writing

    /// Writes all of `bytes`.
    public func send(_ bytes: [UInt8]) async throws {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        while try !stream.tryWrite(&buffer) {
            stream.socket.writeDeadline = .now() + patience
            try await stream.waitWritable()
        }
    }

    /// Writes the UTF-8 of `text`.
    public func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Says that no more will be sent.
    public func finish() { stream.shutdownWrite() }

    /// Resets the connection.
    public func reset() {
        stream.resetNow()
        stream.close(cleanly: false)
    }

    /// Closes the connection.
    public func close() { stream.close(cleanly: true) }

    // MARK: Reading

    /// What comes next, whatever it is; nil at the end.
    public func read() async throws -> [UInt8]? {
        if inbound.isEmpty, try await !fill() { return nil }
        let bytes = inbound.withReadable { $0.array }
        inbound.removeAll()
        return bytes
    }

    /// Everything up to and with `pattern`.
    public func read(until pattern: String, atMost limit: Int = 1 << 20) async throws -> [UInt8] {
        let pattern = Array(pattern.utf8)
        while true {
            let bytes = inbound.withReadable { $0.array }
            if let end = RawConnection.end(of: pattern, in: bytes) {
                inbound.consume(end)
                return Array(bytes[..<end])
            }
            guard bytes.count <= limit else { throw WireError.tooMuch }
            guard try await fill() else { throw WireError.ended(bytes) }
        }
    }

    /// Exactly `count` bytes.
    public func read(count: Int) async throws -> [UInt8] {
        while inbound.count < count {
            guard try await fill() else {
                throw WireError.ended(inbound.withReadable { $0.array })
            }
        }
        let bytes = inbound.withReadable { $0.extracting(0..<count).array }
        inbound.consume(count)
        return bytes
    }

    /// Everything until the peer ends.
    public func readToEnd(atMost limit: Int = 64 << 20) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try await read() {
            bytes += more
            guard bytes.count <= limit else { throw WireError.tooMuch }
        }
        return bytes
    }

    /// Waits until the connection has ended; whatever comes before is thrown away.
    /// - Returns: whether it was reset.
    public func waitForEnd() async -> Bool {
        do {
            while try await read() != nil {}
            return false
        } catch { return true }
    }

    /// One response; interim ones (1xx) are kept in it.
    public func response(to method: Method = .get) async throws -> WireResponse {
        var interim: [Int] = []
        var head = ResponseHead()
        while true {
            head = try await responseHead()
            guard head.isInterim else { break }
            interim.append(head.status)
        }
        var response = WireResponse(head, interim: interim)
        var decoder = BodyDecoder(try BodyFraming.of(head, to: method), Limits())
        guard head.status != 101 else { return response }
        while !decoder.isEnded {
            if inbound.isEmpty, try await !fill() {
                response.isComplete = decoder.endsWithConnection
                return response
            }
            let step = try inbound.withReadable { bytes in
                let step = try decoder.decode(bytes)
                response.body.append(
                    copying: bytes.extracting(step.skipped..<step.skipped + step.payload))
                return step
            }
            inbound.consume(step.skipped + step.payload)
            if step.skipped + step.payload == 0, !decoder.isEnded, try await !fill() {
                response.isComplete = false
                return response
            }
        }
        if let trailers = decoder.trailers { response.trailers = WireResponse.pairs(trailers) }
        return response
    }

    private func responseHead() async throws -> ResponseHead {
        let parser = HeadParser.responses(Limits())
        var head = ResponseHead()
        while true {
            if let length = try inbound.withReadable({ try parser.parse($0, into: &head) }) {
                inbound.consume(length)
                return head
            }
            guard try await fill() else {
                throw WireError.ended(inbound.withReadable { $0.array })
            }
        }
    }

    /// One request head and its body, for who plays the server.
    public func request() async throws -> (head: RequestHead, body: [UInt8]) {
        let parser = HeadParser.requests(Limits())
        var head = RequestHead()
        while true {
            if let length = try inbound.withReadable({ try parser.parse($0, into: &head) }) {
                inbound.consume(length)
                break
            }
            guard try await fill() else {
                throw WireError.ended(inbound.withReadable { $0.array })
            }
        }
        guard case .length(let count) = try BodyFraming.of(head) else { return (head, []) }
        return (head, try await read(count: count))
    }

    /// Reads more, waiting until there is something.
    /// - Returns: false at the end.
    private func fill() async throws(StreamError) -> Bool {
        stream.socket.readDeadline = .now() + patience
        inbound.reserve(16 * 1024)
        while true {
            switch try stream.tryRead(&inbound) {
            case .bytes: return true
            case .end: return false
            case .wouldBlock: try await stream.waitReadable()
            }
        }
    }

    private static func end(of pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        for start in 0...(bytes.count - pattern.count)
        where bytes[start..<start + pattern.count].elementsEqual(pattern) {
            return start + pattern.count
        }
        return nil
    }
}
