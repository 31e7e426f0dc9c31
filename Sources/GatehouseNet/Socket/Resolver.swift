import CLinux
public import GatehouseBase
import Glibc
import Synchronization

/// Names to addresses: getaddrinfo on one helper thread, answers kept for a while.
///
/// getaddrinfo tells no lifetime, so answers are good for `Limits.resolverAnswer`; while the
/// resolver fails, the last good answer is used and the name is asked again after
/// `Limits.resolverFailure`.
public final class Resolver: Sendable {
    /// The addresses of a name, or why there are none; may take as long as it likes.
    public typealias LookUp =
        @Sendable (_ host: String, _ port: UInt16) -> (addresses: [Address], failure: String?)

    private struct Answer: Sendable {
        var addresses: [Address]
        var askedAt: Instant
        var failure: String?
    }

    private struct State: Sendable {
        var answers: [String: Answer] = [:]
        var queue: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private let state = Mutex(State())
    private let answerLife: Duration
    private let failureLife: Duration
    private let lookUp: LookUp

    /// - Parameter lookUp: the system's, but in tests.
    public init(_ limits: Limits, lookUp: @escaping LookUp = Resolver.askSystem) {
        answerLife = limits.resolverAnswer
        failureLife = limits.resolverFailure
        self.lookUp = lookUp
    }

    /// The addresses of `host`, a name or a numeric address, in the resolver's order.
    ///
    /// - Parameters:
    ///   - core: of the loop that waits.
    ///   - deadline: then this throws `timedOut`; the helper thread goes on asking.
    public func addresses(
        of host: String, port: UInt16, core: LoopCore, deadline: Instant = .never
    ) async throws(StreamError) -> [Address] {
        if let numeric = Address(ip: host, port: port) { return [numeric] }
        let key = "\(host):\(port)"
        let known = state.withLock { $0.answers[key] }
        if let known, isFresh(known) { return try addresses(known, host) }
        // Whichever comes first is what is waited for; the other finds nobody.
        let delivery = Delivery<Answer?>()
        submit { delivery.deliver(self.ask(host, port, key)) }
        let timer = LoopTimer { delivery.deliver(nil) }
        core.set(timer, to: deadline)
        defer { core.cancel(timer) }
        guard let answer = await delivery.value() else { throw .timedOut }
        return try addresses(answer, host)
    }

    private func isFresh(_ answer: Answer) -> Bool {
        let age = Instant.now().since(answer.askedAt)
        return age < (answer.failure == nil ? answerLife : failureLife)
    }

    private func addresses(_ answer: Answer, _ host: String) throws(StreamError) -> [Address] {
        guard !answer.addresses.isEmpty else {
            throw .unresolved("\(host): \(answer.failure ?? "no address")")
        }
        return answer.addresses
    }

    /// On the helper thread: asks, keeps the answer, and on failure the one before.
    private func ask(_ host: String, _ port: UInt16, _ key: String) -> Answer {
        if let known = state.withLock({ $0.answers[key] }), isFresh(known) { return known }
        let (addresses, failure) = lookUp(host, port)
        return state.withLock { state in
            var answer = Answer(addresses: addresses, askedAt: .now(), failure: failure)
            if failure != nil, let before = state.answers[key] {
                answer.addresses = before.addresses
            }
            if state.answers.count >= 4096 { state.answers.removeAll() }
            state.answers[key] = answer
            return answer
        }
    }

    /// getaddrinfo.
    public static let askSystem: LookUp = { host, port in
        // Sound: plain C structures; the list is freed below and read only before.
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else { return ([], unsafe String(cString: gai_strerror(result))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [Address] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe Address(entry.pointee.ai_addr, entry.pointee.ai_addrlen) {
                addresses.append(address)
            }
            unsafe next = entry.pointee.ai_next
        }
        return (addresses, nil)
    }

    /// Runs `work` on the helper thread, which lives while there is work.
    private func submit(_ work: @escaping @Sendable () -> Void) {
        let mustStart = state.withLock { state in
            state.queue.append(work)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard mustStart else { return }
        let box = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        // Sound: the retained self is taken over by the new thread.
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Resolver>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            }, unsafe box.toOpaque())
        precondition(result == 0, "pthread_create failed: \(result)")
        pthread_detach(thread)
    }

    private func work() {
        while true {
            let next: (@Sendable () -> Void)? = state.withLock { state in
                guard !state.queue.isEmpty else {
                    state.isRunning = false
                    return nil
                }
                return state.queue.removeFirst()
            }
            guard let next else { return }
            next()
        }
    }
}
