import Testing

/// Lets others run until `condition` holds.
func eventually(
    _ condition: @Sendable () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    for _ in 0..<1_000_000 {
        if condition() { return }
        await Task.yield()
    }
    Issue.record("it has not come to that", sourceLocation: sourceLocation)
    throw World.Missing()
}
