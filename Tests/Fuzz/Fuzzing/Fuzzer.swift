import Synchronization

/// What a target does with one input. It traps where a promise of the code does not hold.
public typealias FuzzBody = @Sendable (borrowing Span<UInt8>) -> Void

/// A bare closure in a mutex gets one more wrapper each time that it is read.
private struct Body: Sendable {
    let run: FuzzBody
}

private let body = Mutex<Body?>(nil)

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Hands the program to libFuzzer, which calls `run` with one input after the other.
public func fuzz(_ run: @escaping FuzzBody) {
    body.withLock { $0 = Body(run: run) }
    var count = CommandLine.argc
    // Sound: the arguments live as long as the process, and the driver only reads them.
    var arguments = unsafe CommandLine.unsafeArgv
    _ = unsafe runDriver(&count, &arguments) { start, count in
        guard let body = body.withLock({ $0 }) else { return 0 }
        // Sound: the driver keeps `count` bytes at `start` until this call returns.
        let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
        unsafe body.run(bytes.span)
        return 0
    }
}
