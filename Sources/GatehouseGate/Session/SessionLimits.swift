/// How long somebody stays signed in, and in how many browsers.
public struct SessionLimits: Sendable, Equatable {
    /// Without activity of the user.
    public var idle: Duration
    /// From the sign-in, whatever happens.
    public var absolute: Duration
    /// Sessions of one user at one host; the oldest ends when there would be one more.
    public var perUser: Int
    /// How long an id stays good that a newer sign-in of the same record has replaced.
    public var superseded: Duration
    /// How long a logout bars older logins.
    public var tombstone: Duration

    public init(
        idle: Duration = .seconds(3600), absolute: Duration = .seconds(43200), perUser: Int = 20,
        superseded: Duration = .seconds(60), tombstone: Duration = .seconds(600)
    ) {
        self.idle = idle
        self.absolute = absolute
        self.perUser = perUser
        self.superseded = superseded
        self.tombstone = tombstone
    }
}
