import GatehouseBase
import Testing

struct OwnPathTests {
    /// What clients at providers hold, monitoring asks for, and applications link to: outside of
    /// the program, where a change would be noticed too late.
    @Test(arguments: [
        (OwnPath.login, "/.gatehouse/login"), (OwnPath.callback, "/.gatehouse/callback"),
        (OwnPath.logout, "/.gatehouse/logout"), (OwnPath.loggedOut, "/.gatehouse/logged-out"),
        (OwnPath.session, "/.gatehouse/session"),
        (OwnPath.backChannelLogout, "/.gatehouse/backchannel-logout"),
        (OwnPath.health, "/.gatehouse/healthz"),
    ])
    func `our paths are those that others know`(path: StaticString, known: String) {
        #expect("\(path)" == known)
        #expect(known.hasPrefix("\(OwnPath.folder)/"))
        #expect("\(OwnPath.folder)" == "/\(OwnPath.segment)")
    }
}
