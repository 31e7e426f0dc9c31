import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// A log out at JupyterHub whose browser is gone before it comes to ours.
struct UnfollowedLogoutTests {
    /// How long the Hub takes, and when the browser goes; nil where it has the answer and stays there.
    @Test(arguments: [(300, 100), (0, nil)] as [(Int, Int?)])
    func `its session ends with the Hub's`(hub: Int, patience: Int?) async throws {
        let lab = try await HubFixture()
        lab.hub.on("/hub/logout") { exchange in
            await EventLoop.sleep(.milliseconds(hub), on: exchange.core)
            await exchange.send(Response(200))
        }
        let alice = try await lab.gateway.browser(of: "alice")
        let cookies = alice.cookies(for: lab.gateway.publicURL + "/hub/logout")
        let fields = [
            ("Cookie", cookies), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
            ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
        ]
        try await EventLoop(name: "client").attempt { [gateway = lab.gateway] loop in
            let connection = try await gateway.connect(on: loop)
            try await connection.send(gateway.request("GET", "/hub/logout", fields: fields))
            if let patience {
                await EventLoop.sleep(.milliseconds(patience), on: loop.core)
            } else {
                let head = try await connection.read(until: "\r\n\r\n")
                #expect(String(decoding: head, as: UTF8.self).hasPrefix("HTTP/1.1 303 "))
            }
            connection.close()
        }
        let copy = try lab.gateway.browser()
        var status = 200
        for _ in 0..<100 where status == 200 {
            try await Task.sleep(for: .milliseconds(50))
            status =
                try await copy.send(
                    "GET", lab.gateway.publicURL + "/.gatehouse/session",
                    fields: [("Cookie", cookies)]
                ).status
        }
        #expect(status == 401)
        #expect(lab.hub.requests.last?.target == "/hub/logout")
        await lab.stop()
    }
}
