public import GatehouseBase
public import GatehouseHTTP
public import GatehouseNet

/// Asks an upstream ourselves: one request, the whole answer in memory.
public enum UpstreamClient {
    /// - Parameters:
    ///   - body: nil for none; sent with its length.
    ///   - deadline: for everything, connect to last byte.
    ///   - maximumBody: more is ``ExchangeFailure/Reason/bodyTooLarge``.
    ///   - abandonment: of whoever waits.
    public static func send(
        _ head: RequestHead, body: [UInt8]?, to target: UpstreamTarget, over pool: UpstreamPool,
        limits: Limits, deadline: Instant, maximumBody: Int, abandonment: Abandonment? = nil
    ) async throws(ExchangeFailure) -> (head: ResponseHead, body: [UInt8]) {
        let connection = try await pool.connect(
            target, within: deadline.since(.now()), abandonment: abandonment)
        abandonment?.onAbandon = { connection.stream.abort() }
        defer {
            abandonment?.onAbandon = nil
            connection.close()
        }
        connection.stream.socket.readDeadline = deadline
        connection.stream.socket.writeDeadline = deadline
        connection.prepareOutbound()
        connection.outbound.appendRequestLine(of: head)
        connection.outbound.append(head.fields)
        connection.outbound.append("Connection: close\r\n")
        if let body {
            connection.outbound.append("Content-Length: ")
            connection.outbound.append(decimal: body.count)
            connection.outbound.append("\r\n")
        }
        connection.outbound.appendHeadEnd()
        if let body { connection.outbound.append(body) }
        do throws(StreamError) { try await connection.flush() } catch { throw .upstream(error) }
        return try await readAnswer(connection, to: head.method, limits, maximumBody)
    }

    private static func readAnswer(
        _ connection: UpstreamConnection, to method: Method, _ limits: Limits, _ maximumBody: Int
    ) async throws(ExchangeFailure) -> (head: ResponseHead, body: [UInt8]) {
        var head = ResponseHead()
        try await readHead(connection, into: &head, limits)
        var interim = 0
        while head.isInterim {
            interim += 1
            guard interim <= limits.interimResponses else {
                throw ExchangeFailure(.upstreamMalformed(MessageError(.statusLine)))
            }
            try await readHead(connection, into: &head, limits)
        }
        var body: [UInt8] = []
        var decoder: BodyDecoder
        do throws(MessageError) {
            decoder = BodyDecoder(try BodyFraming.of(head, to: method), limits)
        } catch {
            throw ExchangeFailure(.upstreamMalformed(error))
        }
        while !decoder.isEnded {
            do throws(MessageError) {
                while !connection.inbound.isEmpty, !decoder.isEnded {
                    let step = try connection.inbound.withReadable { (bytes) throws(MessageError) in
                        let step = try decoder.decode(bytes)
                        body.append(
                            copying: bytes.extracting(
                                step.skipped..<step.skipped + step.payload))
                        return step
                    }
                    connection.inbound.consume(step.skipped + step.payload)
                    if step.skipped + step.payload == 0 { break }
                }
            } catch {
                throw ExchangeFailure(.upstreamMalformed(error))
            }
            guard body.count <= maximumBody else { throw ExchangeFailure(.bodyTooLarge) }
            if decoder.isEnded { break }
            guard try await fill(connection) else {
                guard decoder.endsWithConnection else { throw ExchangeFailure(.upstreamClosed) }
                break
            }
        }
        return (head, body)
    }

    private static func readHead(
        _ connection: UpstreamConnection, into head: inout ResponseHead, _ limits: Limits
    ) async throws(ExchangeFailure) {
        let parser = HeadParser.responses(limits)
        while true {
            do throws(MessageError) {
                let length = try connection.inbound.withReadable { (bytes) throws(MessageError) in
                    try parser.parse(bytes, into: &head)
                }
                if let length { return connection.inbound.consume(length) }
            } catch {
                throw ExchangeFailure(.upstreamMalformed(error))
            }
            guard try await fill(connection) else { throw ExchangeFailure(.upstreamClosed) }
        }
    }

    /// Reads more, until the deadline: a peer that is never waited for has one too.
    private static func fill(
        _ connection: UpstreamConnection
    ) async throws(ExchangeFailure) -> Bool {
        guard Instant.now() < connection.stream.socket.readDeadline else {
            throw ExchangeFailure(.upstreamTimeout)
        }
        do throws(StreamError) { return try await connection.fill() } catch {
            throw .upstream(error)
        }
    }
}
