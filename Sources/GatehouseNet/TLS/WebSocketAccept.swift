import COpenSSL
import GatehouseBase

/// The answer to a WebSocket's key (RFC 6455 §4.2.2). SHA-1 is what the RFC asks for; nothing
/// depends on its strength.
public enum WebSocketAccept {
    /// The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key.
    public static func value(for key: String) -> String {
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        // Sound: SHA-1 writes 20 bytes, and reads as many as are given.
        let done = unsafe EVP_Digest(text, text.count, &digest, nil, EVP_sha1(), nil)
        precondition(done == 1, "a digest fails for want of memory only")
        return Base64.encode(digest)
    }
}
