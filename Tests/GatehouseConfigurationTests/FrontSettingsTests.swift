import Testing

@testable import GatehouseConfiguration

struct FrontSettingsTests {
    @Test(arguments: FrontSettings.Profile.allCases)
    func `somebody's word is taken where a profile and a peer are named, and not for one alone`(
        profile: FrontSettings.Profile
    ) throws {
        var front = FrontSettings()
        front.profile = profile
        #expect(!front.isTrusted)
        for text in ["10.0.0.0/8", "unix"] {
            var named = front
            try named.trust(text)
            #expect(named.isTrusted == (profile != .none))
            #expect(named.trustedTexts == [text])
        }
    }

    @Test func `a network that is named twice is kept once`() throws {
        var front = FrontSettings()
        for text in ["10.0.0.0/8", "unix", "::1", "10.0.0.0/8", "unix"] { try front.trust(text) }
        #expect(front.trustedTexts == ["10.0.0.0/8", "::1", "unix"])
    }
}
