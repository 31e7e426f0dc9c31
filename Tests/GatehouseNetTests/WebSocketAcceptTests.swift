import GatehouseNet
import Testing

struct WebSocketAcceptTests {
    // RFC 6455 §1.3.
    @Test func `a key is answered as in the standard`() {
        let answer = WebSocketAccept.value(for: "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(answer == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}
