import GatehouseNet
import GatehouseTesting
import Testing

/// A client's own identity fields end at the gateway, wherever they stand.
struct IdentityBoundaryTests {
    private static let forged = [
        ("X-Auth-User", "forged"), ("x_auth_user", "forged"), ("X-AUTH.GROUPS", "forged"),
        ("X+Auth+User", "forged"), ("x~auth-user", "forged"), ("X-Auth'Groups", "forged"),
        ("X-Gatehouse-Assertion", "forged"), ("X-Kept", "kept"),
    ]
    private static let bearer = [("Authorization", "Bearer abc")]

    /// Asks as a stranger and as alice, with and without a bearer token.
    private func expectNoForgery(
        _ gateway: TestGateway, _ upstream: FakeUpstream, alice: TestClient, path: String,
        isPublic: Bool
    ) async throws {
        for more in [[], IdentityBoundaryTests.bearer] {
            for browser in [try gateway.browser(), alice] {
                upstream.forget()
                let answer = try await browser.send(
                    "GET", gateway.publicURL + path, fields: IdentityBoundaryTests.forged + more)
                guard isPublic || browser === alice else {
                    #expect(answer.status == 401)
                    #expect(upstream.count() == 0)
                    continue
                }
                #expect(answer.status == 200)
                let request = try #require(upstream.lastRequest)
                #expect(!request.fields.contains { $0.value == "forged" })
                #expect(request.all("x-auth-user") == (isPublic ? [] : ["alice"]))
                #expect(request["x-kept"] == "kept")
                #expect(request["authorization"] == more.first?.1)
            }
        }
    }

    @Test func `forged identity is removed with and without bearer token and session`()
        async throws
    {
        let upstream = FakeUpstream()
        let settings = GatewaySettings(access: ["{path: /open/**, allow: public}"])
        let gateway = try await TestGateway(settings: settings) { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        for (path, isPublic) in [("/open/x", true), ("/private/x", false)] {
            try await expectNoForgery(
                gateway, upstream, alice: alice, path: path, isPublic: isPublic)
        }
        await gateway.stop()
    }

    @Test func `forged identity is removed from trailers and from every request of a connection`()
        async throws
    {
        let journal = Journal()
        let server = try RawServer { connection, _ in
            while true {
                let head = String(
                    decoding: try await connection.read(until: "\r\n\r\n"), as: UTF8.self)
                journal.note(head)
                if head.contains("chunked") {
                    let body = try await connection.read(until: "\r\n0\r\n")
                    let trailers = try await connection.read(until: "\r\n\r\n")
                    journal.note(String(decoding: body + trailers, as: UTF8.self))
                }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
            }
        }
        let gateway = try await TestGateway.open(before: server)
        try await EventLoop(name: "client").attempt { loop in
            let client = try await gateway.connect(on: loop)
            let names = IdentityBoundaryTests.forged.map(\.0).joined(separator: ", ")
            let trailers = IdentityBoundaryTests.forged.map { "\($0): \($1)\r\n" }.joined()
            for _ in 0..<2 {
                let fields = [("Transfer-Encoding", "chunked"), ("Trailer", names)]
                try await client.send(
                    gateway.request("POST", "/open/x", fields: fields)
                        + "5\r\n12345\r\n0\r\n\(trailers)\r\n")
                #expect(try await client.response().text == "good")
                try await client.send(
                    gateway.request("GET", "/open/x", fields: IdentityBoundaryTests.forged))
                #expect(try await client.response().text == "good")
            }
        }
        #expect(journal.events.count == 6)
        #expect(journal.events.filter { $0.contains("X-Kept: kept") }.count == 4)
        for text in journal.events {
            #expect(!text.contains("forged"))
            #expect(!text.lowercased().contains("auth"))
        }
        await gateway.stop()
        server.stop()
    }
}
