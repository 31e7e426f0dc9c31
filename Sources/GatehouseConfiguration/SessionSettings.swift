/// `session`: how long somebody stays signed in.
public struct SessionSettings: Sendable, Hashable {
    /// Without activity of the user.
    public var idle = Duration.seconds(3600)
    /// From the sign-in, whatever happens.
    public var absolute = Duration.seconds(43200)
    /// Sessions of one user; the oldest ends when there would be one more.
    public var perUser = 20

    public init() {}
}
