import COpenSSL

/// Protocol versions. TLS 1.0 and 1.1 are not among them (RFC 8996).
public enum TLSVersion: Sendable, Comparable {
    case v12, v13

    var number: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}
