import FoundationEssentials
import GatehouseBase
import GatehouseGate
import GatehouseKit
import GatehouseTesting
import Glibc
import Testing

/// `gatehouse proxy` with `oidc` on a state directory that it cannot have: what must last, as who has
/// signed out, would not, so that it does not start. Without `oidc` it does, as the contract has it.
struct StateWithSignInTests {
    private static let signIn = [
        "GATEHOUSE_CONFIG_YAML": """
        public_urls: [https://hub.example.org]
        access: [{path: /**, allow: signed_in}]
        oidc: {issuer: http://127.0.0.1:1/realm, client_id: gatehouse}

        """, "GATEHOUSE_OIDC_CLIENT_SECRET": "hunter2",
    ]

    private static let keys: [String: String] = {
        var file = KeyFile()
        _ = file.complete()
        return ["GATEHOUSE_KEYS": file.serialized().revealText()]
    }()

    private func start(
        _ directory: String, _ environment: [String: String], after earlier: ProxyFixture? = nil
    ) async throws -> ProxyFixture {
        try await ProxyFixture(
            ["--front", "nginx", "--trusted", "127.0.0.1"], stateDirectory: directory,
            after: earlier, environment: environment)
    }

    private func refusal(
        _ directory: String, _ environment: [String: String], after earlier: ProxyFixture? = nil
    ) async throws -> GatewayError {
        let error = await #expect(throws: GatewayError.self) {
            try await start(directory, environment, after: earlier).stop()
        }
        return try #require(error)
    }

    @Test(arguments: [false, true])
    func `one that cannot be made is refused, with what to do`(hasKeys: Bool) async throws {
        let environment = Self.signIn.merging(hasKeys ? Self.keys : [:]) { $1 }
        let error = try await refusal("/proc/nowhere", environment)
        #expect(error.message.contains("/proc/nowhere"))
        #expect(error.hint?.contains("writable") == true)
        #expect(error.hint?.contains("'state_dir: none'") == true)
        // Neither the other one nor the same without sign-in is in doubt.
        try await start("none", environment).stop()
        try await ProxyFixture(stateDirectory: "/proc/nowhere").stop()
    }

    @Test func `one that another process has open is refused, with what to do`() async throws {
        let folder = TestFolder()
        let first = try await start(folder.path, Self.signIn)
        try await first.add("/user/a", to: 1)
        await first.stop()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let lock = try #require(names.first { $0.hasSuffix(".lock") })
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open(folder.path + "/" + lock, O_RDWR | O_CLOEXEC)
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
        let error = try await refusal(folder.path, Self.signIn, after: first)
        #expect(error.message.contains(folder.path))
        #expect(error.hint?.contains("end who has it open") == true)
        #expect(error.hint?.contains("'state_dir: none'") == true)
        close(file)
        // Nothing is left of the refused one, and nothing is lost.
        let second = try await start(folder.path, Self.signIn, after: first)
        #expect(try await second.table().keys.sorted() == ["/user/a"])
        await second.stop()
    }
}
