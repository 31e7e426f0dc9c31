import FoundationEssentials
import GatehouseBase

/// A folder that is not there yet, and is removed at the end.
final class TestFolder: Sendable {
    let path = "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
