import COpenSSL

/// Why certificates or keys cannot be used.
public struct TLSConfigurationError: Error, Sendable {
    public let file: String
    public let reason: String
}

/// Protocol versions.
public enum TLSVersion: Sendable {
    case v12, v13

    var number: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// An owned SSL_CTX.
@safe final class ContextHandle: Sendable {
    // Sound: an SSL_CTX is locked inside, and not changed once its owner is made.
    nonisolated(unsafe) let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe SSL_CTX_free(pointer) }
}

/// A server's certificates, by name, with Mozilla's intermediate settings. Immutable; a reload
/// makes a new one, connections keep the one they began with.
@safe public final class ServerTLS: Sendable {
    /// PEM files of one certificate: the chain, leaf first, and its key.
    public struct Certificate: Sendable, Equatable {
        public let certificateFile: String
        public let keyFile: String

        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    private let contexts: [ContextHandle]
    private let names: [String: Int]

    /// The first certificate answers for unknown and missing names.
    public init(
        _ certificates: [Certificate], minimum: TLSVersion, maximum: TLSVersion
    ) throws(TLSConfigurationError) {
        var contexts: [ContextHandle] = []
        var names: [String: Int] = [:]
        for certificate in certificates {
            let context = try ServerTLS.makeContext(certificate, minimum, maximum)
            for name in ServerTLS.subjectNames(context) where names[name] == nil {
                names[name] = contexts.count
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

    private static func makeContext(
        _ certificate: Certificate, _ minimum: TLSVersion, _ maximum: TLSVersion
    ) throws(TLSConfigurationError) -> ContextHandle {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSConfigurationError(
                file: certificate.certificateFile, reason: TLSError.takeText())
        }
        let owned = unsafe ContextHandle(context)
        try unsafe load(certificate, into: context)
        // Sound: the context is ours alone until `init` returns.
        _ = unsafe gh_SSL_CTX_set_min_proto_version(context, minimum.number)
        _ = unsafe gh_SSL_CTX_set_max_proto_version(context, maximum.number)
        unsafe SSL_CTX_set_cipher_list(context, ciphers)
        _ = unsafe gh_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")
        unsafe SSL_CTX_set_options(context, gh_SSL_OP_NO_RENEGOTIATION | gh_SSL_OP_NO_COMPRESSION)
        unsafe TLSModes.set(context)
        let identity = Array("gatehouse".utf8)
        unsafe SSL_CTX_set_session_id_context(context, identity, UInt32(identity.count))
        // Resumption by tickets alone; no session is kept for a client that does not come back.
        _ = unsafe gh_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, 1)
        unsafe SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
        return owned
    }

    private static func load(
        _ certificate: Certificate, into context: OpaquePointer
    ) throws(TLSConfigurationError) {
        TLSError.forget()
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate.certificateFile) == 1
        else {
            throw TLSConfigurationError(
                file: certificate.certificateFile, reason: TLSError.takeText())
        }
        guard
            unsafe SSL_CTX_use_PrivateKey_file(context, certificate.keyFile, SSL_FILETYPE_PEM) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else {
            throw TLSConfigurationError(file: certificate.keyFile, reason: TLSError.takeText())
        }
    }

    /// The DNS names and, where there are none, the common name of a context's certificate.
    private static func subjectNames(_ context: ContextHandle) -> [String] {
        guard let certificate = unsafe SSL_CTX_get0_certificate(context.pointer) else { return [] }
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
            var at = 0
            while at < Int(count) {
                let length = unsafe Int(offered[at])
                let name = unsafe UnsafeBufferPointer(start: offered + at + 1, count: length)
                if unsafe name.elementsEqual("http/1.1".utf8) {
                    unsafe chosen.pointee = offered + at + 1
                    unsafe chosenCount.pointee = UInt8(length)
                    return SSL_TLSEXT_ERR_OK
                }
                at += 1 + length
            }
            // Nothing in common: as without ALPN, HTTP/1.1.
            return SSL_TLSEXT_ERR_NOACK
        }
}

/// What both sides set.
enum TLSModes {
    static func set(_ context: OpaquePointer) {
        // Sound: constants; the context is the caller's.
        let modes =
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
            | Int(SSL_MODE_RELEASE_BUFFERS)
        _ = unsafe gh_SSL_CTX_set_mode(context, modes)
    }
}

/// How we verify the servers that we connect to. Immutable.
@safe public final class ClientTLS: Sendable {
    private let context: ContextHandle
    private let serverName: String?
    private let isInsecure: Bool

    /// - Parameters:
    ///   - caFile: PEM certificates beside the system's store; alone where that is missing.
    ///   - serverName: the name to ask for and to check, in place of the URL's host.
    ///   - insecureSkipVerify: takes any certificate.
    public init(
        caFile: String? = nil, serverName: String? = nil, insecureSkipVerify: Bool = false
    ) throws(TLSConfigurationError) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw TLSConfigurationError(file: caFile ?? "", reason: TLSError.takeText())
        }
        self.context = unsafe ContextHandle(context)
        self.serverName = serverName
        isInsecure = insecureSkipVerify
        unsafe TLSModes.set(context)
        _ = unsafe gh_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        unsafe SSL_CTX_set_options(context, gh_SSL_OP_NO_RENEGOTIATION | gh_SSL_OP_NO_COMPRESSION)
        unsafe SSL_CTX_set_verify(
            context, insecureSkipVerify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
        guard !insecureSkipVerify else { return }
        unsafe SSL_CTX_set_default_verify_paths(context)
        if let caFile, unsafe SSL_CTX_load_verify_locations(context, caFile, nil) != 1 {
            throw TLSConfigurationError(file: caFile, reason: TLSError.takeText())
        }
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
        let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
        unsafe SSL_set_alpn_protos(handle, protocols, UInt32(protocols.count))
        unsafe SSL_set_connect_state(handle)
        return unsafe handle
    }
}
