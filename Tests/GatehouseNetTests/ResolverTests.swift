import GatehouseBase
import Glibc
import Synchronization
import Testing

@testable import GatehouseNet

struct ResolverTests {
    /// Names that are answered when the test says so.
    private final class SlowNames: Sendable {
        let isOpen = Atomic(false)
        let asked = Atomic(0)

        func lookUp(_ host: String, _ port: UInt16) -> (addresses: [Address], failure: String?) {
            asked.add(1, ordering: .relaxed)
            while !isOpen.load(ordering: .acquiring) { usleep(1000) }
            return (Address(ip: "192.0.2.7", port: port).map { [$0] } ?? [], nil)
        }
    }

    private func ask(
        _ resolver: Resolver, _ host: String, within time: Duration, on loop: EventLoop
    ) async -> Result<Int, StreamError> {
        await loop.run { loop in
            do throws(StreamError) {
                return .success(
                    try await resolver.addresses(
                        of: host, port: 443, core: loop.core, deadline: .now() + time
                    ).count)
            } catch { return .failure(error) }
        }
    }

    @Test func `a name that is looked up for too long is given up at the deadline`() async {
        let names = SlowNames()
        let resolver = Resolver(Limits(), lookUp: names.lookUp)
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let first = await ask(resolver, "slow.example", within: .milliseconds(50), on: loop)
        #expect(first == .failure(.timedOut))
        // A number needs no look-up, and nobody waits for the name that hangs.
        #expect(await ask(resolver, "127.0.0.1", within: .zero, on: loop) == .success(1))
        names.isOpen.store(true, ordering: .releasing)
        #expect(await ask(resolver, "slow.example", within: .seconds(10), on: loop) == .success(1))
        #expect(names.asked.load(ordering: .relaxed) == 1)
    }

    /// Answers at once, and then for a while not at all.
    private final class Fading: Sendable {
        let isSilent = Atomic(false)
        let asked = Atomic(0)

        func lookUp(_ host: String, _ port: UInt16) -> (addresses: [Address], failure: String?) {
            asked.add(1, ordering: .relaxed)
            while host == "slow.example", isSilent.load(ordering: .acquiring) { usleep(1000) }
            return (Address(ip: "192.0.2.7", port: port).map { [$0] } ?? [], nil)
        }
    }

    @Test func `an old answer serves while the resolver is silent, and other names are asked`()
        async
    {
        let names = Fading()
        var limits = Limits()
        limits.resolverAnswer = .zero
        limits.resolverFailure = .milliseconds(20)
        let resolver = Resolver(limits, lookUp: names.lookUp)
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        #expect(await ask(resolver, "slow.example", within: .seconds(10), on: loop) == .success(1))
        names.isSilent.store(true, ordering: .releasing)
        for _ in 0..<3 {
            let old = await ask(resolver, "slow.example", within: .seconds(10), on: loop)
            #expect(old == .success(1))
        }
        // One thread hangs, and not one for each who asks.
        #expect(await ask(resolver, "other.example", within: .seconds(10), on: loop) == .success(1))
        #expect(names.asked.load(ordering: .relaxed) == 3)
        names.isSilent.store(false, ordering: .releasing)
    }

    /// A system that has no more threads than the test gives it.
    private final class Threads: Sendable {
        let left: Locked<Int>
        let complaints = Locked<[String]>([])

        init(_ count: Int) { left = Locked(count) }

        func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
            let isGiven = left.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            return isGiven ? DetachedThread.start(body) : EAGAIN
        }

        func resolver(_ limits: Limits, _ lookUp: @escaping Resolver.LookUp) -> Resolver {
            Resolver(
                limits, lookUp: lookUp,
                onLack: { reason in self.complaints.withLock { $0.append(reason) } }, start: start)
        }
    }

    @Test func `without a thread a look-up fails at once, and soon works again`() async {
        let names = Fading()
        let threads = Threads(0)
        var limits = Limits()
        limits.resolverFailure = .milliseconds(20)
        let resolver = threads.resolver(limits, names.lookUp)
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let reason = "no thread to look it up: Resource temporarily unavailable"
        for host in ["a.example", "b.example"] {
            #expect(
                await ask(resolver, host, within: .seconds(10), on: loop)
                    == .failure(.unresolved("\(host): \(reason)")))
        }
        #expect(names.asked.load(ordering: .relaxed) == 0)
        #expect(threads.complaints.withLock { $0 } == ["Resource temporarily unavailable"])
        threads.left.withLock { $0 = 1 }
        await loop.run { await EventLoop.sleep(.milliseconds(50), on: $0.core) }
        #expect(await ask(resolver, "a.example", within: .seconds(10), on: loop) == .success(1))
        #expect(await ask(resolver, "127.0.0.1", within: .zero, on: loop) == .success(1))
    }

    @Test func `the threads that there are answer for those that could not be had`() async {
        let names = SlowNames()
        let threads = Threads(1)
        let resolver = threads.resolver(Limits(), names.lookUp)
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        for host in ["a.example", "b.example", "c.example"] {
            #expect(
                await ask(resolver, host, within: .milliseconds(20), on: loop)
                    == .failure(.timedOut))
        }
        #expect(threads.complaints.withLock { $0.count } == 1)
        names.isOpen.store(true, ordering: .releasing)
        for host in ["c.example", "b.example", "a.example"] {
            #expect(await ask(resolver, host, within: .seconds(10), on: loop) == .success(1))
        }
        #expect(names.asked.load(ordering: .relaxed) == 3)
    }
}
