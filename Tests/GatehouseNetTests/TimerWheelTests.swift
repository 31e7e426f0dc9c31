import GatehouseBase
import Testing

@testable import GatehouseNet

struct TimerWheelTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    private func fired(_ wheel: TimerWheel, at now: Instant) -> Int {
        wheel.advance(to: now).count
    }

    @Test func `a timer fires after its deadline, never before`() {
        let wheel = TimerWheel(now: start)
        let timer = LoopTimer()
        wheel.set(timer, to: start + .milliseconds(500))
        #expect(fired(wheel, at: start + .milliseconds(499)) == 0)
        #expect(fired(wheel, at: start + .milliseconds(540)) == 1)
        #expect(wheel.isEmpty)
    }

    @Test func `a deadline further away than a turn of the wheel is kept`() {
        let wheel = TimerWheel(now: start)
        let timer = LoopTimer()
        wheel.set(timer, to: start + .seconds(120))
        #expect(fired(wheel, at: start + .seconds(60)) == 0)
        #expect(fired(wheel, at: start + .seconds(119)) == 0)
        #expect(fired(wheel, at: start + .seconds(121)) == 1)
    }

    @Test func `moving a deadline later costs no second firing`() {
        let wheel = TimerWheel(now: start)
        let timer = LoopTimer()
        wheel.set(timer, to: start + .seconds(1))
        wheel.set(timer, to: start + .seconds(2))
        #expect(fired(wheel, at: start + .milliseconds(1500)) == 0)
        #expect(fired(wheel, at: start + .milliseconds(2100)) == 1)
        #expect(fired(wheel, at: start + .seconds(10)) == 0)
    }

    @Test func `moving a deadline earlier fires at the earlier time`() {
        let wheel = TimerWheel(now: start)
        let timer = LoopTimer()
        wheel.set(timer, to: start + .seconds(5))
        wheel.set(timer, to: start + .seconds(1))
        #expect(fired(wheel, at: start + .milliseconds(1100)) == 1)
    }

    @Test func `a cancelled timer is gone at once`() {
        let wheel = TimerWheel(now: start)
        let timers = (0..<100).map { _ in LoopTimer() }
        for timer in timers { wheel.set(timer, to: start + .seconds(1)) }
        for timer in timers.dropLast() { wheel.cancel(timer) }
        #expect(fired(wheel, at: start + .seconds(2)) == 1)
        #expect(wheel.isEmpty)
    }

    @Test func `the time to wait ends when something may be due`() {
        let wheel = TimerWheel(now: start)
        #expect(wheel.timeout(from: start) == -1)
        let timer = LoopTimer()
        wheel.set(timer, to: start + .milliseconds(100))
        let wait = wheel.timeout(from: start)
        #expect(wait > 0 && wait <= 140)
    }
}
