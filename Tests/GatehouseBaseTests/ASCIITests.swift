import GatehouseBase
import Testing

@Suite struct ASCIITests {
    @Test func `token bytes are those of RFC 9110`() {
        let token = Set(
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(ASCII.isToken(byte) == token.contains(byte), "\(byte)")
        }
    }
}
