import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// What is said of files and settings that TLS cannot be set up with.
struct TLSFileTests {
    private let good = TestCertificate()
    private let locked = TestCertificate(passphrase: "open, sesame")
    private let other = TestCertificate()

    private func server(
        key: String? = nil, passphrase: Secret? = nil, certificate: String? = nil,
        ciphers: String? = nil, dh: String? = nil, ca: String? = nil,
        asks: ServerTLS.ClientCertificate = .none, minimum: TLSVersion = .v12,
        maximum: TLSVersion = .v13
    ) -> TLSConfigurationError? {
        let identity = ServerTLS.Certificate(
            certificateFile: certificate ?? good.file, keyFile: key ?? good.keyFile,
            passphrase: passphrase)
        do throws(TLSConfigurationError) {
            _ = try ServerTLS(
                [identity], minimum: minimum, maximum: maximum, ciphers: ciphers,
                dhParametersFile: dh, clientCAFile: ca, clientCertificate: asks)
            return nil
        } catch { return error }
    }

    private func expect(
        _ error: TLSConfigurationError?, _ file: String, _ reason: String,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(error?.file == file, sourceLocation: location)
        #expect(
            error?.reason.contains(reason) == true, "\(error?.reason ?? "")",
            sourceLocation: location)
    }

    @Test func `a key that cannot be used is named with its reason`() {
        #expect(server() == nil)
        let none = good.directory + "/none.pem"
        expect(server(key: none), none, "No such file")
        expect(server(key: good.file), good.file, "no private key")
        expect(
            server(key: other.keyFile), other.keyFile, "not that of the certificate in \(good.file)"
        )
        expect(server(certificate: none), none, "No such file")
        expect(server(certificate: good.keyFile), good.keyFile, "no certificate")
        // A key that is not encrypted asks for nothing.
        #expect(server(passphrase: Secret("spare")) == nil)
    }

    /// OpenSSL would ask on the terminal, and a server at its start would hang there.
    @Test func `an encrypted key without the right passphrase is an error and no question`() {
        func error(_ passphrase: Secret?) -> TLSConfigurationError? {
            server(key: locked.keyFile, passphrase: passphrase, certificate: locked.file)
        }
        #expect(error(Secret("open, sesame")) == nil)
        expect(error(nil), locked.keyFile, "is encrypted, and no passphrase is given")
        for wrong in ["shut, sesame", "", String(repeating: "x", count: 5000)] {
            expect(error(Secret(wrong)), locked.keyFile, "the passphrase does not open the key")
            #expect(wrong.isEmpty || error(Secret(wrong))?.reason.contains(wrong) == false)
        }
    }

    @Test func `a list of ciphers must come to something that encrypts and proves`() {
        #expect(server(ciphers: "ECDHE+AESGCM:!aNULL") == nil)
        expect(server(ciphers: "NOSUCH"), "ciphers", "no cipher for 'NOSUCH'")
        expect(server(ciphers: ""), "ciphers", "no cipher")
        expect(server(ciphers: "ALL:@SECLEVEL=0"), "ciphers", "proves or encrypts nothing")
        for list in ["eNULL", "ECDHE-ECDSA-NULL-SHA", "AECDH-AES128-SHA"] {
            expect(
                server(ciphers: "\(list):@SECLEVEL=0"), "ciphers", "proves or encrypts nothing")
        }
        #expect(throws: TLSConfigurationError.self) { try ClientTLS(ciphers: "NOSUCH") }
    }

    @Test func `a file of DH parameters must have some`() throws {
        let none = good.directory + "/none.pem"
        expect(server(dh: none), none, "No such file")
        expect(server(dh: good.file), good.file, "no DH parameters; 'openssl dhparam")
        let curve = good.directory + "/curve.pem"
        defer { TextFile.remove(curve) }
        let text = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        try TextFile.write(text, to: curve)
        expect(server(dh: curve), curve, "no DH parameters; 'openssl dhparam")
    }

    @Test func `who vouches for clients must be readable, and must be there where one is required`()
    {
        let none = good.directory + "/none.pem"
        for asks in [ServerTLS.ClientCertificate.request, .require] {
            expect(server(ca: none, asks: asks), none, "No such file")
            expect(server(ca: good.keyFile, asks: asks), good.keyFile, "no certificate authority")
            #expect(server(ca: other.file, asks: asks) == nil)
        }
        #expect(server(asks: .request) == nil)
        expect(server(asks: .require), "client_certificate", "nobody would vouch")
    }

    @Test func `versions have an order`() {
        expect(server(minimum: .v13, maximum: .v12), "tls", "minimum version is above")
        #expect(throws: TLSConfigurationError.self) {
            try ClientTLS(minimum: .v13, maximum: .v12)
        }
    }

    @Test func `a client names its files as well`() {
        let none = good.directory + "/none.pem"
        func client(
            ca: String? = nil, system: Bool = true, key: String? = nil
        ) -> TLSConfigurationError? {
            do throws(TLSConfigurationError) {
                _ = try ClientTLS(
                    caFile: ca, systemCAs: system,
                    certificate: key.map {
                        ServerTLS.Certificate(certificateFile: good.file, keyFile: $0)
                    })
                return nil
            } catch { return error }
        }
        #expect(client(ca: good.file, system: false, key: good.keyFile) == nil)
        expect(client(ca: none), none, "No such file")
        expect(client(key: other.keyFile), other.keyFile, "not that of the certificate")
        expect(client(system: false), "ca_file", "nobody would vouch")
    }
}
