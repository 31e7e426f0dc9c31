import COpenSSL
import GatehouseBase

/// An owned SSL_CTX, and what servers and clients set up in the same way. The files are read now;
/// nothing here ever asks on a terminal.
@safe final class ContextHandle: Sendable {
    // Sound: an SSL_CTX is locked inside, and not changed once its owner is made.
    nonisolated(unsafe) let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe SSL_CTX_free(pointer) }

    static func server() throws(TLSConfigurationError) -> ContextHandle {
        try unsafe make(TLS_server_method())
    }

    static func client() throws(TLSConfigurationError) -> ContextHandle {
        try unsafe make(TLS_client_method())
    }

    private static func make(
        _ method: OpaquePointer?
    ) throws(TLSConfigurationError) -> ContextHandle {
        TLSError.forget()
        guard let pointer = unsafe SSL_CTX_new(method) else {
            throw TLSConfigurationError(file: "tls", reason: TLSError.takeText())
        }
        let context = unsafe ContextHandle(pointer)
        let modes =
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
            | Int(SSL_MODE_RELEASE_BUFFERS)
        _ = unsafe gh_SSL_CTX_set_mode(pointer, modes)
        unsafe SSL_CTX_set_options(pointer, gh_SSL_OP_NO_RENEGOTIATION | gh_SSL_OP_NO_COMPRESSION)
        // Without one, OpenSSL asks for passphrases on the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(pointer, Passphrase.callback)
        return context
    }

    // MARK: Settings

    func setVersions(
        _ minimum: TLSVersion, _ maximum: TLSVersion
    ) throws(TLSConfigurationError) {
        guard minimum <= maximum else {
            throw TLSConfigurationError(
                file: "tls", reason: "the minimum version is above the maximum")
        }
        _ = unsafe gh_SSL_CTX_set_min_proto_version(pointer, minimum.number)
        _ = unsafe gh_SSL_CTX_set_max_proto_version(pointer, maximum.number)
    }

    /// Takes an OpenSSL list for TLS 1.2; that of TLS 1.3 is OpenSSL's own.
    func setCiphers(_ list: String) throws(TLSConfigurationError) {
        TLSError.forget()
        guard unsafe SSL_CTX_set_cipher_list(pointer, list) == 1 else {
            TLSError.forget()
            throw TLSConfigurationError(
                file: "ciphers",
                reason: "OpenSSL has no cipher for '\(list)'; 'openssl ciphers -v LIST' shows "
                    + "what a list comes to")
        }
        guard let ciphers = unsafe SSL_CTX_get_ciphers(pointer) else { return }
        for index in unsafe 0..<OPENSSL_sk_num(ciphers) {
            guard let raw = unsafe OPENSSL_sk_value(ciphers, index) else { continue }
            let cipher = OpaquePointer(raw)
            guard
                unsafe SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null
                    || SSL_CIPHER_get_cipher_nid(cipher) == NID_undef
            else { continue }
            let name = unsafe String(cString: SSL_CIPHER_get_name(cipher))
            throw TLSConfigurationError(
                file: "ciphers",
                reason: "'\(list)' has \(name), which proves or encrypts nothing; "
                    + "add ':!aNULL:!eNULL'")
        }
    }

    /// Takes the parameters of DHE ciphers.
    func setDHParameters(_ file: String) throws(TLSConfigurationError) {
        let remedy = "; 'openssl dhparam -out FILE 2048' makes such a file"
        let text = try unsafe ContextHandle.open(file)
        let key = unsafe PEM_read_bio_Parameters(text, nil)
        unsafe BIO_free(text)
        guard let key = unsafe key, unsafe EVP_PKEY_is_a(key, "DH") == 1 else {
            unsafe EVP_PKEY_free(key)
            TLSError.forget()
            throw TLSConfigurationError(file: file, reason: "it has no DH parameters" + remedy)
        }
        // Sound: the context takes the parameters over only if it says so.
        guard unsafe SSL_CTX_set0_tmp_dh_pkey(pointer, key) == 1 else {
            unsafe EVP_PKEY_free(key)
            throw TLSConfigurationError(file: file, reason: TLSError.takeText() + remedy)
        }
    }

    /// Opens a file for OpenSSL to read.
    static func open(_ file: String) throws(TLSConfigurationError) -> OpaquePointer {
        try refuseOthers(file)
        TLSError.forget()
        guard let text = unsafe BIO_new_file(file, "r") else {
            throw TLSConfigurationError(file: file, reason: TLSError.takeText())
        }
        return unsafe text
    }

    /// OpenSSL would wait for whoever writes into a FIFO.
    private static func refuseOthers(_ file: String) throws(TLSConfigurationError) {
        guard let reason = SecretFile.refusal(file) else { return }
        throw TLSConfigurationError(file: file, reason: reason)
    }

    /// Trusts the certificates of a PEM file, which may be several.
    func trust(_ file: String) throws(TLSConfigurationError) {
        try ContextHandle.refuseOthers(file)
        TLSError.forget()
        guard unsafe SSL_CTX_load_verify_file(pointer, file) == 1 else {
            throw TLSConfigurationError(
                file: file, reason: "no certificate authority to be read: " + TLSError.takeText())
        }
    }

    // MARK: Identity

    /// Takes a certificate, with the chain that follows it in its file, and its key.
    func setIdentity(
        certificate: String, key: String, passphrase: Secret?
    ) throws(TLSConfigurationError) {
        try ContextHandle.refuseOthers(certificate)
        TLSError.forget()
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, certificate) == 1 else {
            throw TLSConfigurationError(
                file: certificate, reason: "no certificate to be read: " + TLSError.takeText())
        }
        let pair = try unsafe ContextHandle.readKey(key, passphrase)
        defer { unsafe EVP_PKEY_free(pair) }
        guard unsafe SSL_CTX_use_PrivateKey(pointer, pair) == 1,
            unsafe SSL_CTX_check_private_key(pointer) == 1
        else {
            TLSError.forget()
            throw TLSConfigurationError(
                file: key, reason: "the key is not that of the certificate in \(certificate)")
        }
    }

    private static func readKey(
        _ file: String, _ passphrase: Secret?
    ) throws(TLSConfigurationError) -> OpaquePointer {
        let text = try unsafe open(file)
        defer { unsafe BIO_free(text) }
        let answer = Passphrase(passphrase)
        // Sound: `answer` outlives the call that uses it.
        let key = unsafe withExtendedLifetime(answer) {
            unsafe PEM_read_bio_PrivateKey(
                text, nil, Passphrase.callback, Unmanaged.passUnretained(answer).toOpaque())
        }
        if let key = unsafe key { return unsafe key }
        let said = TLSError.takeText()
        let reason =
            switch (answer.wasAsked, passphrase) {
            case (false, _): "no private key to be read: \(said)"
            case (true, nil): "the key is encrypted, and no passphrase is given"
            case (true, _): "the passphrase does not open the key"
            }
        throw TLSConfigurationError(file: file, reason: reason)
    }
}
