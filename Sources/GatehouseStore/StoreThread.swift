import Glibc

/// A thread that sleeps until it is woken.
@safe final class StoreThread: Sendable {
    private struct Start {
        let thread: StoreThread
        let pass: @Sendable () -> Bool
    }

    // Sound: a semaphore is for many threads; it stays where it is until the last of them is gone.
    nonisolated(unsafe) private let bell: UnsafeMutablePointer<sem_t>

    init() {
        unsafe bell = .allocate(capacity: 1)
        unsafe sem_init(bell, 0, 0)
    }

    deinit {
        unsafe sem_destroy(bell)
        unsafe bell.deallocate()
    }

    /// Has the thread run its pass once more, even if it is in one just now; from any thread.
    func wake() { unsafe sem_post(bell) }

    /// Starts the thread. It runs `pass` each time it is woken, and ends when that returns false.
    ///
    /// - Throws: `io` where the system has no thread to give; `pass` does not run then.
    func start(_ pass: @escaping @Sendable () -> Bool) throws(StoreError) {
        let start = UnsafeMutablePointer<Start>.allocate(capacity: 1)
        unsafe start.initialize(to: Start(thread: self, pass: pass))
        var thread = pthread_t()
        // Sound: the new thread takes `start` over and frees it.
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let start = unsafe argument?.assumingMemoryBound(to: Start.self) else {
                    return nil
                }
                unsafe start.pointee.thread.run(start.pointee.pass)
                unsafe start.deinitialize(count: 1)
                unsafe start.deallocate()
                return nil
            }, start)
        guard result == 0 else {
            unsafe start.deinitialize(count: 1)
            unsafe start.deallocate()
            // Sound: strerror's text is copied at once.
            throw .io("there is no thread for it: \(unsafe String(cString: strerror(result)))")
        }
        pthread_detach(thread)
    }

    private func run(_ pass: () -> Bool) {
        repeat {
            // A signal may end the wait early.
            while unsafe sem_wait(bell) != 0 {}
        } while pass()
    }
}
