import CLinux
import GatehouseBase
import Glibc

/// What has a descriptor in epoll. `ready` runs on the loop, between jobs.
public class Pollable {
    /// - Parameter events: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll gave them.
    func ready(_ events: UInt32) {}
}

/// epoll, edge-triggered. Descriptor in the low and a generation in the high 32 bits of the event's
/// data: an event for a descriptor that has been closed and given out again is recognised.
@safe final class Poller {
    private struct Slot {
        var target: Pollable?
        var generation: UInt32 = 0
    }

    static let readable = EPOLLIN.rawValue
    static let writable = EPOLLOUT.rawValue
    static let hangUp = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue

    private let descriptor: Int32
    private var slots: [Slot] = []
    private var events: [epoll_event]

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { ProcessLimits.giveUp("no epoll for a loop", gh_errno()) }
        unsafe events = [epoll_event](repeating: epoll_event(), count: 512)
    }

    deinit { close(descriptor) }

    func add(_ file: Int32, _ target: Pollable, events wanted: UInt32) {
        while slots.count <= Int(file) { slots.append(Slot()) }
        slots[Int(file)].generation &+= 1
        slots[Int(file)].target = target
        var event = unsafe epoll_event()
        unsafe event.events = wanted | gh_EPOLLET
        unsafe event.data.u64 = UInt64(slots[Int(file)].generation) << 32 | UInt64(UInt32(file))
        // Sound: the kernel copies the event.
        let result = unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, file, &event)
        precondition(result == 0, "epoll_ctl failed: \(gh_errno())")
    }

    /// Before the descriptor is closed: closing takes it out of epoll by itself.
    func remove(_ file: Int32) {
        slots[Int(file)].target = nil
    }

    /// Waits, then tells the targets. This is where a loop's idle time is spent: profiles filter
    /// it out by this name. Do not rename or inline it.
    @inline(never)
    func waitForEvents(_ timeout: Int32) -> Int {
        let limit = unsafe events.count
        var timeout = timeout
        while true {
            // Sound: the kernel writes at most `events.count` elements.
            let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
                unsafe epoll_wait(descriptor, buffer.baseAddress, Int32(limit), timeout)
            }
            if count >= 0 || errno != EINTR { return max(0, Int(count)) }
            // The process may have been stopped: what came meanwhile is told before any deadline.
            timeout = 0
        }
    }

    /// The target of event `index` of the last wait, with its events.
    func event(_ index: Int) -> (target: Pollable, events: UInt32)? {
        // Sound: the kernel filled the event; `data` is the number that `add` put there.
        let event = unsafe events[index]
        let file = unsafe Int(event.data.u64 & 0xFFFF_FFFF)
        guard file < slots.count,
            unsafe slots[file].generation == UInt32(event.data.u64 >> 32),
            let target = slots[file].target
        else { return nil }
        return unsafe (target, event.events)
    }
}
