import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

struct JWKSetTests {
    private func keys(_ fields: [[String: JSONValue]]) throws(OIDCError) -> JWKSet {
        try JWKSet(parsing: TokenSigner.keySet([], and: fields), maximumSize: 1 << 20)
    }

    @Test func `a key is found by its id and algorithm`() throws {
        let keys = try Fixtures.keys()
        #expect(keys.count == 3)
        #expect(keys.key(id: "rsa", algorithm: .rs256) != nil)
        #expect(keys.key(id: "ec", algorithm: .es256) != nil)
        #expect(keys.key(id: "ed", algorithm: .edDSA) != nil)
        #expect(keys.key(id: "ec", algorithm: .rs256) == nil)
        #expect(keys.key(id: "rsa", algorithm: .es256) == nil)
        #expect(keys.key(id: "other", algorithm: .rs256) == nil)
    }

    @Test func `the algorithm that a key names is the only one it verifies`() throws {
        let named = try keys([Fixtures.rsa.jwk])
        #expect(named.key(id: "rsa", algorithm: .ps256) == nil)
        let free = try keys([Fixtures.rsa.jwk.filter { $0.key != "alg" }])
        #expect(free.key(id: "rsa", algorithm: .ps256) != nil)
        #expect(free.key(id: "rsa", algorithm: .rs512) != nil)
    }

    @Test func `without an id the key must be the only one that fits`() throws {
        let other = TokenSigner(.es256, keyID: "ec2")
        #expect(try Fixtures.keys().key(id: nil, algorithm: .es256) != nil)
        let two = try Fixtures.keys([Fixtures.elliptic, other])
        #expect(two.key(id: nil, algorithm: .es256) == nil)
        #expect(two.key(id: "ec2", algorithm: .es256) != nil)
    }

    /// C13.
    @Test(
        arguments: [
            ["use": "enc"], ["use": 5], ["alg": "RSA-OAEP"], ["alg": "HS256"], ["alg": "none"],
            ["kty": "oct"], ["kty": .null], ["kid": 7], ["key_ops": ["encrypt"]],
            ["key_ops": "verify"],
            ["n": "AQAB"], ["e": "AQ"],
        ] as [[String: JSONValue]])
    func `encryption keys, shared keys, weak keys and other uses are left out, good ones stay`(
        changes: [String: JSONValue]
    ) throws {
        let keys = try keys([
            Fixtures.rsa.jwk.merging(changes) { $1 }, Fixtures.elliptic.jwk,
        ])
        #expect(keys.count == 1)
        #expect(keys.key(id: "rsa", algorithm: .rs256) == nil)
        #expect(keys.key(id: "ec", algorithm: .es256) != nil)
    }

    /// C13.
    @Test func `a kid that two usable keys share names neither`() throws {
        let twice = try Fixtures.keys([Fixtures.rsa, Fixtures.stranger, Fixtures.elliptic])
        #expect(twice.key(id: "rsa", algorithm: .rs256) == nil)
        #expect(twice.count == 1)
        // An encryption key of the same name is none of ours.
        let beside = try keys([
            Fixtures.rsa.jwk, Fixtures.stranger.jwk.merging(["use": "enc"]) { $1 },
        ])
        #expect(beside.key(id: "rsa", algorithm: .rs256) != nil)
    }

    @Test(arguments: ["", "[]", "{}", "{\"keys\":{}}", "<html>", "{\"keys\":[],\"keys\":[]}"])
    func `what is no key set is refused`(text: String) {
        #expect(throws: OIDCError.self) {
            try JWKSet(parsing: Array(text.utf8), maximumSize: 1000)
        }
    }

    @Test func `a set has a size, and broken members do no harm`() throws {
        let bytes = TokenSigner.keySet([Fixtures.rsa])
        #expect(throws: OIDCError.tooLarge("jwks")) {
            try JWKSet(parsing: bytes, maximumSize: bytes.count - 1)
        }
        let set = JSONValue.object([
            "keys": .array([1, "x", .null, [], [:], .object(Fixtures.elliptic.jwk)])
        ])
        #expect(try JWKSet(parsing: set.encoded(), maximumSize: 10_000).count == 1)
        #expect(try keys([]).count == 0)
    }
}
