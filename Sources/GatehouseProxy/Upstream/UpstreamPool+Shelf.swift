import GatehouseBase
import GatehouseNet

extension UpstreamPool {
    /// The connections of one target: those that lie idle, and how many there are in all. They know
    /// it, so that giving one back looks nothing up. It is in the pool while there are any.
    final class Shelf {
        private weak var pool: UpstreamPool?
        private let key: ObjectIdentifier
        var idle: [UpstreamConnection] = []
        /// The pool has let go of it: what comes back is closed.
        var isClosed = false
        /// Connections, and places of connections that are being made.
        private(set) var taken = 0 {
            didSet { pool?.connectionCount += taken - oldValue }
        }
        private var queue: [Turn] = []

        init(_ pool: UpstreamPool, _ key: ObjectIdentifier) {
            self.pool = pool
            self.key = key
        }

        /// Somebody who waits for a place.
        private final class Turn {
            let signal = Signal()
            var hasCome = false
            var connection: UpstreamConnection?
        }

        /// Takes a place for one more connection, waiting for one until `deadline`.
        /// - Returns: a connection that was given back meanwhile; nil: make one.
        func takePlace(
            atMost maximum: Int?, core: LoopCore, deadline: Instant, _ abandonment: Abandonment?
        ) async throws(ExchangeFailure) -> UpstreamConnection? {
            guard let maximum, taken >= maximum else {
                taken += 1
                return nil
            }
            if let oldest = idle.first {
                // Who wants a fresh one gets its place; ours is taken before that one is given up.
                taken += 1
                idle.removeFirst()
                oldest.isIdle = false
                oldest.close()
                return nil
            }
            let turn = Turn()
            queue.append(turn)
            let timer = LoopTimer { turn.signal.raise() }
            core.set(timer, to: deadline)
            abandonment?.onAbandon = { turn.signal.raise() }
            await turn.signal.wait()
            abandonment?.onAbandon = nil
            core.cancel(timer)
            guard turn.hasCome else {
                queue.removeAll { $0 === turn }
                throw ExchangeFailure(.upstreamBusy)
            }
            return turn.connection
        }

        /// Hands a connection that is free to who has waited longest.
        func pass(_ connection: UpstreamConnection) -> Bool {
            guard !queue.isEmpty else { return false }
            // One on which the server has said something since is of no use: its place is.
            if connection.stream.hasUnreadEvent { connection.close() } else { call(connection) }
            return true
        }

        /// Gives up a place: its connection is closed, or was not to be had.
        func leave() {
            if !queue.isEmpty { return call(nil) }
            taken -= 1
            if taken == 0 { pool?.remove(self, key) }
        }

        private func call(_ connection: UpstreamConnection?) {
            let turn = queue.removeFirst()
            turn.hasCome = true
            turn.connection = connection
            turn.signal.raise()
        }
    }
}
