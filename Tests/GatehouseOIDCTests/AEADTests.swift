import GatehouseBase
import GatehouseOIDC
import Testing

struct AEADTests {
    /// The GCM specification, test case 16: AES-256 with additional data.
    @Test func `sealing is AES-256-GCM`() throws {
        let key = try #require(
            Hex.decode("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"))
        let nonce = try #require(Hex.decode("cafebabefacedbaddecaf888"))
        let plaintext = try #require(
            Hex.decode(
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                    + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"))
        let data = try #require(Hex.decode("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
        let aead = AEAD(key: Secret(key))
        let sealed = aead.seal(plaintext, nonce: nonce, additionalData: data)
        #expect(
            Hex.encode(sealed) == "cafebabefacedbaddecaf888"
                + "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b")
        #expect(aead.open(sealed, additionalData: data) == plaintext)
    }

    @Test func `no bit can be changed`() {
        let aead = AEAD(key: .random(count: 32))
        let sealed = aead.seal(
            [1, 2, 3], nonce: Secret.random(count: 12).reveal(), additionalData: [9])
        #expect(sealed.count == 3 + AEAD.overhead)
        #expect(aead.open(sealed, additionalData: [9]) == [1, 2, 3])
        for bit in 0..<(sealed.count * 8) {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(aead.open(changed, additionalData: [9]) == nil)
        }
        #expect(aead.open(sealed, additionalData: []) == nil)
        #expect(aead.open(sealed, additionalData: [8]) == nil)
        #expect(AEAD(key: .random(count: 32)).open(sealed, additionalData: [9]) == nil)
    }

    @Test func `what is too short is refused`() {
        let aead = AEAD(key: .random(count: 32))
        for count in 0..<AEAD.overhead {
            #expect(aead.open([UInt8](repeating: 0, count: count), additionalData: []) == nil)
        }
        let empty = aead.seal([], nonce: [UInt8](repeating: 7, count: 12), additionalData: [])
        #expect(aead.open(empty, additionalData: []) == [])
    }
}
