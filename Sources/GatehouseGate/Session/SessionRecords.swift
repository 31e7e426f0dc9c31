/// Where sessions are kept besides memory. ``SessionStore`` is what is asked; this is what makes
/// a sign-in and an end last.
public protocol SessionRecords: Sendable {
    /// Keeps a session, new or signed in again; returns when it is safe. The cookie is sent then.
    func commit(_ session: Session) async throws

    /// Forgets sessions; returns when no power cut brings them back. The end is acknowledged then.
    func end(_ sessions: [Session]) async throws
}
