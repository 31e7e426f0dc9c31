import GatehouseBase

/// Where a listener listens.
public enum ListenerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address (IPv6 without brackets) and a port; 0 lets the system choose one.
    case tcp(host: String, port: UInt16)
    /// The path of a UNIX socket.
    case unix(path: String)

    /// Why a text is no address, and what to write instead.
    public struct ParseError: Error, Sendable, Equatable {
        public let message: String
        public let hint: String
    }

    /// Reads `127.0.0.1:8443`, `[::]:8443`, `localhost:8443` or `unix:/run/gatehouse.sock`.
    public init(parsing text: String) throws(ParseError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            // sun_path holds 108 bytes with the zero at its end (unix(7)).
            guard (1...107).contains(path.utf8.count) else {
                throw ParseError(
                    message: "the path of a UNIX socket has 1 to 107 bytes",
                    hint: "such as 'unix:/run/gatehouse/public.sock'")
            }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw ParseError(message: "an address needs a port", hint: "write '\(text):8443'")
        }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits)
        else {
            throw ParseError(
                message: "an address ends in a port from 0 to 65535", hint: "such as '[::]:8443'")
        }
        let host = text[..<colon]
        guard !host.isEmpty, host != "*" else {
            throw ParseError(
                message: "an address names its host", hint: "write '[::]:\(port)' for all of them")
        }
        // The port of an origin is never 0, so the host is read beside another one.
        guard let origin = try? Origin(parsing: "http://\(host):1") else {
            let isBare = host.contains(":") && !host.hasPrefix("[")
            throw ParseError(
                message: "'\(host)' is neither a name nor an address",
                hint: isBare ? "write '[\(host)]:\(port)'" : "such as '[::]:8443'")
        }
        self = .tcp(host: origin.host, port: port)
    }

    /// Reads back as the same address.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
