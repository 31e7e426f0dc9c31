import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// What a listener's TLS settings do on the wire.
struct ServerTLSTests {
    private let shown = TestCertificate()

    private func identity(_ certificate: TestCertificate) -> ServerTLS.Certificate {
        ServerTLS.Certificate(
            certificateFile: certificate.file, keyFile: certificate.keyFile)
    }

    /// Whether a client with that certificate gets through.
    struct Visitor: Sendable, CustomTestStringConvertible {
        enum Certificate: Sendable { case none, stranger, known, other }
        let asked: ServerTLS.ClientCertificate
        let shows: Certificate
        let passes: Bool

        var testDescription: String { "\(asked) and \(shows)" }
    }

    static let visitors = [
        Visitor(asked: .none, shows: .none, passes: true),
        Visitor(asked: .none, shows: .stranger, passes: true),
        Visitor(asked: .request, shows: .none, passes: true),
        Visitor(asked: .request, shows: .stranger, passes: true),
        Visitor(asked: .request, shows: .known, passes: true),
        Visitor(asked: .require, shows: .none, passes: false),
        Visitor(asked: .require, shows: .stranger, passes: false),
        Visitor(asked: .require, shows: .known, passes: true),
        Visitor(asked: .require, shows: .other, passes: true),
    ]

    @Test(arguments: visitors, [TLSVersion.v12, .v13])
    func `a client is let in by its certificate`(
        _ visitor: Visitor, version: TLSVersion
    ) async throws {
        let (known, other, stranger) = (TestCertificate(), TestCertificate(), TestCertificate())
        let authorities = shown.directory + "/clients.pem"
        try TextFile.write(
            try TextFile.read(known.file) + TextFile.read(other.file), to: authorities)
        defer { TextFile.remove(authorities) }
        let server = try ServerTLS(
            [identity(shown)], minimum: version, maximum: version,
            clientCAFile: authorities, clientCertificate: visitor.asked)
        let certificate: TestCertificate? =
            switch visitor.shows {
            case .none: nil
            case .stranger: stranger
            case .known: known
            case .other: other
            }
        let client = try ClientTLS(
            caFile: shown.file, certificate: certificate.map(identity))
        let cipher = try await TLSMeeting.cipher(server, client)
        #expect((cipher != nil) == visitor.passes)
    }

    @Test func `the listener's order of ciphers counts where it has a list`() async throws {
        let (long, short) = ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256")
        let client = try ClientTLS(
            caFile: shown.file, ciphers: "\(short):\(long)", maximum: .v12)
        for (list, chosen) in [("\(long):\(short)", long), (short, short), (nil, short)] {
            let server = try ServerTLS(
                [identity(shown)], minimum: .v12, maximum: .v13, ciphers: list)
            #expect(try await TLSMeeting.cipher(server, client) == chosen)
        }
        let other = try ServerTLS(
            [identity(shown)], minimum: .v12, maximum: .v13,
            ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305")
        #expect(try await TLSMeeting.cipher(other, client) == nil)
        // The list is not for TLS 1.3.
        #expect(try await TLSMeeting.cipher(other, try shown.client()) == "TLS_AES_256_GCM_SHA384")
    }

    @Test func `ciphers of DHE need parameters`() async throws {
        let rsa = TestCertificate(usesRSA: true)
        let file = rsa.directory + "/dh.pem"
        try TextFile.write(DHParameters.text, to: file)
        defer { TextFile.remove(file) }
        let name = "DHE-RSA-AES256-GCM-SHA384"
        let client = try ClientTLS(caFile: rsa.file, ciphers: name, maximum: .v12)
        for list in [nil, name] {
            let with = try ServerTLS(
                [identity(rsa)], minimum: .v12, maximum: .v13, ciphers: list,
                dhParametersFile: file)
            #expect(try await TLSMeeting.cipher(with, client) == name)
            let without = try ServerTLS(
                [identity(rsa)], minimum: .v12, maximum: .v13, ciphers: list)
            #expect(try await TLSMeeting.cipher(without, client) == nil)
        }
    }

    @Test func `a version is the lowest or highest of a side`() async throws {
        let (old, new) = (
            try ClientTLS(caFile: shown.file, maximum: .v12),
            try ClientTLS(caFile: shown.file, minimum: .v13)
        )
        let only = try ServerTLS([identity(shown)], minimum: .v12, maximum: .v12)
        #expect(try await TLSMeeting.cipher(only, old) != nil)
        #expect(try await TLSMeeting.cipher(only, new) == nil)
        let newest = try ServerTLS([identity(shown)], minimum: .v13, maximum: .v13)
        #expect(try await TLSMeeting.cipher(newest, old) == nil)
        #expect(try await TLSMeeting.cipher(newest, new) != nil)
    }

    @Test func `a key may be encrypted, on both sides`() async throws {
        let locked = TestCertificate(passphrase: "open, sesame")
        let identity = ServerTLS.Certificate(
            certificateFile: locked.file, keyFile: locked.keyFile,
            passphrase: Secret("open, sesame"))
        let server = try ServerTLS(
            [identity], minimum: .v12, maximum: .v13, clientCAFile: locked.file,
            clientCertificate: .require)
        let client = try ClientTLS(
            caFile: locked.file, systemCAs: false, certificate: identity)
        #expect(try await TLSMeeting.cipher(server, client) != nil)
        #expect(try await TLSMeeting.cipher(server, try locked.client()) == nil)
    }

    @Test func `the file of authorities may hold several, and the name counts with each`()
        async throws
    {
        let other = TestCertificate(names: ["DNS:other.localhost"])
        let both = shown.directory + "/both.pem"
        try TextFile.write(try TextFile.read(other.file) + TextFile.read(shown.file), to: both)
        defer { TextFile.remove(both) }
        let client = try ClientTLS(caFile: both, systemCAs: false)
        let server = try ServerTLS([identity(other)], minimum: .v12, maximum: .v13)
        #expect(try await TLSMeeting.cipher(server, client, name: "other.localhost") != nil)
        #expect(try await TLSMeeting.cipher(server, client, name: "localhost") == nil)
        #expect(try await TLSMeeting.cipher(try shown.server(), client) != nil)
        let stranger = try TestCertificate().server()
        #expect(try await TLSMeeting.cipher(stranger, client) == nil)
    }
}
