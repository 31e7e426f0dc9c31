import COpenSSL
public import GatehouseBase
import Glibc

/// What the certificate at the head of a PEM file says of itself.
public struct CertificateFacts: Sendable {
    /// Before this it is not valid.
    public let start: Timestamp
    /// After this it is no longer valid.
    public let end: Timestamp
    /// Its DNS names, in lower case.
    public let names: [String]
    /// Whether it is for one of the hosts that were asked about.
    public let isForOne: Bool

    /// nil where there is no certificate to be read.
    ///
    /// - Parameter hosts: names, and numeric addresses without brackets.
    public init?(of file: String, hosts: [String]) {
        guard let text = try? unsafe ContextHandle.open(file) else { return nil }
        // Sound: what is made here is freed here, and nothing of it is kept.
        defer {
            unsafe BIO_free(text)
            TLSError.forget()
        }
        guard let certificate = unsafe PEM_read_bio_X509_AUX(text, nil, nil, nil) else {
            return nil
        }
        defer { unsafe X509_free(certificate) }
        guard let start = unsafe CertificateFacts.time(X509_get0_notBefore(certificate)),
            let end = unsafe CertificateFacts.time(X509_get0_notAfter(certificate))
        else { return nil }
        self.start = start
        self.end = end
        names = unsafe ServerTLS.subjectNames(certificate)
        isForOne = hosts.contains { host in
            Address(ip: host, port: 0) == nil
                ? unsafe X509_check_host(certificate, host, host.utf8.count, 0, nil) == 1
                : unsafe X509_check_ip_asc(certificate, host, 0) == 1
        }
    }

    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> Timestamp? {
        // Sound: OpenSSL fills the structure.
        var fields = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &fields) == 1 else { return nil }
        return Timestamp(seconds: Double(unsafe timegm(&fields)))
    }
}
