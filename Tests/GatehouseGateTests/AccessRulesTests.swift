import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct AccessRulesTests {
    private func rules() throws -> AccessRules {
        AccessRules([
            AccessRule(
                pattern: try #require(PathPattern("/pub/**")), methods: ["GET"], allow: .anyone),
            AccessRule(pattern: try #require(PathPattern("/private/**")), allow: .signedIn),
            AccessRule(pattern: try #require(PathPattern("/other")), allow: .signedIn),
        ])
    }

    private func decide(_ path: String, method: String = "GET") throws -> AccessRules.Match {
        try rules().decide(
            host: nil, method: Array(method.utf8).span, path: Array(path.utf8).span)
    }

    // SECURITY-CASES A01, A17.
    @Test func `a public path in the query does not open a private one`() async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send("GET", World.hub + "/private?x=/pub/ok")
        #expect(answer.status == 401)
        #expect(try await browser.navigate(World.hub + "/private?x=/pub/ok").status == 302)
        #expect(try await browser.navigate(World.hub + "/pub/ok?x=/private").passage != nil)
    }

    // SECURITY-CASES A02.
    @Test func `an encoded number sign is data of the path and a raw one is refused`() throws {
        #expect(try decide("/private#/pub/x") == .invalidPath)
        #expect(try decide("/private%23/pub/x") == .noRule)
        #expect(try decide("/private/%23/pub/x") == .rule(1))
    }

    // SECURITY-CASES A03, A09.
    @Test(arguments: [
        "/pub/../private", "/pub/%2e%2e/private", "/pub/.%2e/private", "/pub/.%2E/private",
        "/./private", "/private/.", "/pub;x=1/../private", "/admin%00/pub", "/pub/\u{1}",
        "/pub/%ff", "/pub/%zz", "/pub/%",
    ])
    func `a path with dot segments or bad bytes is not judged at all`(path: String) throws {
        #expect(try decide(path) == .invalidPath)
    }

    // SECURITY-CASES A04, A05, A06.
    @Test(arguments: [
        "/pub/..%2fprivate", "/pub/%2e%2e%2fprivate", "/pub/..%5cprivate", "/pub/..\\private",
        "/pub/%252e%252e%252fprivate", "/pub;x=1/y", "/pub/..;/private", "/pub%2f..;x%2fprivate",
    ])
    func `a path that backends read differently is refused`(path: String) throws {
        #expect(try decide(path) == .disagree)
    }

    // SECURITY-CASES A05, A06, A07.
    @Test(arguments: ["/private%2fx", "/private/a;x=1", "/private//x", "/private/%2570"])
    func `a path that is private in every reading is private or refused`(path: String) throws {
        let match = try decide(path)
        #expect(match == .rule(1) || match == .disagree)
    }

    // SECURITY-CASES A05, A06, A07.
    @Test(arguments: ["/pub%2f..%2fprivate", "/private;.css", "//private", "/private%2f..%2fpub"])
    func `with a rule for the rest such a path is private in every reading or refused`(
        path: String
    ) async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send("GET", World.hub + path)
        #expect(answer.status == 401 || answer.status == 400)
        #expect(answer.passage == nil)
    }

    // SECURITY-CASES A08.
    @Test func `encoded letters are judged decoded and letter case counts`() throws {
        #expect(try decide("/%70rivate") == .rule(1))
        #expect(try decide("/%70ub/x") == .rule(0))
        #expect(try decide("/PRIVATE") == .noRule)
        #expect(try decide("/Pub/x") == .noRule)
    }

    // SECURITY-CASES A10.
    @Test(arguments: ["POST", "PUT", "get", "Get", "FROB", "HEAD", "OPTIONS"])
    func `another method does not match a rule for GET`(method: String) async throws {
        #expect(try decide("/pub/x", method: method) == .noRule)
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send(method, World.hub + "/pub/x")
        #expect(answer.passage == nil)
        #expect(answer.status == 401)
    }

    // SECURITY-CASES A10.
    @Test(arguments: ["CONNECT", "TRACE"])
    func `methods of proxies are not allowed`(method: String) async throws {
        let world = try World()
        var browser = Browser(world)
        #expect(try await browser.send(method, World.hub + "/pub/x").status == 405)
    }

    // SECURITY-CASES A23.
    @Test func `where no rule matches nobody gets in`() async throws {
        #expect(try decide("/") == .noRule)
        #expect(try decide("/nothing") == .noRule)
        let world = try World(access: [
            AccessRule(pattern: try #require(PathPattern("/lab/**")), allow: .signedIn)
        ])
        var browser = Browser(world)
        #expect(try await browser.navigate(World.hub + "/nothing").status == 403)
        try await browser.signIn(at: World.hub + "/lab", as: World.alice)
        #expect(try await browser.navigate(World.hub + "/nothing").status == 403)
        #expect(try await browser.navigate(World.hub + "/lab").passage != nil)
    }

    // SECURITY-CASES A21.
    @Test(arguments: ["/.gatehouse/x", "/.gatehouse", "/%2egatehouse/login", "/.gatehouse%2flogin"])
    func `what lies below our prefix and is no endpoint never reaches an upstream`(
        path: String
    ) async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send("GET", World.hub + path)
        #expect(answer.passage == nil)
        #expect(answer.status == 404 || answer.status == 400)
    }

    @Test func `a path of a user belongs to that user in every reading`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        #expect(try await browser.navigate(World.hub + "/user/alice/lab").passage != nil)
        #expect(try await browser.navigate(World.hub + "/user/%61lice/lab").passage != nil)
        #expect(try await browser.navigate(World.hub + "/user/bob/lab").status == 403)
        #expect(try await browser.navigate(World.hub + "/user/alice;bob/lab").status == 403)
        let climbing = World.hub + "/user/alice%2f..%2fbob/lab"
        #expect(try await browser.navigate(climbing).passage == nil)
        #expect(try await browser.navigate(World.hub + "/admin/x").status == 403)
        #expect(try await browser.navigate(World.hub + "/shut/x").status == 403)
    }
}
