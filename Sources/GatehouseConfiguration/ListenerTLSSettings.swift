public import GatehouseBase

/// The `tls` of a listener: Mozilla's intermediate settings with these certificates.
public struct ListenerTLSSettings: Sendable, Equatable {
    /// A certificate with its chain, and its key, both in PEM files.
    public struct CertificatePair: Sendable, Equatable {
        public var certificate: String
        public var key: String
        /// Of an encrypted key.
        public var passphrase: Secret?

        public init(certificate: String, key: String, passphrase: Secret? = nil) {
            self.certificate = certificate
            self.key = key
            self.passphrase = passphrase
        }
    }

    /// Whether clients present a certificate.
    public enum ClientCertificate: String, Sendable, Hashable, CaseIterable {
        case none
        /// Asked for; whoever has none connects all the same.
        case request
        /// Without one that ``ListenerTLSSettings/clientCA`` vouches for there is no connection.
        case require
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
    /// `ciphers`: a list in OpenSSL's words for TLS 1.2, the first that both sides know; nil for ours.
    public var ciphers: String?
    /// `dhparam_file`: PEM.
    public var dhparamFile: String?
    /// `client_ca`: PEM, one or several.
    public var clientCA: String?
    /// `client_certificate`.
    public var clientCertificate = ClientCertificate.none

    public init(
        certificates: [CertificatePair], minimum: Version = .tls12, maximum: Version = .tls13
    ) {
        self.certificates = certificates
        self.minimum = minimum
        self.maximum = maximum
    }
}
