import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// What a path, a route and a cookie are to JupyterHub.
@Suite struct HubPresetTests {
    private let root = HubPreset(baseURL: "/")
    private let deep = HubPreset(baseURL: "/@/space word/")

    private func address(_ path: String, _ preset: HubPreset) -> HubPreset.Address {
        let bytes = Array(path.utf8)
        return preset.address(of: bytes.span, PathReading.check(bytes.span))
    }

    @Test(arguments: [
        "/hub/logout", "/hub/logout/", "/hub/%6cogout", "/hub//logout", "//hub/logout",
        "/hub%2Flogout", "/hub/x/..%2flogout",
    ])
    func `whatever the Hub may read as its log out is one`(path: String) {
        #expect(address(path, root) == .logout)
        #expect(address("/@/space%20word" + path, deep) == .logout)
        #expect(address(path, deep) == .other)
    }

    @Test(arguments: [
        "/hub/logout/x", "/hub/Logout", "/hub", "/hublogout", "/user/hub/logout", "/logout",
        "/user/alice/logout", "/hub/logouts", "/",
    ])
    func `other paths are no log out`(path: String) {
        #expect(address(path, root) == .other)
    }

    @Test(arguments: [
        "api/kernels", "api/kernels/9c1", "api/sessions", "api/sessions/3", "api/terminals",
        "api/contents", "api/contents/a/b.ipynb", "api/status", "api/metrics/v1", "metrics",
        "api/kernelspecs", "api/me", "api/nbconvert",
    ])
    func `JupyterLab's pollers are none of a person's doing, but what changes something is`(
        path: String
    ) {
        for server in ["/user/alice/", "/user/alice/lab-2/", "/user/%C3%BC%20x@y.z/"] {
            let poller = request("GET", server + path)
            #expect(!root.isActivity(poller, address(server + path, root)))
            #expect(!root.isActivity(request("HEAD", server + path), address(server + path, root)))
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                #expect(
                    root.isActivity(
                        request(method, server + path), address(server + path, root)))
            }
        }
        // Elsewhere the same words mean something else.
        #expect(address("/hub/\(path)", root) == .other)
        #expect(address("/\(path)", root) == .other)
        #expect(address("/user/alice/" + path, deep) == .other)
        #expect(address("/@/space%20word/user/alice/" + path, deep) == .poller)
    }

    @Test func `a layout is saved by itself, a page is opened by somebody`() {
        let layout = "/user/alice/lab/api/workspaces/default"
        #expect(address(layout, root) == .workspace)
        #expect(!root.isActivity(request("PUT", layout), .workspace))
        for path in [
            "/user/alice/lab", "/user/alice/files/x", "/hub/home", "/services/x/api/kernels",
        ] {
            #expect(address(path, root) == .other)
            #expect(root.isActivity(request("GET", path), address(path, root)))
        }
    }

    @Test(arguments: [
        ("/user/alice/api/kernels/9c1/channels", true),
        ("/user/alice/work/api/kernels/9c1/channels", true),
        ("/user/alice/terminals/websocket/1", true),
        ("/user/alice/api/kernels/9c1/channels/x", false),
        ("/user/alice/api/kernels//channels", false),
        ("/user/alice/api/events/subscribe", false),
        ("/user/alice/terminals/websocket", false),
        ("/user/alice/lsp/ws/pylsp", false),
        ("/hub/api/kernels/9c1/channels", false),
    ])
    func `only kernels and terminals carry what a person types`(path: String, isChannel: Bool) {
        #expect((address(path, root) == .channel) == isChannel)
    }

    @Test func `opening a WebSocket again is nobody's doing`() {
        var upgrade = request("GET", "/user/alice/api/kernels/9c1/channels")
        upgrade.fields.append(.upgrade, "websocket")
        #expect(!root.isActivity(upgrade, .channel))
    }

    @Test(arguments: [
        ("/", HubPlace.Kind.hub, ""), ("/hub", .hub, ""),
        ("/user/alice", .server, "jupyterhub-user-alice"),
        ("/user/alice/lab-2", .server, "jupyterhub-user-alice-lab-2"),
        ("/user/ü x@y.z", .server, "jupyterhub-user-%C3%BC%20x%40y.z"),
        ("/user/a_b~c-d.e+f", .server, "jupyterhub-user-a_b~c-d.e%2Bf"),
        ("/services/files", .service, "service-files"),
        ("/services/files/deep", .other, ""), ("/user", .other, ""), ("/users/alice", .other, ""),
        ("/grafana", .other, ""), ("/user/a/b/c", .other, ""),
    ])
    func `a route's prefix says whose it is`(prefix: String, kind: HubPlace.Kind, cookie: String) {
        let place = HubPlace(prefix: Array(prefix.utf8)[...], base: root.base)
        #expect(place.kind == kind)
        #expect(String(decoding: place.cookie, as: UTF8.self) == cookie)
        guard prefix != "/" else { return }
        let below = HubPlace(prefix: Array(("/@/space word" + prefix).utf8)[...], base: deep.base)
        #expect(below.kind == kind)
        #expect(below.cookie == place.cookie)
    }

    @Test func `with a base URL both the base and the root may be the Hub's route`() {
        #expect(deep.isHub(prefix: Array("/".utf8)[...]))
        #expect(deep.isHub(prefix: Array("/@/space word".utf8)[...]))
        #expect(!deep.isHub(prefix: Array("/user/alice".utf8)[...]))
        #expect(!root.isHub(prefix: Array("/user/alice".utf8)[...]))
    }

    @Test(arguments: [
        "jupyterhub-hub-login", "__Host-jupyterhub-hub-login", "jupyterhub-session-id",
        "jupyterhub-user-alice", "service-files", "__Host-jupyterhub-user-alice",
    ])
    func `cookies that sign somebody in are known`(name: String) throws {
        #expect(try #require(cookie(name)).isOdd == false)
        for spelt in [" \(name)", "\(name) ", "\"\(name)\"", "\t\(name)", "\(name)\u{B}"] {
            #expect(try #require(cookie(spelt)).isOdd)
        }
    }

    @Test(arguments: [
        "_xsrf", "oauthenticator-state", "jupyterhub", "jupyterhub-", "session", "services",
        "jupyterhub-hub-logins", "", "__Host-", "j", "username-localhost-8888",
    ])
    func `other cookies are not`(name: String) {
        #expect(cookie(name) == nil)
    }

    private func cookie(_ name: String) -> HubCookie? {
        let bytes = Array(name.utf8)
        return HubCookie(bytes.span)
    }

    private func request(_ method: String, _ path: String) -> RequestHead {
        RequestHead(method, target: path, authority: "hub.example")
    }
}
