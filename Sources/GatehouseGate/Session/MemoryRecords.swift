/// Keeps nothing: sessions end with the process.
public struct MemoryRecords: SessionRecords {
    public init() {}

    public func commit(_ session: Session) async throws {}

    public func end(_ sessions: [Session]) async throws {}
}
