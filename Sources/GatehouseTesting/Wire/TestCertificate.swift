import COpenSSL
import GatehouseBase
public import GatehouseNet
import Glibc
import Synchronization

/// A self-signed certificate of names of this machine, made on the spot, in a folder of its own:
/// `server.pem` and `server.key`, as the gateway reads them. What cannot fail but for want of
/// memory or room traps.
public final class TestCertificate: Sendable {
    /// Holds `server.pem` and `server.key`; removed at the end.
    public let directory: String
    private let clients = Locked<ClientTLS?>(nil)

    /// - Parameters:
    ///   - valid: seconds from now.
    ///   - names: as subjectAltName has them.
    ///   - usesRSA: in place of P-256.
    ///   - passphrase: what the key file is encrypted with.
    public init(
        names: [String] = ["DNS:localhost", "DNS:*.localhost", "IP:127.0.0.1"],
        valid: ClosedRange<Int> = -60...3600, usesRSA: Bool = false, passphrase: String? = nil
    ) {
        var template = Array("/tmp/gatehouse-test.XXXXXX".utf8CString)
        // Sound: mkdtemp writes into the array that it is given.
        let made = unsafe mkdtemp(&template) != nil
        precondition(made, "no folder for temporary files")
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        write(names, valid, usesRSA: usesRSA, passphrase)
    }

    deinit {
        // Sound: paths are copied by the calls.
        unsafe unlink(file)
        unsafe unlink(keyFile)
        unsafe rmdir(directory)
    }

    /// The certificate: what a server shows, and what its clients trust.
    public var file: String { directory + "/server.pem" }

    public var keyFile: String { directory + "/server.key" }

    /// For a server of a test.
    public func server() throws -> ServerTLS {
        try ServerTLS(
            [ServerTLS.Certificate(certificateFile: file, keyFile: keyFile)], minimum: .v12,
            maximum: .v13)
    }

    /// For clients that trust this certificate: one for all of them, as it reads the system's
    /// authorities too.
    public func client() throws -> ClientTLS {
        try clients.withLock { known in
            let client = try known ?? ClientTLS(caFile: file)
            known = client
            return client
        }
    }

    private func makeKey(usesRSA: Bool) -> OpaquePointer? {
        // Sound: the context is freed here; the key is the caller's.
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, usesRSA ? "RSA" : "EC", nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let isDone =
            unsafe EVP_PKEY_keygen_init(context) == 1
            && (usesRSA || EVP_PKEY_CTX_set_group_name(context, "prime256v1") == 1)
            && EVP_PKEY_generate(context, &key) == 1
        precondition(isDone, "no key")
        return unsafe key
    }

    private func write(
        _ names: [String], _ valid: ClosedRange<Int>, usesRSA: Bool, _ passphrase: String?
    ) {
        // Sound: everything that is made here is freed here, and OpenSSL copies what it is given.
        let key = unsafe makeKey(usesRSA: usesRSA)
        defer { unsafe EVP_PKEY_free(key) }
        let certificate = unsafe X509_new()
        defer { unsafe X509_free(certificate) }
        let subject = unsafe X509_get_subject_name(certificate)
        // Authorities are looked up by their names: of several in a file each has its own.
        let commonName = Array("localhost \(UInt32.random(in: .min ... .max))".utf8)
        let altNames = unsafe X509V3_EXT_conf_nid(
            nil, nil, NID_subject_alt_name, names.joined(separator: ","))
        defer { unsafe X509_EXTENSION_free(altNames) }
        var isDone =
            unsafe X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...Int.max))
                == 1
            && X509_gmtime_adj(X509_getm_notBefore(certificate), valid.lowerBound) != nil
            && X509_gmtime_adj(X509_getm_notAfter(certificate), valid.upperBound) != nil
            && X509_NAME_add_entry_by_txt(
                subject, "CN", MBSTRING_ASC, commonName, Int32(commonName.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, subject) == 1
            && X509_set_pubkey(certificate, key) == 1
            && X509_add_ext(certificate, altNames, -1) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
        precondition(isDone, "no certificate")
        let word = passphrase.map { Array($0.utf8) }
        let text = unsafe BIO_new_file(file, "w")
        let keyText = unsafe BIO_new_file(keyFile, "w")
        unsafe isDone =
            PEM_write_bio_X509(text, certificate) == 1
            && PEM_write_bio_PrivateKey(
                keyText, key, passphrase == nil ? nil : EVP_aes_256_cbc(), word,
                Int32(passphrase?.utf8.count ?? 0), nil, nil) == 1
        unsafe BIO_free(text)
        unsafe BIO_free(keyText)
        precondition(isDone, "no room for a certificate")
    }
}
