/// A listener of a configuration whose address is ours, and what it goes on from.
struct PlacedListener: Sendable {
    let listener: BoundListener
    /// Its place in the configuration before, where its sockets serve already; nil where they are
    /// new.
    var previous: Int?
}
