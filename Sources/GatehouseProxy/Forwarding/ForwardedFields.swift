import GatehouseBase
import GatehouseHTTP

/// What a connection adds to the requests that it forwards about where they came from.
enum ForwardedFields {
    /// In place of the client's: lines that are the same for all its exchanges, ready to send.
    case replace([UInt8])
    /// As ``replace(_:)``, of one exchange that a trusted front has handed over: the client's address,
    /// empty where nobody has one.
    case origin([UInt8])
    /// Behind the client's: the peer's address, empty where it has none (a UNIX socket).
    case append(peer: [UInt8])
    case pass

    init(
        _ mode: ForwardingOptions.ForwardedFields, peer: String, isTLS: Bool, port: UInt16
    ) {
        switch mode {
        case .replace:
            let scheme = isTLS ? "https" : "http"
            let client = peer.isEmpty ? "" : "X-Forwarded-For: \(peer)\r\nX-Real-IP: \(peer)\r\n"
            let lines =
                client + "X-Forwarded-Proto: \(scheme)\r\n"
                + "X-Scheme: \(scheme)\r\nX-Forwarded-Port: \(port)\r\n"
            self = .replace(Array(lines.utf8))
        case .append: self = .append(peer: Array(peer.utf8))
        case .pass: self = .pass
        }
    }

    /// Whether a client's field passes as it is; one that only looks like a forwarded field never.
    func takes(_ entry: Fields.Entry) -> Bool {
        let name = entry.name
        guard name.isForwarded else { return false }
        switch self {
        case .replace, .origin: return false
        case .pass: return true
        case .append(let peer):
            switch name {
            case .xForwardedFor: return peer.isEmpty
            case .xForwardedPort, .xForwardedProto: return false
            case .xForwardedHost: return !entry.isEmpty
            default: return true
            }
        }
    }

    /// Writes what is ours, behind what the client said where that counts.
    func append(
        _ head: borrowing RequestHead, isTLS: Bool, isUpgrade: Bool, except owned: OwnedNames,
        to buffer: inout ByteBuffer
    ) {
        let host = head.fields.firstIndex(of: .host)
        switch self {
        case .pass: break
        case .replace(let lines):
            buffer.append(lines)
            if let host { buffer.appendField(.xForwardedHost, head.fields.value(at: host)) }
        case .origin(let client):
            ForwardedFields.appendOrigin(client, head.fields, isTLS: isTLS, to: &buffer)
            if let host { buffer.appendField(.xForwardedHost, head.fields.value(at: host)) }
        case .append(let peer):
            if !peer.isEmpty, !owned.contains("X-Forwarded-For") {
                ForwardedFields.append(.xForwardedFor, head.fields, to: &buffer) {
                    $0.append(peer)
                }
            }
            if !owned.contains("X-Forwarded-Port") {
                ForwardedFields.append(.xForwardedPort, head.fields, to: &buffer) { buffer in
                    ForwardedFields.appendPort(head.fields, isTLS: isTLS, to: &buffer)
                }
            }
            if !owned.contains("X-Forwarded-Proto") {
                ForwardedFields.append(.xForwardedProto, head.fields, to: &buffer) { buffer in
                    if isUpgrade {
                        buffer.append(isTLS ? "wss" : "ws")
                    } else {
                        buffer.append(isTLS ? "https" : "http")
                    }
                }
            }
            if !isUpgrade, let host, !ForwardedFields.namesHost(head.fields),
                !owned.contains("X-Forwarded-Host")
            {
                buffer.appendField(.xForwardedHost, head.fields.value(at: host))
            }
        }
    }

    /// Whether the client has named a host; an empty field names none.
    private static func namesHost(_ fields: borrowing Fields) -> Bool {
        fields.firstIndex(of: .xForwardedHost).map { !fields.value(at: $0).isEmpty } ?? false
    }

    /// One value each, of the client and not of the front.
    private static func appendOrigin(
        _ client: [UInt8], _ fields: borrowing Fields, isTLS: Bool, to buffer: inout ByteBuffer
    ) {
        if !client.isEmpty {
            buffer.appendField(.xForwardedFor, client.span)
            buffer.appendField(.xRealIP, client.span)
        }
        buffer.append(
            isTLS
                ? "X-Forwarded-Proto: https\r\nX-Scheme: https\r\nX-Forwarded-Port: "
                : "X-Forwarded-Proto: http\r\nX-Scheme: http\r\nX-Forwarded-Port: ")
        appendPort(fields, isTLS: isTLS, to: &buffer)
        buffer.append("\r\n")
    }

    /// The client's values of a field, then ours, with commas between them.
    private static func append(
        _ name: FieldName, _ fields: borrowing Fields, to buffer: inout ByteBuffer,
        ours: (inout ByteBuffer) -> Void
    ) {
        buffer.append(name.spelling)
        buffer.append(": ")
        var line = fields.firstIndex(of: name)
        while let index = line {
            let value = fields.value(at: index)
            if !value.isEmpty {
                buffer.append(value)
                buffer.append(0x2C)
            }
            line = fields.firstIndex(of: name, from: index + 1)
        }
        ours(&buffer)
        buffer.append("\r\n")
    }

    /// The port that the client named, or that goes without saying.
    private static func appendPort(
        _ fields: borrowing Fields, isTLS: Bool, to buffer: inout ByteBuffer
    ) {
        guard let index = fields.firstIndex(of: .host),
            let start = port(in: fields.value(at: index))
        else { return buffer.append(decimal: isTLS ? 443 : 80) }
        let value = fields.value(at: index)
        buffer.append(value.extracting(start..<value.count))
    }

    /// Where the port begins in a Host field.
    private static func port(in host: borrowing Span<UInt8>) -> Int? {
        var index = host.count
        while index > 0, ASCII.isDigit(host[index - 1]) { index -= 1 }
        return index > 0 && index < host.count && host[index - 1] == 0x3A ? index : nil
    }
}
