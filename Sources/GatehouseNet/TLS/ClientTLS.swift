import COpenSSL
import GatehouseBase

/// How we verify the servers that we connect to, and who we say we are. Immutable.
@safe public final class ClientTLS: Sendable {
    /// PEM files of our own certificate: the chain, leaf first, and its key, which may be in the
    /// same file.
    public typealias Certificate = ServerTLS.Certificate

    private let context: ContextHandle
    private let serverName: String?
    private let isInsecure: Bool
    private let namesProtocol: Bool

    /// - Parameters:
    ///   - caFile: PEM certificates, one or several, that vouch for servers.
    ///   - serverName: the name to ask for and to check, in place of the URL's host.
    ///   - insecureSkipVerify: takes any certificate.
    ///   - systemCAs: whether the system's store vouches beside `caFile`. Without it, that file
    ///     alone does.
    ///   - certificate: what we show to servers that ask for one.
    ///   - namesProtocol: whether `http/1.1` is offered by ALPN.
    ///   - ciphers: an OpenSSL list for TLS 1.2; nil: OpenSSL's.
    public init(
        caFile: String? = nil, serverName: String? = nil, insecureSkipVerify: Bool = false,
        systemCAs: Bool = true, certificate: Certificate? = nil, ciphers: String? = nil,
        minimum: TLSVersion = .v12, maximum: TLSVersion = .v13, namesProtocol: Bool = true
    ) throws(TLSConfigurationError) {
        context = try ContextHandle.client()
        self.serverName = serverName
        isInsecure = insecureSkipVerify
        self.namesProtocol = namesProtocol
        try context.setVersions(minimum, maximum)
        if let ciphers { try context.setCiphers(ciphers) }
        if let certificate {
            try context.setIdentity(
                certificate: certificate.certificateFile, key: certificate.keyFile,
                passphrase: certificate.passphrase)
        }
        unsafe SSL_CTX_set_verify(
            context.pointer, insecureSkipVerify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
        guard !insecureSkipVerify else { return }
        guard systemCAs || caFile != nil else {
            throw TLSConfigurationError(
                file: "ca_file", reason: "nobody would vouch for a server; name an authority")
        }
        if systemCAs { unsafe SSL_CTX_set_default_verify_paths(context.pointer) }
        if let caFile { try context.trust(caFile) }
        TLSError.forget()
    }

    /// A handle that asks for `host` and checks the certificate against it.
    func makeHandle(host: String) -> OpaquePointer? {
        guard let handle = unsafe SSL_new(context.pointer) else { return nil }
        let name = serverName ?? host
        let isAddress = Address(ip: name, port: 0) != nil
        // Sound: OpenSSL copies the name; the handle is ours.
        if isAddress {
            if !isInsecure, let parameters = unsafe SSL_get0_param(handle) {
                unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name)
            }
        } else {
            _ = unsafe gh_SSL_set_tlsext_host_name(handle, name)
            if !isInsecure { unsafe SSL_set1_host(handle, name) }
        }
        if namesProtocol {
            let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
            unsafe SSL_set_alpn_protos(handle, protocols, UInt32(protocols.count))
        }
        unsafe SSL_set_connect_state(handle)
        return unsafe handle
    }
}
