import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct SessionStoreTests {
    private let store = SessionStore(indexKey: Secret.random(count: 32))
    private let now = Instant(nanoseconds: 1_000_000_000_000)
    private let logout = Tombstones.Logout.told(
        issued: Timestamp(seconds: 1_800_000_000), received: Timestamp(seconds: 1_800_000_000))

    private func login(
        _ subject: String = "a-1", sid: String? = "sid-a", host: String = "hub.example",
        authTime: Double? = 1_799_999_900
    ) -> SessionStore.Login {
        SessionStore.Login(
            issuer: FakeProvider.issuer, subject: subject, sessionID: sid, host: host,
            identity: SessionIdentity(
                claims: Claims(username: subject), acr: nil,
                authTime: authTime.map { Timestamp(seconds: $0) },
                created: Timestamp(seconds: 1_800_000_000), idToken: Secret("t"),
                tokenClaims: [:]))
    }

    private struct Made {
        var session: Session
        var cookie: String
        var ends: [(Session, EndCause)]
    }

    private func insert(
        _ login: SessionStore.Login, limits: SessionLimits = SessionLimits(), at: Instant? = nil
    ) -> Made? {
        guard
            case .inserted(let session, let cookie, let ends) = store.insert(
                login, limits: limits, now: at ?? now)
        else { return nil }
        return Made(session: session, cookie: cookie.value.revealText(), ends: ends)
    }

    private func opens(_ cookie: String, at: Instant? = nil) -> Session? {
        store.lookup(Array(cookie.utf8).span, now: at ?? now)
    }

    // SECURITY-CASES D01.
    @Test func `a forged cookie opens nothing`() throws {
        let made = try #require(insert(login()))
        let other = try #require(insert(login("b-2", sid: "sid-b")))
        #expect(opens(made.cookie) === made.session)
        #expect(opens("") == nil)
        #expect(opens(String(made.cookie.dropLast())) == nil)
        #expect(opens(made.cookie + "A") == nil)
        #expect(opens(String(repeating: "A", count: SessionCookie.length)) == nil)
        // A good id with the secret of another session.
        let mixed = String(made.cookie.prefix(23)) + String(other.cookie.suffix(43))
        #expect(opens(mixed) == nil)
        for index in made.cookie.indices where made.cookie[index] != "." {
            var flipped = made.cookie
            flipped.replaceSubrange(index...index, with: made.cookie[index] == "A" ? "B" : "A")
            #expect(opens(flipped) == nil)
        }
    }

    // SECURITY-CASES D02.
    @Test func `the cookie of an ended session opens nothing`() throws {
        let made = try #require(insert(login()))
        #expect(made.session.markEnded())
        // Over before anything was removed.
        #expect(opens(made.cookie) == nil)
        store.remove([made.session])
        #expect(opens(made.cookie) == nil)
        #expect(store.count == 0)
    }

    // SECURITY-CASES C27.
    @Test func `a second login of the same record changes the id, and the old one lasts a minute`()
        throws
    {
        let first = try #require(insert(login()))
        let second = try #require(insert(login(), at: now + .seconds(10)))
        #expect(first.session === second.session)
        #expect(first.cookie != second.cookie)
        #expect(store.count == 1)
        #expect(opens(first.cookie, at: now + .seconds(69)) != nil)
        #expect(opens(first.cookie, at: now + .seconds(70)) == nil)
        #expect(opens(second.cookie, at: now + .seconds(70)) != nil)
        _ = store.expired(now: now + .seconds(70), limits: SessionLimits())
        #expect(opens(second.cookie, at: now + .seconds(70)) != nil)
        store.remove([second.session])
        #expect(opens(second.cookie) == nil)
        #expect(opens(first.cookie) == nil)
    }

    // SECURITY-CASES D03.
    @Test func `a session runs into the idle limit and into the absolute one`() throws {
        let limits = SessionLimits(idle: .seconds(100), absolute: .seconds(250))
        let made = try #require(insert(login(), limits: limits))
        #expect(store.expired(now: now + .seconds(99), limits: limits).isEmpty)
        #expect(store.expired(now: now + .seconds(100), limits: limits).map(\.1) == [.idle])
        made.session.touch(now + .seconds(99))
        #expect(store.expired(now: now + .seconds(100), limits: limits).isEmpty)
        made.session.touch(now + .seconds(198))
        #expect(store.expired(now: now + .seconds(250), limits: limits).map(\.1) == [.absolute])
    }

    // SECURITY-CASES D15.
    @Test func `one session too many ends the oldest of that user at that host`() throws {
        let limits = SessionLimits(perUser: 3)
        var made: [Session] = []
        _ = insert(login("b-2", sid: "other"), limits: limits)
        _ = insert(login(sid: "g", host: "grafana.example"), limits: limits)
        for number in 0..<3 {
            let one = try #require(
                insert(login(sid: "s\(number)"), limits: limits, at: now + .seconds(number)))
            #expect(one.ends.isEmpty)
            made.append(one.session)
        }
        let last = try #require(
            insert(login(sid: "s3"), limits: limits, at: now + .seconds(9)))
        #expect(last.ends.count == 1)
        #expect(last.ends.first?.0 === made[0])
        #expect(last.ends.first?.1 == .cap)
    }

    // SECURITY-CASES C27.
    @Test func `a provider's session that passes to another user ends the one before`() throws {
        let alice = try #require(insert(login("a-1", sid: "s")))
        let bob = try #require(insert(login("b-2", sid: "s")))
        #expect(bob.session !== alice.session)
        #expect(bob.ends.count == 1)
        #expect(bob.ends.first?.0 === alice.session)
        #expect(bob.ends.first?.1 == .switchedUser)
    }

    // SECURITY-CASES E06.
    @Test func `a logout by sid ends that session on all hosts and no other`() throws {
        let hub = try #require(insert(login()))
        let grafana = try #require(insert(login(host: "grafana.example")))
        _ = insert(login(sid: "another"))
        let ended = store.bury(
            issuer: FakeProvider.issuer, subject: "a-1", sessionID: "sid-a",
            logout, until: now + .seconds(600))
        #expect(ended.count == 2)
        #expect(ended.contains { $0 === hub.session })
        #expect(ended.contains { $0 === grafana.session })
    }

    // SECURITY-CASES E07.
    @Test func `a logout by subject ends all sessions of it and bars older logins`() throws {
        _ = insert(login(sid: "one"))
        _ = insert(login(sid: "two", host: "grafana.example"))
        _ = insert(login("b-2", sid: "three"))
        let ended = store.bury(
            issuer: FakeProvider.issuer, subject: "a-1", sessionID: nil,
            logout, until: now + .seconds(600))
        #expect(ended.count == 2)
        #expect(insert(login(sid: "four")) == nil)
        #expect(insert(login("b-2", sid: "five")) != nil)
    }

    // SECURITY-CASES E08.
    @Test func `an unknown sid ends nothing, and so does one with another subject`() throws {
        _ = insert(login())
        #expect(
            store.bury(
                issuer: FakeProvider.issuer, subject: nil, sessionID: "unknown", logout,
                until: now + .seconds(600)
            ).isEmpty)
        #expect(
            store.bury(
                issuer: FakeProvider.issuer, subject: "b-2", sessionID: "sid-a", logout,
                until: now + .seconds(600)
            ).isEmpty)
        #expect(
            store.bury(
                issuer: "https://sso.example/realms/other", subject: nil, sessionID: "sid-a",
                logout, until: now + .seconds(600)
            ).isEmpty)
        #expect(store.count == 1)
    }

    // SECURITY-CASES E20, E21.
    @Test func `under a tombstone only a login with a newer auth_time gets in`() {
        _ = store.bury(
            issuer: FakeProvider.issuer, subject: nil, sessionID: "sid-a", logout,
            until: now + .seconds(600))
        #expect(insert(login(authTime: nil)) == nil)
        #expect(insert(login(authTime: 1_799_999_900)) == nil)
        #expect(insert(login(authTime: 1_800_000_000)) == nil)
        #expect(store.count == 0)
        #expect(insert(login(authTime: 1_800_000_001)) != nil)
        // Without sid and after its time it bars nobody.
        #expect(insert(login(sid: nil, authTime: nil)) != nil)
        #expect(insert(login(authTime: nil), at: now + .seconds(600)) != nil)
    }
}
