import GatehouseBase
import Synchronization

/// Lets one caller do something while the others wait for it.
///
/// The waiting is an `AsyncStream` that ends: no value passes, and a caller that comes late finds
/// the flight over and does not wait.
final class SingleFlight: Sendable {
    private struct State {
        var isFlying = false
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private enum Place {
        case pilot
        case passenger(AsyncStream<Never>)
    }

    private let state = Locked(State())

    /// Runs `body` if nobody else does, else waits until that other is done.
    ///
    /// - Returns: whether it was us.
    @discardableResult
    func run(_ body: () async -> Void) async -> Bool {
        switch board() {
        case .pilot:
            await body()
            land()
            return true
        case .passenger(let landing):
            for await _ in landing {}
            return false
        }
    }

    private func board() -> Place {
        state.withLock { state in
            guard state.isFlying else {
                state.isFlying = true
                return .pilot
            }
            let (stream, end) = AsyncStream<Never>.makeStream()
            state.waiting.append(end)
            return .passenger(stream)
        }
    }

    private func land() {
        let waiting = state.withLock { state in
            state.isFlying = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for end in waiting { end.finish() }
    }
}
