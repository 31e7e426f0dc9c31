import GatehouseBase
import Synchronization

/// What JupyterHub has said about tokens, for a while, and who asks it.
///
/// Good and bad tokens have rooms of their own, so that whoever sends junk drives out nobody. A
/// token that was good once stays known when its time is over: to ask about it again counts as no
/// guess.
final class TokenLane: Sendable {
    private struct State {
        /// Those of browsers' sessions too.
        var good = Room<TokenVerdict>()
        /// A place there means that it is not good.
        var bad = Room<Void>()
        var flights: [[UInt8]: Flight] = [:]
        /// Of these, for tokens that come beside a session.
        var besideSessions = 0
    }

    /// What is remembered until a moment. When that is over it stays until its place is needed.
    private struct Room<Value> {
        private var places: [[UInt8]: (value: Value, until: Instant)] = [:]
        private var nextSweep = Instant(nanoseconds: 0)

        var count: Int { places.count }

        func holds(_ key: [UInt8]) -> Bool { places[key] != nil }

        func value(_ key: [UInt8], _ now: Instant) -> Value? {
            guard let place = places[key], now < place.until else { return nil }
            return place.value
        }

        /// Also when its time is over.
        func anyValue(_ key: [UInt8]) -> Value? { places[key]?.value }

        mutating func remove(_ key: [UInt8]) { places[key] = nil }

        /// Where there is no room, it is not remembered.
        mutating func keep(
            _ key: [UInt8], _ value: Value, until: Instant, _ now: Instant, _ capacity: Int
        ) {
            if places.count >= capacity, places[key] == nil, now >= nextSweep {
                places = places.filter { now < $0.value.until }
                // Not at every call while it is full of what is still good.
                nextSweep = now + .seconds(1)
            }
            guard places.count < capacity || places[key] != nil else { return }
            places[key] = (value, until)
        }
    }

    /// A question on its way.
    private final class Flight: Sendable {
        let turn = SingleFlight()
        let isBesideSession: Bool
        let verdict = Locked<TokenVerdict?>(nil)

        init(isBesideSession: Bool) { self.isBesideSession = isBesideSession }
    }

    private enum Place {
        case known(TokenVerdict)
        case flight(Flight)
    }

    private let api: any HubAPI
    private let limits: Limits
    private let clock: GateClock
    private let log: Log
    private let guesses: PeerRate
    private let state = Locked(State())

    init(_ api: any HubAPI, limits: Limits, clock: GateClock, log: Log) {
        self.api = api
        self.limits = limits
        self.clock = clock
        self.log = log
        guesses = PeerRate(perSecond: limits.hubTokensPerPeer)
    }

    /// Tokens remembered.
    var count: (good: Int, bad: Int) { state.withLock { ($0.good.count, $0.bad.count) } }

    /// What is known without asking.
    func recall(_ key: [UInt8], now: Instant) -> TokenVerdict? {
        state.withLock { TokenLane.recall(key, $0, now) }
    }

    /// As ``recall(_:now:)``, for a token that comes beside a session: whose it is, and whether it
    /// hangs on a session, was true for ever when it was said.
    func recallBelonging(_ key: [UInt8], now: Instant) -> TokenVerdict? {
        state.withLock { $0.good.anyValue(key) ?? TokenLane.recall(key, $0, now) }
    }

    private static func recall(_ key: [UInt8], _ state: State, _ now: Instant) -> TokenVerdict? {
        if let known = state.good.value(key, now) { return known }
        return state.bad.value(key, now) == nil ? nil : .bad
    }

    /// Asks JupyterHub, once for all who ask at the same time.
    func judge(_ question: TokenQuestion) async -> TokenVerdict {
        switch board(question) {
        case .known(let verdict): return verdict
        case .flight(let flight):
            await flight.turn.run {
                // Whoever boards when it has landed finds the answer.
                guard flight.verdict.withLock({ $0 }) == nil else { return }
                let verdict = await self.ask(question)
                self.note(verdict, question.key, flight)
                flight.verdict.withLock { $0 = verdict }
            }
            return flight.verdict.withLock { $0 } ?? .unavailable
        }
    }

    private func board(_ question: TokenQuestion) -> Place {
        let now = clock.instant()
        return state.withLock { state in
            if let known = TokenLane.recall(question.key, state, now) { return .known(known) }
            if let flight = state.flights[question.key] { return .flight(flight) }
            let wasGood = state.good.holds(question.key)
            if !wasGood {
                let asker = question.asker
                guard !guesses.isExceeded(asker, now: now) else { return .known(.tooMany) }
                guesses.note(asker, now: now)
            }
            let isBesideSession = question.session != nil
            let room: Int
            let taken: Int
            if isBesideSession {
                (room, taken) = (limits.hubTokenQuestions * 8, state.besideSessions)
                state.besideSessions += taken < room ? 1 : 0
            } else {
                room = wasGood ? limits.hubTokenQuestions : limits.hubTokenQuestions / 2
                taken = state.flights.count - state.besideSessions
            }
            guard taken < max(1, room) else { return .known(.unavailable) }
            let flight = Flight(isBesideSession: isBesideSession)
            state.flights[question.key] = flight
            return .flight(flight)
        }
    }

    private func note(_ verdict: TokenVerdict, _ key: [UInt8], _ flight: Flight) {
        let now = clock.instant()
        let until = now + limits.hubTokenKept
        state.withLock { state in
            state.flights[key] = nil
            if flight.isBesideSession { state.besideSessions -= 1 }
            switch verdict {
            case .good, .ofSession:
                state.bad.remove(key)
                state.good.keep(key, verdict, until: until, now, limits.hubTokenEntries)
            case .bad:
                state.good.remove(key)
                state.bad.keep(key, (), until: until, now, limits.hubTokenEntries)
            case .tooMany, .unavailable: break
            }
        }
    }

    private func ask(_ question: TokenQuestion) async -> TokenVerdict {
        let request = HubAPIRequest(
            token: question.token, host: question.host, timeout: limits.hubTokenTime,
            maximumBody: limits.hubTokenBody)
        let answer: BackChannelResponse
        do throws(BackChannelError) {
            answer = try await api.user(request)
        } catch {
            log.warning("JupyterHub cannot be asked about a token", ("reason", "\(error)"))
            return .unavailable
        }
        switch answer.status {
        case 200:
            switch HubTokenReading(answer.body) {
            case .api(let bearer):
                log.notice(
                    "token_lane", ("result", "ok"), (bearer.kind.description, bearer.name),
                    ("peer", question.peer))
                return .good(bearer)
            case .ofSession(let bearer, let id):
                // Whether it comes beside its own session is known to who asks.
                if question.session == nil {
                    log.notice(
                        "token_lane", ("result", "refused"), ("reason", "session"),
                        (bearer.kind.description, bearer.name), ("peer", question.peer))
                }
                return .ofSession(bearer, id: id)
            case nil:
                log.warning("JupyterHub says of a token what cannot be read")
                return .unavailable
            }
        case 401, 403:
            log.notice(
                "token_lane", ("result", "refused"), ("reason", "unknown"),
                ("peer", question.peer))
            return .bad
        default:
            log.warning(
                "JupyterHub cannot be asked about a token", ("reason", "status \(answer.status)"))
            return .unavailable
        }
    }
}
