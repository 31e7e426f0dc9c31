import Testing

/// Waits until `condition` holds, half a minute at most.
func eventually(
    _ condition: @Sendable () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    for _ in 0..<15_000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it has not come to that", sourceLocation: sourceLocation)
    throw World.Missing()
}
