import GatehouseBase
import GatehouseOIDC
import Testing

struct CryptoTests {
    /// FIPS 180-4, "abc".
    @Test func `digests are those of the standard`() {
        let abc = Array("abc".utf8)
        #expect(
            Hex.encode(Crypto.sha256(abc))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(Crypto.sha384(abc))
                == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                + "8086072ba1e7cc2358baeca134c825a7")
        #expect(
            Hex.encode(Crypto.sha512(abc))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
        #expect(
            Hex.encode(Crypto.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    /// RFC 4231, cases 1 and 2.
    @Test func `HMAC is that of RFC 4231`() {
        #expect(
            Hex.encode(
                Crypto.hmacSHA256(
                    Array("Hi There".utf8), key: Secret([UInt8](repeating: 0x0B, count: 20))))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            Hex.encode(
                Crypto.hmacSHA256(
                    Array("what do ya want for nothing?".utf8), key: Secret("Jefe")))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    /// RFC 5869 A.3: no salt, no info.
    @Test func `HKDF is that of RFC 5869`() {
        let output = Crypto.hkdfSHA256(
            Secret([UInt8](repeating: 0x0B, count: 22)), info: "", length: 42)
        #expect(
            Hex.encode(output.reveal())
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                + "9d201395faa4b61a96c8")
    }

    @Test func `HKDF with other info gives something else`() {
        let secret = Secret.random(count: 32)
        let one = Crypto.hkdfSHA256(secret, info: "nonce", length: 32)
        #expect(one == Crypto.hkdfSHA256(secret, info: "nonce", length: 32))
        #expect(one != Crypto.hkdfSHA256(secret, info: "pkce", length: 32))
        #expect(Crypto.hkdfSHA256(secret, info: "nonce", length: 100).count == 100)
    }
}
