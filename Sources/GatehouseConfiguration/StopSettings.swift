/// How the process ends when it is asked to.
public struct StopSettings: Sendable, Hashable {
    /// Whether requests in flight may come to their end, within the limit `drain`.
    public var drains = true
    /// The exit status after SIGTERM or SIGINT.
    public var exitStatus: Int32 = 0
    /// Whether the process also ends when the one that started it has ended.
    public var endsWithParent = false

    public init() {}
}
