public import GatehouseBase

/// AES-256-GCM (NIST SP 800-38D), for what we hand to a browser or a disk and want back unread
/// and unchanged.
public struct AEAD: Sendable {
    /// Bytes of a nonce.
    public static let nonceSize = 12

    /// Bytes by which a sealed text is longer than the plain one: nonce and tag.
    public static let overhead = nonceSize + 16

    private let key: Secret

    /// - Parameter key: 32 bytes; others are a programmer's mistake.
    public init(key: Secret) {
        precondition(key.count == 32, "AES-256 has a key of 32 bytes")
        self.key = key
    }

    /// `nonce ‖ ciphertext ‖ tag`.
    ///
    /// - Parameters:
    ///   - plaintext: what to seal.
    ///   - nonce: 12 bytes, never twice under one key; random ones are good for 2^32 texts.
    ///   - additionalData: not in the result, but the result opens only beside it.
    public func seal(_ plaintext: [UInt8], nonce: [UInt8], additionalData: [UInt8]) -> [UInt8] {
        precondition(nonce.count == Self.nonceSize, "a nonce has 12 bytes")
        return nonce
            + GaloisCounterMode.encrypt(
                plaintext, key: key, nonce: nonce, additionalData: additionalData)
    }

    /// The text of ``seal(_:nonce:additionalData:)``; nil where key, data or any bit differ.
    public func open(_ sealed: [UInt8], additionalData: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.overhead else { return nil }
        return GaloisCounterMode.decrypt(
            Array(sealed[Self.nonceSize...]), key: key,
            nonce: Array(sealed[..<Self.nonceSize]), additionalData: additionalData)
    }
}
