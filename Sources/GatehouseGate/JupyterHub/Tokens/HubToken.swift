import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC

/// A token of JupyterHub's as a request brings it: `Authorization: token …`, once, and none of our
/// cookies. What names another one in its query as well is none, nor is what makes Jupyter look for
/// one in its body: Jupyter may go by that.
struct HubToken {
    private let bytes: [UInt8]

    /// - Parameter limit: bytes of a token.
    init?(_ request: borrowing RequestHead, limit: Int) {
        guard let line = request.fields.firstIndex(of: .authorization),
            request.fields.count(of: .authorization) == 1,
            let start = HubToken.start(in: request.fields.value(at: line), limit: limit),
            !ReservedCookies.areIn(request.fields), !FetchMetadata.feignsWebSocket(request.fields)
        else { return nil }
        bytes = Array(request.fields.value(at: line).array[start...])
        guard request.query().isEmpty || isOnlyToken(in: request.query().array) else { return nil }
    }

    private func isOnlyToken(in query: [UInt8]) -> Bool {
        guard let parameters = FormFields(parsing: query) else { return false }
        return parameters.all(named: "token").allSatisfy { Array($0.utf8) == bytes }
    }

    /// Where the token begins; nil for every other form of the field.
    private static func start(in value: borrowing Span<UInt8>, limit: Int) -> Int? {
        let scheme: StaticString = "token "
        let start = scheme.utf8CodeUnitCount
        guard value.count > start, value.count - start <= limit,
            value.extracting(0..<start).equalsIgnoringCase(scheme)
        else { return nil }
        for index in start..<value.count where !isAllowed(value[index]) { return nil }
        return start
    }

    /// Those of `token68` (RFC 9110 §11.2): no comma, which joins lines, and no blank.
    static func isAllowed(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (byte < 0x80 && (0x61...0x7A).contains(byte | 0x20))
            || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E || byte == 0x2B
            || byte == 0x2F || byte == 0x3D
    }

    /// What it is remembered under, which does not tell it; another for each host, which may lead
    /// to another Hub.
    func key(host: String) -> [UInt8] { HubToken.key(bytes, host: host) }

    static func key(_ token: [UInt8], host: String) -> [UInt8] {
        Crypto.sha256(Array(host.utf8) + [0] + token)
    }

    var secret: Secret { Secret(bytes) }
}
