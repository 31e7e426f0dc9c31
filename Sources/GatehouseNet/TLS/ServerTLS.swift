import COpenSSL
public import GatehouseBase

/// A server's certificates, by name, with Mozilla's intermediate settings where nothing else is
/// said. Immutable; a reload makes a new one, connections keep the one they began with.
@safe public final class ServerTLS: Sendable {
    /// PEM files of one certificate: the chain, leaf first, and its key.
    public struct Certificate: Sendable, Equatable {
        public let certificateFile: String
        public let keyFile: String
        public let passphrase: Secret?

        /// - Parameter passphrase: of the key; nil for one that is not encrypted.
        public init(certificateFile: String, keyFile: String, passphrase: Secret? = nil) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.passphrase = passphrase
        }
    }

    /// Whether clients are asked for a certificate.
    public enum ClientCertificate: Sendable {
        case none
        /// Asked for; who has none, or one that nobody vouches for, connects all the same.
        case request
        /// The handshake fails without one that the CA file vouches for.
        case require
    }

    private let contexts: [ContextHandle]
    private let names: [String: Int]

    /// The first certificate answers for unknown and missing names.
    ///
    /// - Parameters:
    ///   - ciphers: an OpenSSL list for TLS 1.2, in our order of preference; nil: those with
    ///     forward secrecy and AEAD, in the client's.
    ///   - dhParametersFile: PEM; without it there is no DHE.
    ///   - clientCAFile: PEM certificates, one or several, that vouch for clients: these alone,
    ///     never the system's.
    public init(
        _ certificates: [Certificate], minimum: TLSVersion, maximum: TLSVersion,
        ciphers: String? = nil, dhParametersFile: String? = nil, clientCAFile: String? = nil,
        clientCertificate: ClientCertificate = .none
    ) throws(TLSConfigurationError) {
        var contexts: [ContextHandle] = []
        var names: [String: Int] = [:]
        for certificate in certificates {
            let context = try ContextHandle.server()
            try context.setIdentity(
                certificate: certificate.certificateFile, key: certificate.keyFile,
                passphrase: certificate.passphrase)
            try context.setVersions(minimum, maximum)
            try ServerTLS.setCiphers(ciphers, dhParametersFile, on: context)
            try ServerTLS.ask(clientCertificate, clientCAFile, on: context)
            ServerTLS.setSessions(on: context)
            if let shown = unsafe SSL_CTX_get0_certificate(context.pointer) {
                for name in unsafe ServerTLS.subjectNames(shown) where names[name] == nil {
                    names[name] = contexts.count
                }
            }
            contexts.append(context)
        }
        self.contexts = contexts
        self.names = names
        for context in contexts {
            // Sound: handles keep their ServerTLS alive through TLSStream.
            let own = unsafe Unmanaged.passUnretained(self).toOpaque()
            _ = unsafe gh_SSL_CTX_set_tlsext_servername_callback(
                context.pointer, ServerTLS.chooseByName)
            _ = unsafe gh_SSL_CTX_set_tlsext_servername_arg(context.pointer, own)
        }
    }

    /// A handle of the default certificate; the name callback may change it.
    func makeHandle() -> OpaquePointer? {
        guard let first = contexts.first, let handle = unsafe SSL_new(first.pointer) else {
            return nil
        }
        unsafe SSL_set_accept_state(handle)
        return unsafe handle
    }

    // MARK: Set-up

    private static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    /// Added where there are parameters for them.
    private static let dhCiphers =
        ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"

    private static func setCiphers(
        _ list: String?, _ dhParametersFile: String?, on context: ContextHandle
    ) throws(TLSConfigurationError) {
        if let dhParametersFile { try context.setDHParameters(dhParametersFile) }
        if list != nil {
            unsafe SSL_CTX_set_options(context.pointer, gh_SSL_OP_CIPHER_SERVER_PREFERENCE)
        }
        try context.setCiphers(list ?? (dhParametersFile == nil ? ciphers : ciphers + dhCiphers))
        _ = unsafe gh_SSL_CTX_set1_groups_list(context.pointer, "X25519:P-256:P-384")
    }

    /// Sets whether clients are asked for a certificate, and who vouches for them.
    private static func ask(
        _ certificate: ClientCertificate, _ file: String?, on context: ContextHandle
    ) throws(TLSConfigurationError) {
        guard certificate != .none else { return }
        if let file {
            try context.trust(file)
            // What clients choose their certificate by. The context takes the list over.
            unsafe SSL_CTX_set_client_CA_list(context.pointer, SSL_load_client_CA_file(file))
        } else if certificate == .require {
            throw TLSConfigurationError(
                file: "client_certificate",
                reason: "nobody would vouch for the certificates of clients; name the authority "
                    + "that does as the client CA")
        }
        if certificate == .require {
            unsafe SSL_CTX_set_verify(
                context.pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        } else {
            unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER) { _, _ in 1 }
        }
    }

    /// Resumption by tickets alone; no session is kept for a client that does not come back.
    private static func setSessions(on context: ContextHandle) {
        let identity = Array("gatehouse".utf8)
        // Sound: OpenSSL copies the identity; the context is ours alone until `init` returns.
        unsafe SSL_CTX_set_session_id_context(context.pointer, identity, UInt32(identity.count))
        _ = unsafe gh_SSL_CTX_set_session_cache_mode(context.pointer, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context.pointer, 1)
        unsafe SSL_CTX_set_alpn_select_cb(context.pointer, chooseProtocol, nil)
    }

    /// The DNS names of a certificate.
    static func subjectNames(_ certificate: OpaquePointer) -> [String] {
        var names: [String] = []
        guard let raw = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            return []
        }
        let list = OpaquePointer(raw)
        // Sound: the stack is ours and freed after the last look at it.
        let count = unsafe OPENSSL_sk_num(list)
        for index in 0..<count {
            guard let value = unsafe OPENSSL_sk_value(list, index) else { continue }
            let name = unsafe value.assumingMemoryBound(to: GENERAL_NAME.self)
            guard unsafe name.pointee.type == GEN_DNS, let text = unsafe name.pointee.d.dNSName
            else { continue }
            let length = unsafe Int(ASN1_STRING_length(text))
            guard let bytes = unsafe ASN1_STRING_get0_data(text) else { continue }
            let buffer = unsafe UnsafeBufferPointer(start: bytes, count: length)
            names.append(unsafe String(decoding: buffer, as: UTF8.self).lowercased())
        }
        unsafe gh_GENERAL_NAMES_free(raw)
        return names
    }

    /// The context for a name: exact, then a wildcard of its parent.
    private func context(for name: String) -> ContextHandle? {
        let name = name.lowercased()
        if let index = names[name] { return contexts[index] }
        guard let dot = name.firstIndex(of: ".") else { return nil }
        return names["*" + name[dot...]].map { contexts[$0] }
    }

    // MARK: Callbacks

    private static let chooseByName:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?)
            -> Int32 = { handle, _, argument in
                // Sound: the argument is the ServerTLS that owns the handle's context.
                guard let handle = unsafe handle, let argument = unsafe argument,
                    let text = unsafe SSL_get_servername(handle, Int32(TLSEXT_NAMETYPE_host_name))
                else { return SSL_TLSEXT_ERR_NOACK }
                let own = unsafe Unmanaged<ServerTLS>.fromOpaque(argument).takeUnretainedValue()
                if let context = unsafe own.context(for: String(cString: text)) {
                    unsafe SSL_set_SSL_CTX(handle, context.pointer)
                }
                // A name that we do not know gets the default certificate (Cloudflare Tunnel says
                // `localhost`), never an alert.
                return SSL_TLSEXT_ERR_OK
            }

    private static let chooseProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
            UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32 = { _, chosen, chosenCount, offered, count, _ in
            guard let chosen = unsafe chosen, let chosenCount = unsafe chosenCount,
                let offered = unsafe offered
            else { return SSL_TLSEXT_ERR_NOACK }
            // Sound: OpenSSL has checked the list: length-prefixed names within `count` bytes.
            for wanted in ["http/1.1", "http/1.0"] {
                var at = 0
                while at < Int(count) {
                    let length = unsafe Int(offered[at])
                    let name = unsafe UnsafeBufferPointer(start: offered + at + 1, count: length)
                    if unsafe name.elementsEqual(wanted.utf8) {
                        unsafe chosen.pointee = offered + at + 1
                        unsafe chosenCount.pointee = UInt8(length)
                        return SSL_TLSEXT_ERR_OK
                    }
                    at += 1 + length
                }
            }
            // Nothing in common ends the handshake (RFC 7301 §3.2).
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
}
