import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct LoginStateTests {
    private let keys = [Secret.random(count: 32), Secret.random(count: 32)]

    private func state(_ target: String) -> LoginState {
        LoginState(
            transaction: Array(1...8), created: Timestamp(seconds: 1_800_000_000.5),
            issuer: LoginState.tag(issuer: "https://sso.example"), host: "hub.example",
            target: target, restarts: 1, asksAgain: true)
    }

    @Test func `a state opens as it was sealed, also under the older key`() throws {
        let text = state("/lab?x=1").sealed(with: keys, maximum: 1500)
        #expect(LoginState.open(text, with: keys) == state("/lab?x=1"))
        #expect(LoginState.open(text, with: [.random(count: 32), keys[0]]) != nil)
        #expect(LoginState.open(text, with: [keys[1]]) == nil)
        #expect(!text.contains("lab"))
    }

    @Test func `a state tells its start to the millisecond, and none that is later`() throws {
        var state = state("/")
        for microseconds in stride(from: 0, to: 1_000_000, by: 1_999) {
            let time = Timestamp(seconds: 1_800_000_000 + Double(microseconds) / 1e6)
            state = LoginState(
                transaction: state.transaction, created: time, issuer: state.issuer,
                host: state.host, target: state.target, restarts: 0, asksAgain: true)
            let opened = LoginState.open(state.sealed(with: keys, maximum: 1500), with: keys)
            let created = try #require(opened).created
            #expect(created <= time && time - created < .microseconds(1_001))
        }
    }

    @Test func `the longest target fits and one bit more opens nothing`() throws {
        let text = state("/" + String(repeating: "x", count: 899)).sealed(
            with: keys, maximum: 1500)
        #expect(text.utf8.count <= 1500)
        var bytes = try #require(Base64URL.decode(text))
        bytes[20] ^= 1
        #expect(LoginState.open(Base64URL.encode(bytes), with: keys) == nil)
        for bad in ["", "x", text + "A", String(repeating: "A", count: 100_000)] {
            #expect(LoginState.open(bad, with: keys) == nil)
        }
    }
}

@Suite struct LoginCookiesTests {
    private func cookies(_ text: String) -> LoginCookies {
        var fields = Fields()
        fields.append(.cookie, text)
        return LoginCookies(fields)
    }

    // SECURITY-CASES C36.
    @Test(arguments: [
        "__Host-Http-gatehouse-tx-=", "__Host-Http-gatehouse-tx-", "=", ";;;;",
        "__Host-Http-gatehouse-tx-AAAAAAAAAAA=", "__Host-Http-gatehouse-tx-AAAAAAAAAAA=%%%",
        "__Host-Http-gatehouse-tx-999999=999999",
    ])
    func `crafted cookies are no transactions`(text: String) {
        #expect(cookies(text).transactions.isEmpty)
    }

    @Test func `hundreds of cookies are read in one go and doubled ones count as none`() {
        let value = Base64URL.encode([UInt8](repeating: 7, count: 32))
        let many = (0..<300).map { "__Host-Http-gatehouse-tx-x\($0)=\($0)" }
        let same = "__Host-Http-gatehouse-tx-AAAAAAAAAAA=\(value)"
        #expect(cookies((many + [same]).joined(separator: "; ")).transactions.count == 1)
        #expect(cookies([same, same].joined(separator: "; ")).transactions.isEmpty)
    }
}
