import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseTesting
import Glibc
import Testing

/// Stored routes where something is wrong with the disk, or with another process.
struct StoredRoutesTroubleTests {
    private let upstream = FakeUpstream()
    private let server: LocalServer

    init() throws {
        let upstream = upstream
        server = try LocalServer.start { _ in upstream }
    }

    private func wait(_ time: Duration) async {
        await EventLoop(name: "wait").run { await EventLoop.sleep(time, on: $0.core) }
    }

    /// What an earlier disk holds is neither the newest nor, once confirmed, what the Hub has seen.
    @Test func `what the disk has missed is made up for before anything is confirmed`()
        async throws
    {
        let folder = TestFolder()
        let aside = TestFolder()
        let first = try await ProxyFixture(stateDirectory: folder.path)
        for path in ["/user/stays", "/user/ends"] { try await first.add(path, to: server.port) }
        let files = FileManager.default
        // While another file has its name the state directory cannot be used.
        try files.moveItem(atPath: folder.path, toPath: aside.path)
        try Data().write(to: URL(filePath: folder.path))
        #expect(try await first.api("DELETE", "/user/ends").status == 204)
        try await first.add("/user/comes", to: server.port)
        try files.removeItem(atPath: folder.path)
        try files.moveItem(atPath: aside.path, toPath: folder.path)
        try await first.add("/user/last", to: server.port)
        #expect(try await first.table().count == 3)
        await wait(.milliseconds(2300))
        await first.stop()

        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(
            Set(try await second.table().keys) == ["/user/stays", "/user/comes", "/user/last"])
        await second.stop()
        await server.stop()
    }

    @Test func `without another change a listing makes up for what the disk has missed`()
        async throws
    {
        let folder = TestFolder()
        let first = try await ProxyFixture(stateDirectory: folder.path)
        try await first.add("/user/a", to: server.port)
        try FileManager.default.removeItem(atPath: folder.path)
        try Data().write(to: URL(filePath: folder.path))
        try await first.add("/user/b", to: server.port)
        try FileManager.default.removeItem(atPath: folder.path)
        _ = try await first.table()
        await wait(.milliseconds(500))
        await first.stop()
        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(Set(try await second.table().keys) == ["/user/a", "/user/b"])
        await second.stop()
        await server.stop()
    }

    @Test func `a state directory that somebody removes is made again, with all routes`()
        async throws
    {
        let folder = TestFolder()
        let journal = Journal()
        let log = Log(label: "", level: .notice) { event in journal.note(event.message) }
        let first = try await ProxyFixture(stateDirectory: folder.path, log: log)
        try await first.add("/user/before", to: server.port)
        try FileManager.default.removeItem(atPath: folder.path)
        try await first.add("/user/after", to: server.port)
        let said = journal.events
        #expect(said.contains { $0.hasPrefix("routes cannot be stored") })
        #expect(said.last == "routes are stored again")
        // As a kill would leave it: another one reads what is there.
        let copy = TestFolder()
        try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
        await first.stop()
        let second = try await ProxyFixture(stateDirectory: copy.path, after: first)
        #expect(Set(try await second.table().keys) == ["/user/before", "/user/after"])
        await second.stop()
        await server.stop()
    }

    // MARK: Two processes

    @Test func `a process that drains gives the routes to the next one`() async throws {
        let folder = TestFolder()
        let go = Journal()
        let slow = try RawServer { connection, loop in
            _ = try await connection.request()
            go.note("asked")
            try await go.wait(for: "go", within: .seconds(20), on: loop.core)
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        }
        let first = try await ProxyFixture(["--drain", "20s"], stateDirectory: folder.path)
        try await first.add("/slow", to: slow.port)
        try await first.add("/user/alice", to: server.port)
        try await EventLoop(name: "client").attempt { loop in
            let answer = Delivery<Int>()
            EventLoop(name: "slow").start { _ in
                answer.deliver((try? await first.get("/slow").status) ?? 0)
            }
            try await go.wait(for: "asked", on: loop.core)
            let stopped = Delivery<Void>()
            EventLoop(name: "stop").start { _ in
                await first.stop()
                go.note("stopped")
                stopped.deliver(())
            }
            await EventLoop.sleep(.milliseconds(300), on: loop.core)
            let began = Instant.now()
            let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
            #expect(Instant.now().since(began) < .seconds(3))
            #expect(try await second.get("/user/alice/lab").status == 200)
            try await second.add("/user/bob", to: server.port)
            #expect(go.count("stopped") == 0, "the first one is still draining")
            go.note("go")
            #expect(await answer.value() == 200)
            await stopped.value()
            await second.stop()
            let third = try await ProxyFixture(stateDirectory: folder.path, after: first)
            #expect(
                Set(try await third.table().keys) == ["/slow", "/user/alice", "/user/bob"])
            await third.stop()
        }
        slow.stop()
        await server.stop()
    }

    @Test func `routes that another process holds are taken up when it lets go`() async throws {
        let folder = TestFolder()
        let first = try await ProxyFixture(stateDirectory: folder.path)
        for path in ["/user/alice", "/user/bob"] { try await first.add(path, to: server.port) }
        await first.stop()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let lock = try #require(names.first { $0.hasSuffix(".lock") })
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open(folder.path + "/" + lock, O_RDWR | O_CLOEXEC)
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(try await second.get("/user/alice/lab").status == 503)
        #expect(try await second.api("DELETE", "/user/bob").status == 404)
        close(file)
        // A try that took long is not repeated at once; the timer's next is within ten seconds.
        let deadline = Instant.now() + .seconds(15)
        while true {
            try await second.add("/user/carol", to: server.port)
            if try await second.get("/user/alice/lab").status == 200 || Instant.now() > deadline {
                break
            }
            await second.client.loop.run { await EventLoop.sleep(.milliseconds(50), on: $0.core) }
        }
        #expect(try await second.get("/user/alice/lab").status == 200)
        #expect(Set(try await second.table().keys) == ["/user/alice", "/user/carol"])
        await second.stop()
        let third = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(Set(try await third.table().keys) == ["/user/alice", "/user/carol"])
        await third.stop()
        await server.stop()
    }

    // MARK: The command line's route

    @Test func `the default target ends with the process`() async throws {
        let folder = TestFolder()
        let target = "http://127.0.0.1:\(server.port)"
        let first = try await ProxyFixture(
            ["--default-target", target], stateDirectory: folder.path)
        try await first.add("/user/alice", to: server.port)
        #expect(try await first.get("/hub/").status == 200)
        await first.stop()
        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(Set(try await second.table().keys) == ["/user/alice"])
        #expect(try await second.get("/hub/").status == 404)
        #expect(try await second.get("/user/alice/lab").status == 200)
        await second.stop()
        await server.stop()
    }

    @Test(arguments: [#","jupyterhub":true"#, ""])
    func `a stored one of an older version ends when the Hub has read the table`(more: String)
        async throws
    {
        let folder = TestFolder()
        let body = #"{"target":"http://127.0.0.1:\#(server.port)"\#(more)}"#
        let first = try await ProxyFixture(stateDirectory: folder.path)
        #expect(try await first.api("POST", "/", body).status == 201)
        await first.stop()
        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(try await second.table().count == 1)
        #expect(try await second.get("/hub/").status == 200)
        await wait(.milliseconds(2500))
        #expect(try await second.get("/hub/").status == (more.isEmpty ? 404 : 200))
        await second.stop()
        let third = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(try await third.table().count == (more.isEmpty ? 0 : 1))
        await third.stop()
        await server.stop()
    }
}
