import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseProxy

/// What the pipeline knows of an exchange for its line.
struct AccessRecord {
    let id: RequestID
    var route: Route?
    var user: Session?
    var bearer: HubBearer?
    var kind = RequestKind.web
    /// The target as others may see it, where it came with something that is only ours.
    var shownTarget: [UInt8]?

    init(id: RequestID) { self.id = id }
}
