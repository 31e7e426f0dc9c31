import COpenSSL
public import GatehouseBase

/// Digests, HMAC and HKDF over OpenSSL.
public enum Crypto {
    /// FIPS 180-4; 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, .sha256) }

    /// FIPS 180-4; 48 bytes.
    public static func sha384(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, .sha384) }

    /// FIPS 180-4; 64 bytes.
    public static func sha512(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, .sha512) }

    /// RFC 2104 with SHA-256; 32 bytes. An empty key is a programmer's mistake.
    public static func hmacSHA256(_ message: [UInt8], key: Secret) -> [UInt8] {
        precondition(key.count > 0, "a key has bytes")
        var code = [UInt8](repeating: 0, count: 32)
        var size: UInt32 = 0
        let done = key.withBytes { key in
            // Sound: every pointer is valid for the count beside it and `code` holds 32 bytes.
            unsafe key.withUnsafeBufferPointer { key in
                unsafe HMAC(
                    EVP_sha256(), key.baseAddress, Int32(key.count), message,
                    message.count, &code, &size) != nil
            }
        }
        precondition(done && size == 32, "HMAC fails for want of memory only")
        return code
    }

    /// RFC 5869 with SHA-256 and without salt.
    ///
    /// - Parameters:
    ///   - secret: has the entropy already; it is not stretched.
    ///   - info: what the result is for; other info, unrelated result.
    ///   - length: bytes, at most 8160.
    public static func hkdfSHA256(_ secret: Secret, info: String, length: Int) -> Secret {
        precondition(length <= 255 * 32, "RFC 5869 §2.3")
        let salt = Secret([UInt8](repeating: 0, count: 32))
        let pseudorandomKey = Secret(hmacSHA256(secret.reveal(), key: salt))
        var output: [UInt8] = []
        var block: [UInt8] = []
        var counter: UInt8 = 0
        while output.count < length {
            counter += 1
            block = hmacSHA256(block + Array(info.utf8) + [counter], key: pseudorandomKey)
            output += block
        }
        return Secret(Array(output.prefix(length)))
    }

    enum Hash {
        case sha256, sha384, sha512

        var size: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    static func digest(_ bytes: [UInt8], _ hash: Hash) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: hash.size)
        // Sound: `digest` holds as many bytes as the algorithm writes; the methods are static.
        let method =
            switch hash {
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        // Sound: see above.
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, nil, method, nil)
        precondition(done == 1, "EVP_Digest fails for want of memory only")
        return digest
    }
}

/// AES-256-GCM by OpenSSL; ``AEAD`` checks the sizes.
enum GaloisCounterMode {
    private static let tagSize = 16

    static func encrypt(
        _ plaintext: [UInt8], key: Secret, nonce: [UInt8], additionalData: [UInt8]
    ) -> [UInt8] {
        // Sound: freed in the defer, after its last use; that zeroes the expanded key too.
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: plaintext.count)
        var tag = [UInt8](repeating: 0, count: tagSize)
        let done = key.withBytes { key in
            // Sound: key, nonce and tag have the sizes of the cipher, and GCM writes as many bytes
            // as it reads; nothing keeps a pointer after its call.
            unsafe key.withUnsafeBufferPointer { key in
                var count: Int32 = 0
                return unsafe EVP_EncryptInit_ex(
                    context, EVP_aes_256_gcm(), nil, key.baseAddress, nonce) == 1
                    && EVP_EncryptUpdate(
                        context, nil, &count, additionalData, Int32(additionalData.count))
                        == 1
                    && EVP_EncryptUpdate(
                        context, &output, &count, plaintext, Int32(plaintext.count)) == 1
                    && EVP_EncryptFinal_ex(context, &tag, &count) == 1
                    && gh_EVP_CIPHER_CTX_ctrl(
                        context, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), &tag) == 1
            }
        }
        precondition(done, "AES-GCM fails for want of memory only")
        return output + tag
    }

    static func decrypt(
        _ sealed: [UInt8], key: Secret, nonce: [UInt8], additionalData: [UInt8]
    ) -> [UInt8]? {
        // Sound: freed in the defer, after its last use; that zeroes the expanded key too.
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let ciphertext = Array(sealed.dropLast(tagSize))
        var tag = Array(sealed.suffix(tagSize))
        var output = [UInt8](repeating: 0, count: ciphertext.count)
        let done = key.withBytes { key in
            // Sound: as in `encrypt`; the final step writes nothing in this mode.
            unsafe key.withUnsafeBufferPointer { key in
                var count: Int32 = 0
                var end = [UInt8](repeating: 0, count: tagSize)
                return unsafe EVP_DecryptInit_ex(
                    context, EVP_aes_256_gcm(), nil, key.baseAddress, nonce) == 1
                    && EVP_DecryptUpdate(
                        context, nil, &count, additionalData, Int32(additionalData.count))
                        == 1
                    && EVP_DecryptUpdate(
                        context, &output, &count, ciphertext, Int32(ciphertext.count))
                        == 1
                    && gh_EVP_CIPHER_CTX_ctrl(
                        context, EVP_CTRL_AEAD_SET_TAG, Int32(tagSize), &tag) == 1
                    && EVP_DecryptFinal_ex(context, &end, &count) == 1
            }
        }
        guard done else {
            // Whoever asks OpenSSL next on this thread must not find this failure.
            ERR_clear_error()
            return nil
        }
        return output
    }
}
