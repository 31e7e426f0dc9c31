import GatehouseHTTP
public import GatehouseNet

/// How a ``FakeProvider`` calls back channels on this machine, with Keycloak's patience of 5 s.
public struct LogoutPoster: Sendable {
    private let loop: EventLoop
    private let tls: ClientTLS?

    /// - Parameter tls: for `https` URLs.
    public init(on loop: EventLoop? = nil, tls: ClientTLS? = nil) {
        self.loop = loop ?? EventLoop(name: "logout-poster")
        self.tls = tls
    }

    /// To hand to the provider.
    public var post: FakeProvider.Post {
        { [loop, tls] url, body in
            guard let url = TestURL(url) else { return nil }
            let head =
                "POST \(url.target) HTTP/1.1\r\nHost: \(url.authority)\r\nContent-Type: "
                + "application/x-www-form-urlencoded\r\nContent-Length: \(body.count)\r\n"
                + "Connection: close\r\n\r\n"
            let response = try? await loop.attempt { loop in
                let connection = try await RawConnection.connect(
                    port: url.port, tls: url.isSecure ? tls : nil, name: url.host, on: loop)
                connection.patience = .seconds(5)
                try await connection.send(Array(head.utf8) + body)
                return try await connection.response(to: .post)
            }
            return response?.status
        }
    }
}
