/// The `tls` of a listener: Mozilla's intermediate settings with these certificates.
public struct ListenerTLSSettings: Sendable, Hashable {
    /// A certificate with its chain, and its key, both in PEM files.
    public struct CertificatePair: Sendable, Hashable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The two versions there are.
    public enum Version: String, Sendable, Hashable, CaseIterable, Comparable {
        case tls12 = "1.2"
        case tls13 = "1.3"

        public static func < (left: Version, right: Version) -> Bool {
            left == .tls12 && right == .tls13
        }
    }

    /// Chosen by the name that the client asks for; the first where it asks for none or for one
    /// that no certificate has. Never empty.
    public var certificates: [CertificatePair]
    public var minimum: Version
    public var maximum: Version

    public init(
        certificates: [CertificatePair], minimum: Version = .tls12, maximum: Version = .tls13
    ) {
        self.certificates = certificates
        self.minimum = minimum
        self.maximum = maximum
    }
}
