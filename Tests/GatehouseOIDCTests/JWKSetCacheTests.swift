import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

struct JWKSetCacheTests {
    private func instant(_ seconds: Int) -> Instant {
        Instant(nanoseconds: UInt64(seconds + 1000) * 1_000_000_000)
    }

    private func word(_ decision: JWKSetCache.Decision) -> String {
        switch decision {
        case .use: "use"
        case .refetch(let fallback): fallback == nil ? "refetch" : "refetch, else use"
        case .refuse: "refuse"
        }
    }

    private func filled() throws -> JWKSetCache {
        var cache = JWKSetCache()
        cache.began(at: instant(0))
        cache.fetched(try Fixtures.keys(), at: instant(0))
        return cache
    }

    @Test func `without keys they are read, at most once a second`() {
        var cache = JWKSetCache()
        #expect(word(cache.decision(knows: false, now: instant(0))) == "refetch")
        cache.began(at: instant(0))
        #expect(word(cache.decision(knows: false, now: instant(0))) == "refuse")
        #expect(word(cache.decision(knows: false, now: instant(1))) == "refetch")
    }

    /// C11.
    @Test(arguments: [
        (0, "use"), (3599, "use"), (3600, "refetch, else use"), (86399, "refetch, else use"),
        (86400, "refetch"),
    ])
    func `keys are used for an hour, read again then, and good for a day while that fails`(
        age: Int, expected: String
    ) throws {
        #expect(word(try filled().decision(knows: true, now: instant(age))) == expected)
    }

    @Test func `a failed read is tried again after 30 s, the old keys serve meanwhile`() throws {
        var cache = try filled()
        cache.began(at: instant(3600))
        #expect(word(cache.decision(knows: true, now: instant(3629))) == "use")
        #expect(word(cache.decision(knows: true, now: instant(3630))) == "refetch, else use")
    }

    /// C11.
    @Test func `an unknown kid makes at most one read in 30 s, however many come`() throws {
        var cache = try filled()
        var reads = 0
        for millisecond in 0..<90_000 {
            let now = instant(0) + .milliseconds(millisecond)
            if case .refetch(let fallback) = cache.decision(knows: false, now: now) {
                #expect(fallback == nil)
                cache.began(at: now)
                reads += 1
            }
        }
        #expect(reads == 2)
    }

    @Test func `the key a token names decides`() throws {
        let cache = try filled()
        let known = try JWS(
            parsing: Array(Fixtures.rsa.token([:]).utf8), allowed: Fixtures.all)
        let unknown = try JWS(
            parsing: Array(Fixtures.rsa.token([:], header: ["kid": "new"]).utf8),
            allowed: Fixtures.all)
        #expect(word(cache.decision(for: known, now: instant(40))) == "use")
        #expect(word(cache.decision(for: unknown, now: instant(10))) == "refuse")
        #expect(word(cache.decision(for: unknown, now: instant(40))) == "refetch")
    }
}
