import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseOIDC
import GatehouseTesting
import Testing

/// When the provider's keys are read, over real sockets.
struct ProviderKeysTests {
    /// Posts logout tokens that strangers have signed, each under a `kid` of its own.
    private func flood(_ lab: SignInFixture, _ count: Int) async throws -> [Int] {
        let client = try lab.gateway.browser()
        let stranger = TokenSigner(.es256, keyID: "nobody-s")
        var statuses: [Int] = []
        for number in 0..<count {
            let token = lab.provider.mintLogoutToken(
                client: "gatehouse-demo", sid: "s", subject: "u",
                header: ["kid": .string("nobody-\(number)")], signer: stranger)
            let answer = try await client.post(
                lab.url + "/.gatehouse/backchannel-logout", [("logout_token", token)])
            statuses.append(answer.status)
        }
        return statuses
    }

    @Test func `a token signed by a new key is taken after one look at the keys`() async throws {
        let lab = try await SignInFixture { $0.limits.keySetRefetch = .milliseconds(1) }
        for _ in 0..<2 { #expect(try await lab.signIn().response.status == 200) }
        #expect(lab.provider.count(.keys) == 1)
        lab.provider.rotateKeys()
        for _ in 0..<2 { #expect(try await lab.signIn().response.status == 200) }
        #expect(lab.provider.count(.keys) == 2)
        lab.provider.rotateKeys(hidingOld: true)
        for _ in 0..<2 { #expect(try await lab.signIn().response.status == 200) }
        #expect(lab.provider.count(.keys) == 3)
        await lab.stop()
    }

    // SECURITY-CASES C11.
    @Test
    func `unknown kids of strangers make one look at the keys in an interval, from the first on`()
        async throws
    {
        let lab = try await SignInFixture {
            $0.limits.keySetRefetch = .seconds(3600)
            $0.limits.logoutTokensPerPeer = 1_000_000
        }
        #expect(try await flood(lab, 50).allSatisfy { $0 == 400 })
        #expect(lab.provider.count(.keys) == 1)
        let alice = try lab.gateway.browser()
        _ = try await alice.signIn(lab.url + "/x", username: "alice", password: "alice-pw")
        #expect(try await flood(lab, 50).allSatisfy { $0 == 400 })
        #expect(lab.provider.count(.keys) == 1)
        // What the token endpoint has brought is worth one a second.
        let began = Instant.now()
        lab.provider.misbehave { $0.idToken = .unknownKey }
        for _ in 0..<3 { #expect(try await lab.signIn("/x", as: "bob").response.status == 502) }
        lab.provider.behave()
        let looks = lab.provider.count(.keys)
        #expect(looks <= 2 + Int(Instant.now().since(began).wholeSeconds))
        #expect(try await flood(lab, 50).allSatisfy { $0 == 400 })
        #expect(lab.provider.count(.keys) == looks)
        // So a key that is new is taken soon, whatever strangers have sent; a known one goes on.
        lab.provider.rotateKeys()
        let patience = Instant.now() + .seconds(10)
        while try await lab.signIn("/x", as: "bob").response.status == 502 {
            try #require(Instant.now() < patience, "the new key is not taken")
        }
        #expect(try await alice.send("GET", lab.url + "/x").status == 200)
        await lab.stop()
    }

    @Test func `keys that cannot be read are asked for once a second, and come back`() async throws
    {
        let lab = try await SignInFixture { $0.limits.logoutTokensPerPeer = 1_000_000 }
        lab.provider.misbehave { $0.trouble[.keys] = .status(500) }
        let began = Instant.now()
        #expect(try await lab.signIn().response.status == 503)
        #expect(try await flood(lab, 30).allSatisfy { $0 >= 400 })
        #expect(try await lab.signIn().response.status == 503)
        let seconds = Instant.now().since(began).wholeSeconds
        #expect((1...Int(seconds) + 1).contains(lab.provider.count(.keys)))
        #expect(lab.upstream.count() == 0)
        lab.provider.behave()
        #expect(try await lab.signInOnceAsked().response.status == 200)
        await lab.stop()
    }

    @Test func `a provider that is down is asked for its document once a second`() async throws {
        let lab = try await SignInFixture()
        lab.provider.misbehave { $0.trouble[.discovery] = .status(503) }
        let began = Instant.now()
        let browser = try lab.gateway.browser()
        for _ in 0..<20 { #expect(try await browser.visit(lab.url + "/x").status == 503) }
        let seconds = Instant.now().since(began).wholeSeconds
        #expect((1...Int(seconds) + 1).contains(lab.provider.count(.discovery)))
        lab.provider.behave()
        #expect(try await lab.signInOnceAsked().response.status == 200)
        await lab.stop()
    }

    @Test(arguments: [true, false])
    func `old keys are good while they cannot be read again, and not for ever`(isGood: Bool)
        async throws
    {
        let lab = try await SignInFixture {
            $0.limits.keySetLifetime = .milliseconds(1)
            $0.limits.keySetRefetch = .milliseconds(1)
            $0.limits.keySetStale = isGood ? .seconds(3600) : .milliseconds(2)
        }
        #expect(try await lab.signIn().response.status == 200)
        let before = lab.provider.count(.keys)
        lab.provider.misbehave { $0.trouble[.keys] = .status(500) }
        // Keys that are too old are none, and without any they are asked for once a second.
        if !isGood { await lab.pause(.milliseconds(1100), on: try lab.gateway.browser().loop) }
        #expect((try await lab.signIn().response.status == 200) == isGood)
        // A key that the old set does not have is no key.
        lab.provider.rotateKeys()
        #expect(try await lab.signIn().response.status >= 500)
        #expect(lab.provider.count(.keys) > before)
        lab.provider.behave()
        #expect(try await lab.signInOnceAsked().response.status == 200)
        await lab.stop()
    }

    @Test func `sign-ins that wait for the keys read them together`() async throws {
        let lab = try await SignInFixture()
        lab.provider.misbehave { $0.trouble[.keys] = .late(.milliseconds(300)) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await lab.signIn().response.status } }
            for try await status in group { #expect(status == 200) }
        }
        #expect(lab.provider.count(.keys) == 1)
        #expect(lab.provider.count(.discovery) == 1)
        await lab.stop()
    }
}
