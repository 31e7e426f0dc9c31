import GatehouseOIDC
import Testing

struct ECDSASignatureTests {
    @Test(
        arguments: [
            ([0, 1, 0, 2], [0x30, 6, 2, 1, 1, 2, 1, 2]),
            ([0x80, 0, 0, 0x7F], [0x30, 7, 2, 3, 0, 0x80, 0, 2, 1, 0x7F]),
            ([0, 0, 0, 0], [0x30, 6, 2, 1, 0, 2, 1, 0]),
        ] as [([UInt8], [UInt8])])
    func `numbers are written in DER as short as they are`(raw: [UInt8], der: [UInt8]) {
        var expected = der
        expected[1] = UInt8(der.count - 2)
        #expect(ECDSASignature.der(fromRaw: raw, size: 2) == expected)
        #expect(ECDSASignature.raw(fromDER: expected, size: 2) == raw)
    }

    @Test func `a long signature has its length in two bytes`() throws {
        let raw = [UInt8](repeating: 0xFF, count: 132)
        let der = try #require(ECDSASignature.der(fromRaw: raw, size: 66))
        #expect(Array(der.prefix(3)) == [0x30, 0x81, 138])
        #expect(ECDSASignature.raw(fromDER: der, size: 66) == raw)
    }

    @Test(
        arguments: [
            [], [0x30], [0x30, 0], [0x30, 3, 2, 1, 1], [0x30, 6, 2, 1, 1, 2, 1],
            [0x31, 6, 2, 1, 1, 2, 1, 2],
            [0x30, 6, 2, 1, 1, 2, 1, 2, 0], [0x30, 7, 2, 1, 1, 2, 1, 2, 0],
            [0x30, 8, 2, 3, 1, 1, 1, 2, 1, 2],
            [0x30, 0x81], [0x30, 0x82, 0, 6],
        ] as [[UInt8]])
    func `what is not two numbers of that size is refused`(der: [UInt8]) {
        #expect(ECDSASignature.raw(fromDER: der, size: 2) == nil)
        #expect(ECDSASignature.der(fromRaw: [1, 2, 3], size: 2) == nil)
    }
}
