public import GatehouseBase
import GatehouseHTTP

/// What the connections of a listener have in common: each keeps a reference, because limits alone
/// are half a kilobyte.
public final class ConnectionSettings: Sendable {
    /// The port that browsers use.
    let publicPort: UInt16
    let limits: Limits
    let parser: HeadParser

    public init(publicPort: UInt16, limits: Limits) {
        self.publicPort = publicPort
        self.limits = limits
        parser = .requests(limits)
    }
}
