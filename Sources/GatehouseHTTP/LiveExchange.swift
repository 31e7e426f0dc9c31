/// An exchange in flight that hangs on a session: the live register ends it.
public protocol LiveExchange: AnyObject {
    /// Ends both sides at once; a WebSocket with a Close, other bodies by reset. Does not wait.
    func end(_ cause: EndCause)
}
