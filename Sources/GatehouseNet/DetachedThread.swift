import Glibc

/// A thread for itself: a loop, or what waits and may keep no loop.
enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own, which ends with it.
    /// - Returns: 0, or why there is no thread (`errno`); `body` does not run then.
    static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
        let box = unsafe Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        // Sound: the retained body is taken over by the new thread.
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                body.run()
                return nil
            }, unsafe box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            return result
        }
        pthread_detach(thread)
        return 0
    }
}
