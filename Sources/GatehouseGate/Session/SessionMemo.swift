import GatehouseBase
import GatehouseHTTP

/// What a connection remembers of its last request: the cookie that was verified and what was
/// worked out for its session. Browsers send the same cookie again and again.
public struct SessionMemo: Sendable {
    private var cookie: [UInt8] = []
    private var session: Session?
    private var generation = 0
    private var identity: SessionIdentity?

    /// ``GateSnapshot/serial`` of the rules that were asked.
    private var rules = 0
    private var rule = -1
    private var isAllowed = false

    private var route: RouteIdentity?
    private var fields = Fields()

    private var place: (hub: HubPreset, prefix: ArraySlice<UInt8>, value: HubPlace)?

    public init() {}

    /// The session that `value` opened here before, if nothing has changed since.
    func recall(_ value: borrowing Span<UInt8>) -> (Session, SessionIdentity)? {
        guard let session, let identity, session.generation == generation, !session.isEnded,
            // In constant time: behind a front, several people share a connection.
            constantTimeEquals(cookie.span, copy value)
        else { return nil }
        return (session, identity)
    }

    mutating func remember(
        _ value: borrowing Span<UInt8>, _ session: Session, generation: Int,
        identity: SessionIdentity
    ) {
        self = SessionMemo()
        cookie = value.array
        self.session = session
        self.generation = generation
        self.identity = identity
    }

    mutating func forget() { self = SessionMemo() }

    /// What a rule said about this identity, where it does not depend on the path.
    func verdict(_ rules: GateSnapshot, rule: Int, _ identity: SessionIdentity) -> Bool? {
        self.rules == rules.serial && self.rule == rule && self.identity === identity
            ? isAllowed : nil
    }

    mutating func note(
        _ rules: GateSnapshot, rule: Int, _ identity: SessionIdentity, isAllowed: Bool
    ) {
        guard self.identity === identity else { return }
        self.rules = rules.serial
        self.rule = rule
        self.isAllowed = isAllowed
    }

    /// The identity fields of a route for this identity.
    func identityFields(_ route: RouteIdentity, _ identity: SessionIdentity) -> Fields? {
        self.route === route && self.identity === identity ? fields : nil
    }

    mutating func note(_ route: RouteIdentity, _ identity: SessionIdentity, _ fields: Fields) {
        guard self.identity === identity else { return }
        self.route = route
        self.fields = fields
    }

    /// What the route with this prefix is to JupyterHub: most requests of a connection take one.
    mutating func place(_ prefix: ArraySlice<UInt8>, _ hub: HubPreset) -> HubPlace {
        if let place, place.hub === hub, place.prefix == prefix { return place.value }
        let value = HubPlace(prefix: prefix, base: hub.base)
        place = (hub, prefix, value)
        return value
    }
}
