import GatehouseBase
import Testing

@testable import GatehouseKit

struct RouteAddressTests {
    @Test(arguments: [
        ("", "/"), ("/", "/"), ("//", "/"), ("a", "/a"), ("/a/", "/a"), ("//a//", "/a"),
        ("/a//b/", "/a//b"), ("/ü", "/ü"),
    ])
    func `slashes at the ends do not count, those within do`(path: String, address: String) {
        #expect(RouteAddress(path).path == address)
    }

    @Test func `texts that only look the same are two addresses`() {
        #expect(RouteAddress("/\u{e9}") != RouteAddress("/e\u{301}"))
    }

    @Test(arguments: [
        ("/HUB.Test/User/A", "/hub.test/User/A"), ("/HUB.Test", "/hub.test"), ("/", "/"),
    ])
    func `with host routing the host has no case, and the path has`(path: String, address: String) {
        #expect(RouteAddress(path, hostRouting: true).path == address)
        #expect(RouteAddress(path, hostRouting: false) == RouteAddress(path))
    }

    @Test(arguments: [
        ("/hub.test/user/a", "hub.test", "/user/a"), ("/hub.test", "hub.test", "/"),
        ("/", nil, "/"),
    ])
    func `with host routing the first segment is the host`(
        path: String, host: String?, prefix: String
    ) {
        let key = RouteAddress(path).key(hostRouting: true)
        #expect(key.host == host && key.prefix == prefix)
        let plain = RouteAddress(path).key(hostRouting: false)
        #expect(plain.host == nil && plain.prefix == path)
    }
}
