import COpenSSL
public import GatehouseBase
public import GatehouseOIDC

/// A provider's key pair, made on the spot: signs good tokens, and wrong ones on purpose.
///
/// Only tests and the development provider have one. What cannot fail but for want of memory traps.
@safe public final class TokenSigner: Sendable {
    public let algorithm: SignatureAlgorithm
    public let keyID: String

    // Sound: made in init and never changed; OpenSSL counts references and signs with contexts of
    // its own, so that threads may share it.
    private nonisolated(unsafe) let key: OpaquePointer

    /// Makes a new pair.
    ///
    /// - Parameters:
    ///   - algorithm: chooses the kind of key too.
    ///   - keyID: the `kid` in key set and tokens.
    ///   - rsaBits: below 2048 the key is one that must be refused.
    public init(_ algorithm: SignatureAlgorithm, keyID: String, rsaBits: Int32 = 2048) {
        self.algorithm = algorithm
        self.keyID = keyID
        // Sound: the context is freed in the defer, the key in deinit.
        let type = Self.keyType(algorithm)
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var ready = unsafe EVP_PKEY_keygen_init(context) == 1
        if type == "RSA" {
            unsafe ready = ready && EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsaBits) == 1
        } else if let curve = Self.curve(algorithm) {
            unsafe ready = ready && EVP_PKEY_CTX_set_group_name(context, curve.group) == 1
        }
        var made: OpaquePointer?
        guard ready, unsafe EVP_PKEY_generate(context, &made) == 1, let made = unsafe made else {
            preconditionFailure("no key of type \(type)")
        }
        unsafe key = made
    }

    deinit {
        // Sound: owned by this object alone, freed once.
        unsafe EVP_PKEY_free(key)
    }

    /// The public key as a member of a JWK set.
    public var jwk: [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "kid": .string(keyID), "use": "sig", "alg": .string(algorithm.rawValue),
        ]
        if let curve = Self.curve(algorithm) {
            fields["kty"] = "EC"
            fields["crv"] = .string(curve.name)
            fields["x"] = .string(Base64URL.encode(number("qx", size: curve.size)))
            fields["y"] = .string(Base64URL.encode(number("qy", size: curve.size)))
        } else if algorithm == .edDSA {
            var size = 32
            var bytes = [UInt8](repeating: 0, count: size)
            // Sound: an Ed25519 key has 32 bytes, and the array as many.
            let done = unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &size)
            precondition(done == 1)
            fields["kty"] = "OKP"
            fields["crv"] = "Ed25519"
            fields["x"] = .string(Base64URL.encode(bytes))
        } else {
            fields["kty"] = "RSA"
            fields["n"] = .string(Base64URL.encode(number("n", size: nil)))
            fields["e"] = .string(Base64URL.encode(number("e", size: nil)))
        }
        return fields
    }

    /// A JWK set of these signers' public keys and whatever else is given.
    public static func keySet(
        _ signers: [TokenSigner], and others: [[String: JSONValue]] = []
    ) -> [UInt8] {
        let keys = (signers.map(\.jwk) + others).map(JSONValue.object)
        return JSONValue.object(["keys": .array(keys)]).encoded()
    }

    /// A compact JWS of `claims`.
    ///
    /// - Parameters:
    ///   - claims: the payload.
    ///   - header: added to `alg`, `typ` (`JWT`) and `kid` or put in their place; null removes one.
    public func token(_ claims: JSONValue, header: [String: JSONValue] = [:]) -> String {
        token(payload: claims.encoded(), header: header)
    }

    /// As ``token(_:header:)``, with a payload that need not be JSON.
    public func token(payload: [UInt8], header: [String: JSONValue] = [:]) -> String {
        var fields: [String: JSONValue] = [
            "alg": .string(algorithm.rawValue), "typ": "JWT", "kid": .string(keyID),
        ]
        for (name, value) in header { fields[name] = value == .null ? nil : value }
        return Self.compact(fields, payload) { sign($0) }
    }

    /// A token that is signed with a shared key, or not at all: what nobody may accept.
    ///
    /// - Parameters:
    ///   - claims: the payload.
    ///   - header: all of it.
    ///   - key: for HMAC with SHA-256; nil leaves the signature empty.
    public static func forged(
        _ claims: JSONValue, header: [String: JSONValue], hmacKey key: [UInt8]?
    ) -> String {
        compact(header, claims.encoded()) { input in
            key.map { Crypto.hmacSHA256(input, key: Secret($0)) } ?? []
        }
    }

    /// The signature over `message`, as JOSE writes it.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        // Sound: the context is freed in the defer; each pointer is valid for the count beside it.
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        var done =
            unsafe EVP_DigestSignInit(context, &parameters, method, nil, key) == 1
        if algorithm.rawValue.hasPrefix("PS") {
            unsafe done =
                done && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
        }
        var size = 0
        unsafe done = done && EVP_DigestSign(context, nil, &size, message, message.count) == 1
        var signature = [UInt8](repeating: 0, count: size)
        unsafe done =
            done
            && EVP_DigestSign(context, &signature, &size, message, message.count) == 1
        precondition(done, "signing fails for want of memory only")
        signature.removeLast(signature.count - size)
        guard let curve = Self.curve(algorithm) else { return signature }
        guard let raw = ECDSASignature.raw(fromDER: signature, size: curve.size) else {
            preconditionFailure("OpenSSL writes DER")
        }
        return raw
    }

    private static func compact(
        _ header: [String: JSONValue], _ payload: [UInt8], sign: ([UInt8]) -> [UInt8]
    ) -> String {
        let input =
            Base64URL.encode(JSONValue.object(header).encoded()) + "." + Base64URL.encode(payload)
        return input + "." + Base64URL.encode(sign(Array(input.utf8)))
    }

    private static func keyType(_ algorithm: SignatureAlgorithm) -> String {
        switch algorithm {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: "RSA"
        case .es256, .es384, .es512: "EC"
        case .edDSA: "ED25519"
        }
    }

    private static func curve(
        _ algorithm: SignatureAlgorithm
    ) -> (name: String, group: String, size: Int)? {
        switch algorithm {
        case .es256: ("P-256", "prime256v1", 32)
        case .es384: ("P-384", "secp384r1", 48)
        case .es512: ("P-521", "secp521r1", 66)
        default: nil
        }
    }

    private var method: OpaquePointer? {
        // Sound: static objects of OpenSSL.
        switch algorithm {
        case .rs256, .ps256, .es256: return unsafe EVP_sha256()
        case .rs384, .ps384, .es384: return unsafe EVP_sha384()
        case .rs512, .ps512, .es512: return unsafe EVP_sha512()
        case .edDSA: return nil
        }
    }

    /// A number of the key in big-endian order, filled up to `size`.
    private func number(_ name: String, size: Int?) -> [UInt8] {
        var number: OpaquePointer?
        // Sound: the number is freed in the defer; the array has as many bytes as are written.
        let done = unsafe EVP_PKEY_get_bn_param(key, name, &number)
        defer { unsafe BN_free(number) }
        precondition(done == 1)
        var bytes = [UInt8](
            repeating: 0, count: size ?? Int(unsafe BN_num_bits(number) + 7) / 8)
        let count = unsafe BN_bn2binpad(number, &bytes, Int32(bytes.count))
        precondition(count == bytes.count)
        return bytes
    }
}
