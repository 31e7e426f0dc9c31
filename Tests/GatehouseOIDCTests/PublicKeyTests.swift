import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

struct PublicKeyTests {
    @Test(arguments: SignatureAlgorithm.allCases)
    func `every algorithm verifies its own signatures and no others`(
        algorithm: SignatureAlgorithm
    ) throws {
        let signer = TokenSigner(algorithm, keyID: "k")
        let key = try #require(PublicKey(jwk: signer.jwk))
        let message = Array("header.payload".utf8)
        let signature = signer.sign(message)
        #expect(key.verify(signature, of: message, algorithm: algorithm))
        #expect(!key.verify(signature, of: message + [0], algorithm: algorithm))
        for other in SignatureAlgorithm.allCases where other != algorithm {
            #expect(!key.verify(signature, of: message, algorithm: other))
        }
        for index in stride(from: 0, to: signature.count, by: 7) {
            var changed = signature
            changed[index] ^= 0x10
            #expect(!key.verify(changed, of: message, algorithm: algorithm))
        }
        #expect(!key.verify([], of: message, algorithm: algorithm))
        #expect(!key.verify(signature + [0], of: message, algorithm: algorithm))
        #expect(!key.verify(Array(signature.dropLast()), of: message, algorithm: algorithm))
    }

    /// CVE-2022-21449, "psychic signatures".
    @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512])
    func `a signature of zeroes is none`(algorithm: SignatureAlgorithm) throws {
        let signer = TokenSigner(algorithm, keyID: "k")
        let key = try #require(PublicKey(jwk: signer.jwk))
        let size = signer.sign([1]).count
        #expect(!key.verify([UInt8](repeating: 0, count: size), of: [1], algorithm: algorithm))
    }

    /// C13.
    @Test func `weak RSA keys and broken ones are refused`() {
        let weak = TokenSigner(.rs256, keyID: "k", rsaBits: 1024)
        #expect(PublicKey(jwk: weak.jwk) == nil)
        #expect(PublicKey(jwk: TokenSigner(.rs256, keyID: "k", rsaBits: 512).jwk) == nil)
        let good = Fixtures.rsa.jwk
        #expect(PublicKey(jwk: good) != nil)
        for exponent in ["AQ", "", "AA", "Ag", "AQAAAAAAAAAB", "AQAB="] {
            #expect(PublicKey(jwk: good.merging(["e": .string(exponent)]) { $1 }) == nil)
        }
        let even = Base64URL.encode([UInt8](repeating: 0xFE, count: 256))
        #expect(PublicKey(jwk: good.merging(["n": .string(even)]) { $1 }) == nil)
        let huge = Base64URL.encode([UInt8](repeating: 0xFF, count: 2000))
        #expect(PublicKey(jwk: good.merging(["n": .string(huge)]) { $1 }) == nil)
        #expect(PublicKey(jwk: good.merging(["n": 5]) { $1 }) == nil)
    }

    /// C13.
    @Test func `a point off its curve is refused`() throws {
        let good = Fixtures.elliptic.jwk
        #expect(PublicKey(jwk: good) != nil)
        var y = try #require(good["y"]?.string.flatMap(Base64URL.decode))
        y[31] ^= 1
        #expect(PublicKey(jwk: good.merging(["y": .string(Base64URL.encode(y))]) { $1 }) == nil)
        let zero = JSONValue.string(Base64URL.encode([UInt8](repeating: 0, count: 32)))
        #expect(PublicKey(jwk: good.merging(["x": zero, "y": zero]) { $1 }) == nil)
        #expect(PublicKey(jwk: good.merging(["crv": "P-384"]) { $1 }) == nil)
        #expect(PublicKey(jwk: good.merging(["crv": "secp256k1"]) { $1 }) == nil)
        let short = JSONValue.string(Base64URL.encode(Array(y.dropFirst())))
        #expect(PublicKey(jwk: good.merging(["y": short]) { $1 }) == nil)
    }

    /// C13.
    @Test func `shared and private keys and unknown kinds are refused`() {
        let secret = JSONValue.string(Base64URL.encode([UInt8](repeating: 1, count: 32)))
        #expect(PublicKey(jwk: ["kty": "oct", "k": secret]) == nil)
        #expect(PublicKey(jwk: ["kty": "OKP", "crv": "Ed448", "x": secret]) == nil)
        #expect(PublicKey(jwk: ["kty": "OKP", "crv": "X25519", "x": secret]) == nil)
        #expect(PublicKey(jwk: ["kty": "RSA"]) == nil)
        #expect(PublicKey(jwk: [:]) == nil)
        #expect(PublicKey(jwk: Fixtures.edwards.jwk.merging(["d": secret]) { $1 }) == nil)
        #expect(PublicKey(jwk: Fixtures.edwards.jwk.merging(["x": "AAAA"]) { $1 }) == nil)
    }
}
