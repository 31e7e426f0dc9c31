import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import Synchronization
import Testing

@testable import GatehouseGate

/// A gate with a fake provider, two hosts and hand-driven clocks.
final class World: Sendable {
    static let hub = "https://hub.example"
    static let grafana = "https://grafana.example"

    let clock: TestClock
    let fake: FakeProvider
    let gate: Gate
    private let seen = Seen()

    private final class Seen: Sendable {
        let endings = Locked<[(Session, EndCause)]>([])
        let lines = Locked<[String]>([])
    }

    /// The world of the security cases: `/pub/**` public for GET, `/admin/**` needs a group,
    /// `/user/NAME/**` belongs to NAME, the rest needs a session.
    init(
        session: SessionLimits = SessionLimits(), limits: Limits = Limits(),
        access: [AccessRule]? = nil, records: any SessionRecords = MemoryRecords(),
        hub: (any HubAPI)? = nil
    ) throws {
        let clock = TestClock()
        let fake = FakeProvider(clock: clock)
        self.clock = clock
        self.fake = fake
        let keys = GateKeys.random()
        let provider = ProviderClient(
            options: ProviderClient.Options(
                issuer: FakeProvider.issuer,
                credentials: ClientCredentials(
                    clientID: FakeProvider.clientID, secret: Secret("s3cret")), limits: limits),
            channel: fake, clock: clock.gateClock)
        let options = Gate.Options(
            publicURLs: [
                try Origin(parsing: World.hub), try Origin(parsing: World.grafana),
            ],
            access: try access ?? World.rules(), session: session, limits: limits,
            identityNames: ["X-Forwarded-User", "X-Groups"])
        let seen = seen
        gate = Gate(
            options: options, keys: keys, store: SessionStore(indexKey: keys.index),
            records: records, provider: provider, hub: hub,
            log: Log(label: "gatehouse.gate", level: .debug) { event in
                let fields = event.fields.map { "\($0.name)=\($0.value)" }
                seen.lines.withLock { $0.append(([event.message] + fields).joined(separator: " ")) }
            }, clock: clock.gateClock,
            onEnd: { session, cause in seen.endings.withLock { $0.append((session, cause)) } })
    }

    static func rules() throws -> [AccessRule] {
        [
            AccessRule(
                pattern: try #require(PathPattern("/pub/**")), methods: ["GET"], allow: .anyone),
            AccessRule(
                pattern: try #require(PathPattern("/admin/**")), allow: .group("/admins")),
            AccessRule(
                pattern: try #require(PathPattern("/user/*/**")), allow: .pathUser(segment: 2)),
            AccessRule(pattern: try #require(PathPattern("/shut/**")), allow: .deny),
            AccessRule(pattern: try #require(PathPattern("/**")), allow: .signedIn),
        ]
    }

    /// Sessions that were told to close what hangs on them.
    var ended: [(Session, EndCause)] { seen.endings.withLock { $0 } }

    var log: [String] { seen.lines.withLock { $0 } }

    static let alice = FakeProvider.Person(
        subject: "a-1", username: "alice", sid: "sid-a", authTime: 1_799_999_900,
        groups: ["/staff"])
    static let bob = FakeProvider.Person(
        subject: "b-2", username: "bob", sid: "sid-b", authTime: 1_799_999_900,
        groups: ["/admins"])
}

extension World {
    /// Something that a test cannot do without was not there.
    struct Missing: Error {}
}

/// What came back.
struct Outcome {
    var status: Int
    var fields: Fields
    var page: Page?
    var body: String
    var passage: Passage?

    var location: String? { fields.text(.location) }

    /// Set-Cookie lines.
    var cookies: [String] {
        fields.indices.filter { fields[$0].name == .setCookie }
            .compactMap { fields.value(at: $0).text }
    }

    func field(_ name: String) -> String? {
        for index in fields.indices
        where fields.name(at: index).text?.lowercased() == name.lowercased() {
            return fields.value(at: index).text
        }
        return nil
    }
}

/// A browser: cookies by host, and what it says about its requests.
struct Browser {
    let world: World
    let peer: String
    var jars: [String: [(name: String, value: String)]] = [:]

    init(_ world: World, peer: String = "192.0.2.1") {
        self.world = world
        self.peer = peer
    }

    static let navigation = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "none"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html,*/*"),
    ]
    static let script = [
        ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Site", "same-origin"),
    ]

    /// Goes to an absolute URL as a person does.
    mutating func navigate(
        _ url: String, route: RouteIdentity? = nil
    ) async throws -> Outcome {
        try await send("GET", url, Browser.navigation, route: route)
    }

    mutating func send(
        _ method: String, _ url: String, _ fields: [(String, String)] = [], body: String = "",
        isTLS: Bool = true, route: RouteIdentity? = nil, prefix: String = ""
    ) async throws -> Outcome {
        let rest = url.dropFirst("https://".count)
        let host = String(rest.prefix { $0 != "/" })
        let target = rest.count > host.count ? String(rest.dropFirst(host.count)) : "/"
        var request = RequestHead(method, target: target, authority: host)
        for (name, value) in fields { request.fields.append(name, value) }
        if let jar = jars[host], !jar.isEmpty {
            request.fields.append(
                .cookie, jar.map { "\($0.name)=\($0.value)" }.joined(separator: "; "))
        }
        let arrival = Arrival(peer: peer, isTLS: isTLS, now: world.clock.instant)
        let outcome = await world.send(
            request, body: Array(body.utf8), arrival, route: route, prefix: prefix)
        for line in outcome.cookies { take(line, host: host) }
        return outcome
    }

    /// Signs in through the provider and returns where the browser ends up.
    @discardableResult
    mutating func signIn(
        at url: String, as person: FakeProvider.Person
    ) async throws -> Outcome {
        let start = try await navigate(url)
        #expect(start.status == 302)
        return try await navigate(try world.fake.callback(start, as: person))
    }

    /// The value of the session's cookie.
    func session(at host: String = "hub.example") -> String? {
        jars[host]?.first { $0.name == "__Host-Http-gatehouse" }?.value
    }

    func transactions(at host: String = "hub.example") -> [String] {
        (jars[host] ?? []).map(\.name).filter { $0.hasPrefix("__Host-Http-gatehouse-tx-") }
    }

    mutating func take(_ line: String, host: String) {
        guard line.hasPrefix("__Host-Http-") else { return }
        // Every cookie of ours says the same, also to remove one (SECURITY-CASES D04).
        #expect(line.hasSuffix("; Path=/; Secure; HttpOnly; SameSite=Lax"))
        #expect(!line.contains("Domain"))
        #expect(line.hasPrefix("__Host-Http-gatehouse"))
        let pair = line.prefix { $0 != ";" }
        let name = String(pair.prefix { $0 != "=" })
        let value = String(pair.dropFirst(name.count + 1))
        jars[host, default: []].removeAll { $0.name == name }
        if !line.contains("Max-Age=0") { jars[host, default: []].append((name, value)) }
    }
}

extension World {
    func send(
        _ request: RequestHead, body: [UInt8], _ arrival: Arrival, route: RouteIdentity? = nil,
        prefix: String = ""
    ) async -> Outcome {
        var memo = SessionMemo()
        let place = Array(prefix.utf8)[...]
        var decision = gate.decide(request, arrival, route: route, prefix: place, memo: &memo)
        while case .ask(let question) = decision {
            let answer = await question.answer()
            decision = gate.decide(
                request, arrival, route: route, prefix: place, answer: answer, memo: &memo)
        }
        switch decision {
        case .ask: return Outcome(.page(.internalError, status: 500))
        case .answer(let answer): return Outcome(answer)
        case .own(let endpoint, let limit):
            guard body.count <= limit else { return Outcome(.page(.tooLarge, status: 413)) }
            return Outcome(await gate.serve(endpoint, request, body: body, arrival: arrival))
        case .pass(let passage):
            return Outcome(
                status: 200, fields: Fields(), page: nil, body: "upstream", passage: passage)
        }
    }

    /// Posts a logout token as the provider does: no cookie, whatever host.
    func postLogout(
        _ token: String, type: String = "application/x-www-form-urlencoded",
        peer: String = "198.51.100.7"
    ) async -> Outcome {
        await post(
            FormFields.encode([("logout_token", token)]), type: type, peer: peer)
    }

    func post(_ body: String, type: String?, peer: String = "198.51.100.7") async -> Outcome {
        var request = RequestHead(
            "POST", target: "/.gatehouse/backchannel-logout", authority: "10.0.0.5:8443")
        if let type { request.fields.append(.contentType, type) }
        return await send(
            request, body: Array(body.utf8), Arrival(peer: peer, isTLS: false, now: clock.instant))
    }
}

extension FakeProvider {
    /// Where the provider sends the browser that an answer has sent to it.
    func callback(_ start: Outcome, as person: Person) throws -> String {
        let location = try #require(start.location)
        return try #require(authorize(location, as: person))
    }
}

extension Outcome {
    init(_ answer: GateAnswer) {
        switch answer {
        case .response(let response):
            self.init(
                status: response.head.status, fields: response.head.fields, page: nil,
                body: String(decoding: response.body, as: UTF8.self), passage: nil)
        case .page(let page, let status, let fields):
            self.init(status: status, fields: fields, page: page, body: "", passage: nil)
        }
    }
}
