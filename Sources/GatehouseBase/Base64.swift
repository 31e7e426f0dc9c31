/// Base64 with the standard alphabet and padding (RFC 4648 §4).
public enum Base64 {
    /// The text of `bytes`, padded.
    public static func encode(_ bytes: [UInt8]) -> String {
        Base64Alphabet.standard.encode(bytes, padded: true)
    }
}

/// Whether both texts are the same bytes.
///
/// Swift's `==` takes canonically equivalent texts for equal (the Kelvin sign for `K`): right for
/// people, wrong for issuers, audiences, subjects, names and groups (RFC 8259 §8.3).
public func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
