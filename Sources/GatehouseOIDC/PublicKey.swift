import COpenSSL
public import GatehouseBase

/// A public key of the provider (RFC 7517, RFC 7518 §6, RFC 8037 §2), owned as an EVP_PKEY.
///
/// Its kind fixes what it may verify: an RSA key never serves as an HMAC secret, a P-256 key never
/// checks ES384.
@safe public final class PublicKey: Sendable {
    enum Kind: Sendable, Equatable {
        case rsa
        case elliptic(size: Int)
        case ed25519
    }

    private let kind: Kind
    // Sound: made in init and never changed; OpenSSL counts references and verifies with contexts
    // of its own, so that threads may share it.
    private nonisolated(unsafe) let key: OpaquePointer

    /// The key of a JWK's members; nil where it is of another kind, weak, off its curve or broken.
    public init?(jwk fields: [String: JSONValue]) {
        let bytes = { (name: String) in fields[name]?.string.flatMap(Base64URL.decode) }
        // A private key in a public place is nobody's any more.
        guard fields["d"] == nil else { return nil }
        let made: OpaquePointer?
        switch (fields["kty"]?.string, fields["crv"]?.string) {
        case ("RSA", nil):
            guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
            kind = .rsa
            unsafe made = Self.rsa(modulus: modulus, exponent: exponent)
        case ("EC", let curve?):
            guard let x = bytes("x"), let y = bytes("y"), let named = Self.curve(curve),
                x.count == named.size, y.count == named.size
            else { return nil }
            kind = .elliptic(size: named.size)
            unsafe made = Self.elliptic(group: named.group, point: [4] + x + y)
        case ("OKP", "Ed25519"):
            guard let x = bytes("x"), x.count == 32 else { return nil }
            kind = .ed25519
            // Sound: reads 32 bytes, and there are as many.
            unsafe made = EVP_PKEY_new_raw_public_key(NID_ED25519, nil, x, x.count)
        default: return nil
        }
        guard let made = unsafe made else {
            // What OpenSSL says about a key that we refuse must not be found by the next call.
            ERR_clear_error()
            return nil
        }
        unsafe key = made
    }

    deinit {
        // Sound: owned by this object alone, freed once.
        unsafe EVP_PKEY_free(key)
    }

    /// Whether a key of this kind may verify `algorithm` (RFC 7518 §3.1, RFC 8037 §3.1).
    func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        switch algorithm {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: kind == .rsa
        case .es256: kind == .elliptic(size: 32)
        case .es384: kind == .elliptic(size: 48)
        case .es512: kind == .elliptic(size: 66)
        case .edDSA: kind == .ed25519
        }
    }

    /// Whether `signature`, as JOSE writes it, is this key's over `message`.
    public func verify(
        _ signature: [UInt8], of message: [UInt8], algorithm: SignatureAlgorithm
    ) -> Bool {
        guard fits(algorithm) else { return false }
        var encoded = signature
        if case .elliptic(let size) = kind {
            guard let der = ECDSASignature.der(fromRaw: signature, size: size) else {
                return false
            }
            encoded = der
        }
        // Sound: the context lives until the defer; each pointer is valid for the count beside it.
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer {
            unsafe EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var parameters: OpaquePointer?
        guard
            unsafe EVP_DigestVerifyInit(
                context, &parameters, Self.method(algorithm), nil, key) == 1
        else { return false }
        if algorithm == .ps256 || algorithm == .ps384 || algorithm == .ps512 {
            // The salt is as long as the digest (RFC 7518 §3.5).
            guard
                unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return unsafe EVP_DigestVerify(
            context, encoded, encoded.count, message, message.count) == 1
    }

    private static func curve(_ name: String) -> (group: String, size: Int)? {
        switch name {
        case "P-256": ("prime256v1", 32)
        case "P-384": ("secp384r1", 48)
        case "P-521": ("secp521r1", 66)
        default: nil
        }
    }

    /// Ed25519 has its digest within (RFC 8032).
    private static func method(_ algorithm: SignatureAlgorithm) -> OpaquePointer? {
        if algorithm == .edDSA { return nil }
        // Sound: static objects of OpenSSL.
        switch algorithm.hash {
        case .sha256: return unsafe EVP_sha256()
        case .sha384: return unsafe EVP_sha384()
        case .sha512: return unsafe EVP_sha512()
        }
    }

    /// 2048 to 8192 bits (RFC 7518 §3.3), odd exponent of at most 64 bits above 1.
    private static func rsa(modulus: [UInt8], exponent: [UInt8]) -> OpaquePointer? {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard bits >= 2048, bits <= 8192, let last = exponent.last, last & 1 == 1,
            exponent.count <= 8, exponent != [1], modulus.last.map({ $0 & 1 == 1 }) ?? false
        else { return nil }
        // Sound: everything made here is freed here; the builder keeps the numbers until then.
        let builder = unsafe OSSL_PARAM_BLD_new()
        let n = unsafe BN_bin2bn(modulus, Int32(modulus.count), nil)
        let e = unsafe BN_bin2bn(exponent, Int32(exponent.count), nil)
        defer {
            unsafe OSSL_PARAM_BLD_free(builder)
            unsafe BN_free(n)
            unsafe BN_free(e)
        }
        guard unsafe builder != nil, unsafe n != nil, unsafe e != nil,
            unsafe OSSL_PARAM_BLD_push_BN(builder, name("n"), n) == 1,
            unsafe OSSL_PARAM_BLD_push_BN(builder, name("e"), e) == 1
        else { return nil }
        return unsafe key(type: "RSA", builder: builder)
    }

    /// OpenSSL refuses a point that is not on the curve, here and in the check afterwards.
    private static func elliptic(group: String, point: [UInt8]) -> OpaquePointer? {
        // Sound: as in `rsa`; `point` lives until the key is made, for the builder only refers to it.
        let builder = unsafe OSSL_PARAM_BLD_new()
        defer { unsafe OSSL_PARAM_BLD_free(builder) }
        guard unsafe builder != nil else { return nil }
        return unsafe group.withCString { group in
            unsafe point.withUnsafeBytes { point in
                guard
                    unsafe OSSL_PARAM_BLD_push_utf8_string(builder, name("group"), group, 0) == 1,
                    unsafe OSSL_PARAM_BLD_push_octet_string(
                        builder, name("pub"), point.baseAddress, point.count) == 1
                else { return nil }
                return unsafe key(type: "EC", builder: builder)
            }
        }
    }

    /// The builder keeps the pointer until the key is made, so the name must live as long: always.
    private static func name(_ name: StaticString) -> UnsafePointer<CChar> {
        // Sound: a literal of ASCII, which ends in a zero byte and is never freed.
        unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    private static func key(type: String, builder: OpaquePointer?) -> OpaquePointer? {
        // Sound: parameters and contexts are freed here, the key is handed out or freed.
        let parameters = unsafe OSSL_PARAM_BLD_to_param(builder)
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil)
        defer {
            unsafe OSSL_PARAM_free(parameters)
            unsafe EVP_PKEY_CTX_free(context)
        }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &key, gh_EVP_PKEY_PUBLIC_KEY, parameters) == 1
        else { return nil }
        let check = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        defer { unsafe EVP_PKEY_CTX_free(check) }
        guard unsafe EVP_PKEY_public_check(check) == 1 else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        return unsafe key
    }
}
