import GatehouseBase
import Synchronization

/// A place for one task to wait for a signal. A signal with nobody waiting is remembered, so that
/// edge-triggered epoll cannot lose a wake-up. The only file with continuations.
public struct Waiter: ~Copyable {
    @safe private enum State {
        case idle
        case signalled
        case waiting(UnsafeContinuation<Void, Never>)
    }

    private var state = State.idle

    public init() {}

    /// Whether a task is parked here.
    public var isWaiting: Bool {
        if case .waiting = state { true } else { false }
    }

    /// Resumes the parked task, or remembers that it need not park.
    public mutating func signal() {
        if case .waiting(let continuation) = state {
            state = .idle
            // Sound: the state is left before the resume, so that it is resumed exactly once.
            unsafe continuation.resume()
        } else {
            state = .signalled
        }
    }

    /// Takes a remembered signal. Returns true if there was one: the caller need not park.
    public mutating func consume() -> Bool {
        if case .signalled = state {
            state = .idle
            return true
        }
        return false
    }

    /// Leaves `continuation` to be resumed by the next signal; at once by one that has come since
    /// ``consume()``: the first wait of a task that was forked parks only after the forking one
    /// has gone on.
    public mutating func park(_ continuation: UnsafeContinuation<Void, Never>) {
        switch state {
        case .idle: state = unsafe .waiting(continuation)
        case .signalled:
            state = .idle
            // Sound: it was left nowhere, so that this is its only resume.
            unsafe continuation.resume()
        case .waiting: preconditionFailure("two tasks wait in one place")
        }
    }
}

/// A waiter of its own, for signals that come from nowhere in particular.
public final class Signal {
    private var waiter = Waiter()

    public init() {}

    /// Whether a task waits here.
    public var isWaiting: Bool { waiter.isWaiting }

    /// Wakes the task that waits, or the next one that would.
    public func raise() { waiter.signal() }

    /// Waits for ``raise()``.
    public func wait() async {
        if waiter.consume() { return }
        // Sound: `park` stores it and `signal` resumes it once.
        unsafe await withUnsafeContinuation { continuation in
            unsafe waiter.park(continuation)
        }
    }
}

/// One value that comes from another thread, awaited once on a loop.
public final class Delivery<Value: Sendable>: Sendable {
    @safe private enum State: Sendable {
        case empty
        case delivered(Value)
        case waiting(UnsafeContinuation<Value, Never>)
        case taken
    }

    private let state = Locked(State.empty)

    public init() {}

    /// Hands the value over; from any thread, once.
    public func deliver(_ value: Value) {
        let continuation: UnsafeContinuation<Value, Never>? = unsafe state.withLock { state in
            if case .waiting(let continuation) = state {
                state = .taken
                return unsafe continuation
            }
            state = .delivered(value)
            return nil
        }
        // Sound: taken out of the state under the lock, so that it is resumed exactly once.
        unsafe continuation?.resume(returning: value)
    }

    /// Waits for the value.
    public func value() async -> Value {
        // Sound: resumed either here or by `deliver`, decided under the lock.
        unsafe await withUnsafeContinuation { continuation in
            let early: Value? = state.withLock { state in
                if case .delivered(let value) = state {
                    state = .taken
                    return value
                }
                state = unsafe .waiting(continuation)
                return nil
            }
            if let early { unsafe continuation.resume(returning: early) }
        }
    }
}
