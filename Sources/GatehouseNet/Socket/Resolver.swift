import CLinux
public import GatehouseBase
import Glibc
import Synchronization

/// Names to addresses: getaddrinfo on a few helper threads, answers kept for a while.
///
/// getaddrinfo tells no lifetime, so answers are good for `Limits.resolverAnswer`. While the
/// resolver fails, or is silent for longer than `Limits.resolverFailure`, the last good answer is
/// used; a name that failed is asked again after that time. A name is asked once at a time,
/// whoever waits for it, and one that hangs delays no other but when all threads hang. Where the
/// system has no thread to give, those that are there do all of it; without any a look-up fails.
public final class Resolver: Sendable {
    /// The addresses of a name, or why there are none; may take as long as it likes.
    public typealias LookUp =
        @Sendable (_ host: String, _ port: UInt16) -> (addresses: [Address], failure: String?)

    /// Starts a thread; 0, or why there is none.
    typealias Start = @Sendable (_ body: @escaping @Sendable () -> Void) -> Int32

    private struct Question: Sendable, Hashable {
        let host: String
        let port: UInt16
    }

    private struct Answer: Sendable {
        var addresses: [Address]
        var askedAt: Instant
        var failure: String?

        func isFresh(_ limits: Limits) -> Bool {
            let age = Instant.now().since(askedAt)
            return age < (failure == nil ? limits.resolverAnswer : limits.resolverFailure)
        }
    }

    private struct State: Sendable {
        var answers: [Question: Answer] = [:]
        var queue: [Question] = []
        /// Who waits, for names in the queue and for those that are being asked.
        var waiting: [Question: [Delivery<Answer?>]] = [:]
        var threads = 0
        /// Whether the last one that was wanted could not be had: said once.
        var lacksThread = false
        var limits: Limits
    }

    private static let maximumThreads = 4
    private static let maximumAnswers = 4096

    private let state: Locked<State>
    private let lookUp: LookUp
    private let onLack: @Sendable (String) -> Void
    private let start: Start

    /// - Parameters:
    ///   - lookUp: the system's, but in tests.
    ///   - onLack: told, once until it is over, why a thread could not be had.
    public convenience init(
        _ limits: Limits, lookUp: @escaping LookUp = Resolver.askSystem,
        onLack: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(limits, lookUp: lookUp, onLack: onLack, start: DetachedThread.start)
    }

    /// - Parameter start: the system's, but in tests.
    init(
        _ limits: Limits, lookUp: @escaping LookUp, onLack: @escaping @Sendable (String) -> Void,
        start: @escaping Start
    ) {
        state = Locked(State(limits: limits))
        self.lookUp = lookUp
        self.onLack = onLack
        self.start = start
    }

    /// Takes up other limits.
    public func take(_ limits: Limits) { state.withLock { $0.limits = limits } }

    /// The addresses of `host`, a name or a numeric address, in the resolver's order.
    ///
    /// - Parameters:
    ///   - core: of the loop that waits.
    ///   - deadline: then this throws `timedOut`; the helper thread goes on asking.
    ///   - abandonment: of whoever waits; then too.
    public func addresses(
        of host: String, port: UInt16, core: LoopCore, deadline: Instant = .never,
        abandonment: Abandonment? = nil
    ) async throws(StreamError) -> [Address] {
        if let numeric = Address(ip: host, port: port) { return [numeric] }
        let question = Question(host: host, port: port)
        let (known, limits) = state.withLock { ($0.answers[question], $0.limits) }
        if let known, known.isFresh(limits) { return try addresses(known, host) }
        // Whichever comes first is what is waited for; the other finds nobody.
        let delivery = Delivery<Answer?>()
        ask(question, delivery)
        let stale = known.flatMap { $0.addresses.isEmpty ? nil : $0 }
        let timer = LoopTimer { delivery.deliver(nil) }
        core.set(
            timer, to: stale == nil ? deadline : min(deadline, .now() + limits.resolverFailure))
        abandonment?.onAbandon = { delivery.deliver(nil) }
        defer {
            core.cancel(timer)
            abandonment?.onAbandon = nil
        }
        guard let answer = await delivery.value() ?? stale else { throw .timedOut }
        return try addresses(answer, host)
    }

    private func addresses(_ answer: Answer, _ host: String) throws(StreamError) -> [Address] {
        guard !answer.addresses.isEmpty else {
            throw .unresolved("\(host): \(answer.failure ?? "no address")")
        }
        return answer.addresses
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

    // MARK: On the helper threads

    /// Lets `delivery` have the next answer to `question`.
    private func ask(_ question: Question, _ delivery: Delivery<Answer?>) {
        let mustStart = state.withLock { state in
            let isAsked = state.waiting[question] != nil
            state.waiting[question, default: []].append(delivery)
            guard !isAsked else { return false }
            state.queue.append(question)
            guard state.threads < Resolver.maximumThreads else { return false }
            state.threads += 1
            return true
        }
        if mustStart { startThread() }
    }

    private func startThread() {
        let code = start { self.work() }
        guard code != 0 else { return state.withLock { $0.lacksThread = false } }
        // Sound: strerror's text is copied at once.
        let reason = unsafe String(cString: strerror(code))
        let (isNews, orphans) = state.withLock { state in
            defer { state.lacksThread = true }
            state.threads -= 1
            // What waits is for the threads that there are.
            guard state.threads == 0 else { return (!state.lacksThread, [Question]()) }
            defer { state.queue = [] }
            return (!state.lacksThread, state.queue)
        }
        if isNews { onLack(reason) }
        for question in orphans { settle(question, [], "no thread to look it up: \(reason)") }
    }

    /// Answers what is in the queue; the thread lives while there is something.
    private func work() {
        while true {
            let next: Question? = state.withLock { state in
                guard !state.queue.isEmpty else {
                    state.threads -= 1
                    return nil
                }
                return state.queue.removeFirst()
            }
            guard let next else { return }
            let (addresses, failure) = lookUp(next.host, next.port)
            settle(next, addresses, failure)
        }
    }

    /// Tells everybody who waits.
    private func settle(_ question: Question, _ addresses: [Address], _ failure: String?) {
        let answer = Answer(addresses: addresses, askedAt: .now(), failure: failure)
        let (kept, waiting) = state.withLock { state in
            (keep(answer, to: question, &state), state.waiting.removeValue(forKey: question) ?? [])
        }
        for delivery in waiting { delivery.deliver(kept) }
    }

    /// Keeps an answer; one that failed has the addresses of the one before.
    private func keep(_ answer: Answer, to question: Question, _ state: inout State) -> Answer {
        var answer = answer
        if answer.failure != nil, let before = state.answers[question] {
            answer.addresses = before.addresses
        }
        if state.answers.count >= Resolver.maximumAnswers { state.answers.removeAll() }
        state.answers[question] = answer
        return answer
    }
}
