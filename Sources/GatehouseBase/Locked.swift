#if THREAD_SANITIZER
    import Glibc

    /// A value behind pthread's mutex, for builds under ThreadSanitizer (`scripts/sanitize thread`),
    /// which knows that one; it takes Synchronization's for a race (docs/decisions/0010).
    @safe public final class Locked<Value>: Sendable {
        // Sound: touched by `withLock` alone, under the mutex.
        nonisolated(unsafe) private var value: Value
        nonisolated(unsafe) private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        public init(_ value: Value) {
            unsafe self.value = value
            unsafe mutex = .allocate(capacity: 1)
            unsafe pthread_mutex_init(mutex, nil)
        }

        deinit {
            unsafe pthread_mutex_destroy(mutex)
            unsafe mutex.deallocate()
        }

        /// As `Mutex.withLock`.
        public func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            return unsafe try body(&value)
        }
    }
#else
    public import Synchronization

    /// A value behind a mutex.
    public typealias Locked = Mutex
#endif
