public import GatehouseBase
public import GatehouseNet
import Synchronization

/// What happened, in order, noted from any loop: the memory of a scripted server.
public final class Journal: Sendable {
    /// Something that happened, and when.
    public struct Entry: Sendable {
        public let event: String
        public let time: Instant
    }

    private let state = Locked<[Entry]>([])

    public init() {}

    /// Everything so far.
    public var events: [String] { state.withLock { $0.map(\.event) } }

    /// Writes down that something happens now.
    /// - Returns: how often it has happened, this time included.
    @discardableResult
    public func note(_ event: String) -> Int {
        let entry = Entry(event: event, time: .now())
        return state.withLock { entries in
            entries.append(entry)
            return entries.count { $0.event == event }
        }
    }

    /// How often something happened.
    public func count(_ event: String) -> Int {
        state.withLock { $0.count { $0.event == event } }
    }

    /// Waits until something has happened `count` times.
    /// - Returns: when it was so.
    /// - Throws: `StreamError.timedOut`.
    @discardableResult
    public func wait(
        for event: String, count: Int = 1, within patience: Duration = .seconds(5),
        on core: LoopCore
    ) async throws -> Instant {
        let deadline = Instant.now() + patience
        while true {
            let times = state.withLock { $0.filter { $0.event == event }.map(\.time) }
            if times.count >= count { return times[count - 1] }
            guard Instant.now() < deadline else { throw StreamError.timedOut }
            await EventLoop.sleep(.milliseconds(2), on: core)
        }
    }
}
