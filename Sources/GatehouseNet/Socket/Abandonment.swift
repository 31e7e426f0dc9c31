/// Lets somebody give up what is waited for on his behalf, as a client that goes away gives up the
/// connection that is being made for its request. Of one loop.
public final class Abandonment {
    public private(set) var isAbandoned = false
    /// Ends the wait that goes on; called at once where that is wanted already.
    public var onAbandon: (() -> Void)? {
        didSet { if isAbandoned { onAbandon?() } }
    }

    public init() {}

    public func abandon() {
        guard !isAbandoned else { return }
        isAbandoned = true
        onAbandon?()
    }
}
