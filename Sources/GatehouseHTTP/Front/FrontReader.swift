public import GatehouseBase

/// Reads what a trusted front says about a request: pure, the peer is an argument.
///
/// The address comes from exactly one field, which the profile names. A field that is consulted
/// and malformed is an error that names it, never a reason to look into another one; docs/decisions/0016.
public struct FrontReader: Sendable {
    /// How the front tells address, scheme and host.
    public enum Profile: Sendable {
        /// X-Forwarded-For, X-Forwarded-Proto or X-Scheme, X-Forwarded-Host.
        case nginx
        /// CF-Connecting-IP, X-Forwarded-Proto, X-Forwarded-Host.
        case cloudflareTunnel
        /// Forwarded (RFC 7239) alone.
        case forwarded
    }

    let profile: Profile
    let trusted: [Network]
    let trustsUnixSocket: Bool
    let publicURLs: [Origin]

    /// - Parameters:
    ///   - trusted: the front, and the hops before it.
    ///   - trustsUnixSocket: whether a peer without address is the front.
    ///   - publicURLs: a Host that names one of them was not rewritten; empty where any is served.
    public init(
        _ profile: Profile, trusted: [Network], trustsUnixSocket: Bool = false,
        publicURLs: [Origin] = []
    ) {
        self.profile = profile
        self.trusted = trusted
        self.trustsUnixSocket = trustsUnixSocket
        self.publicURLs = publicURLs
    }

    /// Whether a peer is the front.
    ///
    /// - Parameter peer: nil for one of a UNIX socket.
    public func trusts(_ peer: IPAddress?) -> Bool {
        guard let peer else { return trustsUnixSocket }
        return trusted.contains { $0.contains(peer.bytes) }
    }

    /// What the front says about a request that it hands over.
    public func origin(of head: borrowing RequestHead) throws(MessageError) -> ClientOrigin {
        var origin: ClientOrigin
        switch profile {
        case .forwarded:
            origin = try forwardedOrigin(head.fields)
        case .nginx:
            origin = ClientOrigin(
                address: try forwardedFor(head.fields),
                isHTTPS: try scheme(head.fields, [.xForwardedProto, .xScheme]),
                host: try forwardedHost(head))
        case .cloudflareTunnel:
            origin = ClientOrigin(
                address: try connectingIP(head.fields),
                isHTTPS: try scheme(head.fields, [.xForwardedProto]),
                host: try forwardedHost(head))
        }
        if let host = origin.host, !isRewritten(head, to: host) { origin.host = nil }
        return origin
    }

    // MARK: Addresses

    /// Right to left past trusted hops: the first that is none of them; the leftmost where all are.
    private func forwardedFor(_ fields: borrowing Fields) throws(MessageError) -> IPAddress? {
        let list = FrontReader.elements(.xForwardedFor, fields)
        guard let list else { return nil }
        var client: IPAddress?
        for element in list.reversed() {
            guard let hop = ForwardedNode.address(element.span, bracketsIPv6: false) else {
                throw MessageError(.xForwardedFor)
            }
            client = hop
            guard trusts(hop) else { break }
        }
        guard let client else { throw MessageError(.xForwardedFor) }
        return client
    }

    /// One line with one address, as Cloudflare's edge writes it.
    private func connectingIP(_ fields: borrowing Fields) throws(MessageError) -> IPAddress? {
        guard let line = fields.firstIndex(of: .cfConnectingIP) else { return nil }
        guard fields.firstIndex(of: .cfConnectingIP, from: line + 1) == nil,
            let address = IPAddress(parsing: fields.value(at: line))
        else { throw MessageError(.cfConnectingIP) }
        return address
    }

    /// As ``forwardedFor(_:)``. The element that names the client says scheme and host too. Who
    /// hides its client (`unknown`, `_name`, no `for`) is the last that can be named.
    private func forwardedOrigin(_ fields: borrowing Fields) throws(MessageError) -> ClientOrigin {
        var origin = ClientOrigin()
        guard fields.firstIndex(of: .forwarded) != nil else { return origin }
        let elements = try ForwardedElement.parse(fields)
        for element in elements.reversed() {
            origin.isHTTPS = element.isHTTPS
            origin.host = element.host
            guard case .address(let hop)? = element.node else { break }
            origin.address = hop
            guard trusts(hop) else { break }
        }
        return origin
    }

    // MARK: Scheme and host

    /// The one value of all lines of these names; `wss` is `https`, as some fronts write it.
    private func scheme(
        _ fields: borrowing Fields, _ names: [FieldName]
    ) throws(MessageError) -> Bool? {
        var found: Bool?
        for name in names {
            guard let list = FrontReader.elements(name, fields) else { continue }
            let rule = name == .xScheme ? MessageError.Rule.xScheme : .xForwardedProto
            guard !list.isEmpty else { throw MessageError(rule) }
            for element in list {
                guard let isHTTPS = FrontReader.isHTTPS(element.span) else {
                    throw MessageError(rule)
                }
                // Which of two is the browser's, the fields do not tell.
                guard found == nil || found == isHTTPS else { throw MessageError(.schemesDiffer) }
                found = isHTTPS
            }
        }
        return found
    }

    /// X-Forwarded-Host where Host is none of ours: a client may have sent that field itself, past
    /// a front that leaves Host as it is.
    private func forwardedHost(_ head: borrowing RequestHead) throws(MessageError) -> [UInt8]? {
        guard let list = FrontReader.elements(.xForwardedHost, head.fields), !isPublic(head)
        else { return nil }
        guard let host = list.first, Authority.isValid(host.span),
            list.allSatisfy({ Authority.areEqual($0.span, host.span) })
        else { throw MessageError(.xForwardedHost) }
        return host
    }

    private func isRewritten(_ head: borrowing RequestHead, to host: [UInt8]) -> Bool {
        guard let line = head.fields.firstIndex(of: .host) else { return true }
        return !isPublic(head) && !head.fields.value(at: line).equals(host.span)
    }

    /// Whether Host names one of the public URLs.
    private func isPublic(_ head: borrowing RequestHead) -> Bool {
        guard !publicURLs.isEmpty, let host = head.fields.text(.host) else { return false }
        return publicURLs.contains { url in
            (try? Origin(parsing: "\(url.scheme.rawValue)://\(host)")) == url
        }
    }

    // MARK: Values

    static func isHTTPS(_ value: borrowing Span<UInt8>) -> Bool? {
        if value.equalsIgnoringCase("https") || value.equalsIgnoringCase("wss") { return true }
        if value.equalsIgnoringCase("http") || value.equalsIgnoringCase("ws") { return false }
        return nil
    }

    /// The elements of all lines of a name in their order, empty ones left out; nil without a line.
    private static func elements(_ name: FieldName, _ fields: borrowing Fields) -> [[UInt8]]? {
        guard var line = fields.firstIndex(of: name) else { return nil }
        var elements: [[UInt8]] = []
        while true {
            var list = CommaSeparated(fields.value(at: line))
            while let element = list.next() { elements.append(element.array) }
            guard let next = fields.firstIndex(of: name, from: line + 1) else { return elements }
            line = next
        }
    }
}
