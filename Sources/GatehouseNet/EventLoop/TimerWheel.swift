import GatehouseBase

/// A deadline on a loop. Moving it later costs a store: the wheel looks again when the old time
/// comes. Cancel it, or keep the owner weak in `onExpiry`: the wheel holds the timer until then.
public final class LoopTimer {
    fileprivate(set) var deadline = Instant.never
    fileprivate var slot = -1
    fileprivate var index = 0
    fileprivate var tick: UInt64 = 0
    /// Runs on the loop when the deadline has passed.
    public var onExpiry: (() -> Void)?

    public init(onExpiry: (() -> Void)? = nil) { self.onExpiry = onExpiry }
}

/// Deadlines of one loop: a hashed wheel of 512 slots of about 16.8 ms. Timers further away than a
/// turn stay in their slot and are passed over; precision is one slot, never early.
final class TimerWheel {
    private static let tickShift: UInt64 = 24
    private static let slotCount = 512

    private var slots = [[LoopTimer]](repeating: [], count: slotCount)
    private var current: UInt64
    private var count = 0

    init(now: Instant) { current = now.nanoseconds >> TimerWheel.tickShift }

    var isEmpty: Bool { count == 0 }

    /// Sets or moves a timer; `.never` leaves it to be forgotten when its slot comes.
    func set(_ timer: LoopTimer, to deadline: Instant) {
        timer.deadline = deadline
        guard deadline != .never else { return }
        let tick = max(deadline.nanoseconds >> TimerWheel.tickShift + 1, current + 1)
        if timer.slot >= 0 {
            if tick >= timer.tick { return }
            unlink(timer)
        }
        link(timer, at: tick)
    }

    /// Takes a timer out.
    func cancel(_ timer: LoopTimer) {
        timer.deadline = .never
        if timer.slot >= 0 { unlink(timer) }
    }

    /// Fires what is due.
    /// - Returns: the timers whose deadline has passed; the caller runs them.
    func advance(to now: Instant) -> [LoopTimer] {
        let target = now.nanoseconds >> TimerWheel.tickShift
        guard target > current else { return [] }
        guard count > 0 else {
            current = target
            return []
        }
        var due: [LoopTimer] = []
        let turns = min(target - current, UInt64(TimerWheel.slotCount))
        for step in 0..<turns {
            let tick = target - turns + 1 + step
            collect(Int(tick % UInt64(TimerWheel.slotCount)), upTo: target, now, &due)
        }
        current = target
        for timer in due where timer.deadline > now { link(timer, at: nextTick(timer)) }
        return due.filter { $0.deadline <= now }
    }

    /// Milliseconds until something may be due; -1 for never.
    func timeout(from now: Instant) -> Int32 {
        guard count > 0 else { return -1 }
        let tick = now.nanoseconds >> TimerWheel.tickShift
        for ahead in 1...UInt64(TimerWheel.slotCount)
        where !slots[Int((tick + ahead) % UInt64(TimerWheel.slotCount))].isEmpty {
            let at = (tick + ahead) << TimerWheel.tickShift
            return Int32((at - now.nanoseconds) / 1_000_000 + 1)
        }
        return -1
    }

    private func nextTick(_ timer: LoopTimer) -> UInt64 {
        max(timer.deadline.nanoseconds >> TimerWheel.tickShift + 1, current + 1)
    }

    /// Takes out of a slot what is due, what was moved later and what was forgotten.
    private func collect(
        _ slot: Int, upTo target: UInt64, _ now: Instant, _ due: inout [LoopTimer]
    ) {
        var index = 0
        while index < slots[slot].count {
            let timer = slots[slot][index]
            guard timer.tick <= target else {
                index += 1
                continue
            }
            unlink(timer)
            if timer.deadline != .never { due.append(timer) }
        }
    }

    private func link(_ timer: LoopTimer, at tick: UInt64) {
        timer.tick = tick
        timer.slot = Int(tick % UInt64(TimerWheel.slotCount))
        timer.index = slots[timer.slot].count
        slots[timer.slot].append(timer)
        count += 1
    }

    private func unlink(_ timer: LoopTimer) {
        let slot = timer.slot
        let last = slots[slot].removeLast()
        if last !== timer {
            slots[slot][timer.index] = last
            last.index = timer.index
        }
        timer.slot = -1
        count -= 1
    }
}
