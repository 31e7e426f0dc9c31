import GatehouseBase
import Testing

@testable import GatehouseHTTP

private let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
private let version = "Sec-WebSocket-Version: 13"
private let upgrade = "Upgrade: websocket"
private let connection = "Connection: Upgrade"

private func ask(_ head: RequestHead) throws -> UpgradeRequest {
    UpgradeRequest.of(head, framing: try BodyFraming.of(head))
}

@Suite struct UpgradeRequestTests {
    @Test func `a browser's handshake is one`() throws {
        #expect(try ask(request(upgrade, connection, key, version)) == .webSocket)
        let shouted = try request(
            "upgrade: WebSocket", "connection: keep-alive, UPGRADE", key, version)
        #expect(try ask(shouted) == .webSocket)
        let twice = try request(upgrade, "Connection: close", connection, key, version)
        #expect(try ask(twice) == .webSocket)
    }

    @Test func `a plain request asks for nothing`() throws {
        #expect(try ask(request()) == .none)
        #expect(try ask(request(connection)) == .none)
    }

    @Test(arguments: ["h2c", "TLS/1.0", "foo, bar", "websockets", ""])
    func `other upgrades are ignored`(value: String) throws {
        let head = try request("Upgrade: \(value)", connection, "HTTP2-Settings: AAMAAABk")
        #expect(try ask(head) == .ignored)
    }

    @Test(arguments: [
        [connection, key, version, "Upgrade: websocket, h2c"],
        [connection, key, version, "Upgrade: h2c, websocket"],
        [connection, key, version, upgrade, upgrade],
        [connection, key, version, upgrade, "Upgrade: h2c"],
        [upgrade, key, version],
        [upgrade, key, version, "Connection: keep-alive"],
        [upgrade, connection, version],
        [upgrade, connection, version, key, key],
        [upgrade, connection, version, "Sec-WebSocket-Key:"],
        [upgrade, connection, version, "Sec-WebSocket-Key: c2hvcnQ="],
        [upgrade, connection, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ="],
        [upgrade, connection, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA"],
        [upgrade, connection, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25-ZQ=="],
        [upgrade, connection, version, key, "Content-Length: 1"],
        [upgrade, connection, version, key, "Transfer-Encoding: chunked"],
    ])
    func `a handshake that is not right is refused`(lines: [String]) throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        let result = try ask(parseRequest(text))
        #expect(result == .refused(MessageError(.webSocket)))
        #expect(MessageError(.webSocket).status == 400)
    }

    @Test(arguments: ["POST", "get", "HEAD", "OPTIONS"])
    func `only GET asks for a WebSocket`(method: String) throws {
        let head = try request(upgrade, connection, key, version, method: method)
        #expect(try ask(head) == .refused(MessageError(.webSocket)))
    }

    @Test func `HTTP 1 0 has no WebSocket`() throws {
        let head = try request(upgrade, connection, key, version, version: "1.0")
        #expect(try ask(head) == .refused(MessageError(.webSocket)))
    }

    @Test(arguments: [nil, "8", "12", "14", "13, 8", ""])
    func `another version is told which one`(value: String?) throws {
        let lines =
            [upgrade, connection, key] + (value.map { ["Sec-WebSocket-Version: \($0)"] } ?? [])
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        #expect(try ask(parseRequest(text)) == .refused(MessageError(.webSocketVersion)))
        #expect(MessageError(.webSocketVersion).status == 426)
    }

    @Test func `a key without Upgrade names the front that lost it`() throws {
        for number in ["1.0", "1.1"] {
            let result = try ask(request(key, version, "Connection: close", version: number))
            #expect(result == .refused(MessageError(.webSocketUpgradeLost)))
        }
        #expect(MessageError.Rule.webSocketUpgradeLost.rawValue.contains("proxy in front"))
        #expect(MessageError(.webSocketUpgradeLost).status == 400)
    }
}

@Suite struct UpgradeResponseTests {
    private let answer = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    private var accept: String { "Sec-WebSocket-Accept: \(answer)" }

    @Test func `the answer of RFC 6455 opens a tunnel`() throws {
        let head = try response(
            "101 Switching Protocols", "Upgrade: WebSocket", "Connection: upgrade", accept)
        #expect(UpgradeRequest.accepts(head, answer: answer))
    }

    @Test(arguments: [
        ["Connection: upgrade", "Upgrade: websocket"],
        ["Connection: upgrade", "Upgrade: h2c"],
        ["Upgrade: websocket"],
        ["Connection: upgrade"],
        ["Connection: upgrade", "Upgrade: websocket", "Upgrade: websocket"],
        ["Connection: upgrade", "Upgrade: websocket", "Content-Length: 0"],
        ["Connection: upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked"],
    ])
    func `anything else opens none`(lines: [String]) throws {
        var head = ResponseHead()
        let isBare = lines.count == 2 && lines[1] == "Upgrade: websocket"
        let all = isBare ? lines : lines + [accept]
        let text = "HTTP/1.1 101 \r\n" + all.map { $0 + "\r\n" }.joined() + "\r\n"
        _ = try HeadParser.responses(Limits()).parse(Array(text.utf8).span, into: &head)
        #expect(!UpgradeRequest.accepts(head, answer: answer))
    }

    @Test func `a 200 opens none`() throws {
        let head = try response("200 OK", "Upgrade: websocket", "Connection: upgrade", accept)
        #expect(!UpgradeRequest.accepts(head, answer: answer))
    }

    @Test func `only who knows the key of the request can answer it`() throws {
        let head = try response(
            "101 Switching Protocols", "Upgrade: websocket", "Connection: upgrade", accept)
        #expect(!UpgradeRequest.accepts(head, answer: "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="))
        #expect(!UpgradeRequest.accepts(head, answer: ""))
        let other = try response(
            "101 Switching Protocols", "Upgrade: websocket", "Connection: upgrade",
            accept.replacing("s3p", with: "S3p"))
        #expect(!UpgradeRequest.accepts(other, answer: answer))
    }
}
