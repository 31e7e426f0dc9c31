import GatehouseBase
import GatehouseGate
import GatehouseProxy
import Testing

@testable import GatehouseKit

/// What the routes API keeps of a route comes back as it was given.
struct RouteDataTests {
    private static let hub = #""jupyterhub":true,"server_name":"""#

    private func kept(_ text: String) throws -> Route {
        let reading = try RouteData.read(Array(text.utf8), host: nil)
        let target = UpstreamTarget(
            host: "127.0.0.1", port: 8888, tls: nil, connectTimeout: .seconds(1))
        return Route(
            name: "/user/alice", target: target,
            rules: RouteRules(identity: RouteIdentity(identityHeaders: [])), host: nil,
            prefix: "/user/alice",
            data: RouteData.kept(
                target: reading.target, members: reading.members,
                description: target.description))
    }

    private func object(_ bytes: [UInt8]) throws -> [String: JSONValue] {
        try #require(JSONValue.parse(bytes, maximumSize: bytes.count).object)
    }

    @Test(arguments: [
        #"{"target":"http://127.0.0.1:8888"}"#,
        #"{"target":"http://127.0.0.1:8888",\#(hub),"user":"alice"}"#,
        #"{"target":"http://127.0.0.1:8888/",\#(hub),"user":"alice"}"#,
        #"{"target":"no URL at all",\#(hub)}"#,
        #"{"target":"http://127.0.0.1:8888","hub":true,"jupyterhub":true}"#,
        #"{"target":"http://127.0.0.1:8888","jupyterhub":false,"server_name":"two"}"#,
        // Where the text of a common member stands within another.
        #"{"target":"http://127.0.0.1:8888","a":{"b":1,"jupyterhub":true,"server_name":""}}"#,
        #"{"target":"http://127.0.0.1:8888","a":",\"jupyterhub\":true,\"server_name\":\"\""}"#,
        #"{"target":"http://127.0.0.1:8888","a":"\u0001\u0002 \u0000","\u0001":"\u001f"}"#,
        #"{"target":"http://127.0.0.1:8888","":[{},[],null,1.5],"z":"ä€😀"}"#,
    ])
    func `an object comes back as it was given`(text: String) throws {
        let route = try kept(text)
        let given = try object(Array(text.utf8))
        #expect(try object(RouteData.object(of: route)) == given)
        var listed: [UInt8] = []
        RouteData.append(route, to: &listed)
        var shown = try object(listed)
        #expect(shown.removeValue(forKey: "last_activity")?.string != nil)
        #expect(shown == given)
        #expect(route.isOfAPI)
    }

    @Test func `what JupyterHub says of every route takes a byte each`() throws {
        let short = try kept(#"{"target":"http://127.0.0.1:8888","user":"alice"}"#)
        let whole = try kept(
            #"{"target":"http://127.0.0.1:8888",\#(RouteDataTests.hub),"user":"alice"}"#)
        #expect(whole.data.count == short.data.count + 2)
    }
}
