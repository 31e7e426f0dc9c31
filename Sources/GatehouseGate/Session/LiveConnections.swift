public import GatehouseHTTP

/// One per loop: which exchanges are in flight under which session here.
///
/// *Register, then look; die, then tell*: an exchange registers and reads the session's flag then;
/// an end sets the flag and tells every loop then. Whichever comes first, none is missed.
///
/// Registering and removing touch one slot. An end looks at all slots, eight bytes each: ends are
/// rare, requests are not.
public final class LiveConnections {
    private struct Slot {
        var exchange: (any LiveExchange)?
        var session: Session?
    }

    private var owners: [ObjectIdentifier?] = []
    private var slots: [Slot] = []
    private var free: [Int] = []

    public init() {}

    /// Exchanges in flight on this loop.
    public var count: Int { slots.count - free.count }

    /// Hangs `exchange` under `session`.
    ///
    /// - Parameter limit: exchanges of one session on all loops.
    public func register(
        _ exchange: any LiveExchange, under session: Session, limit: Int
    ) -> LiveRegistration {
        guard session.enter(limit: limit) else { return .tooMany }
        let ticket = place(Slot(exchange: exchange, session: session))
        if session.isEnded {
            remove(ticket)
            return .ended
        }
        return .registered(ticket)
    }

    /// Takes note of an exchange that hangs on no session: only other rules end it.
    public func register(_ exchange: any LiveExchange) -> LiveTicket {
        place(Slot(exchange: exchange, session: nil))
    }

    private func place(_ slot: Slot) -> LiveTicket {
        let owner = slot.session.map { ObjectIdentifier($0) }
        if let reused = free.popLast() {
            owners[reused] = owner
            slots[reused] = slot
            return LiveTicket(slot: reused)
        }
        owners.append(owner)
        slots.append(slot)
        return LiveTicket(slot: slots.count - 1)
    }

    /// The exchange is over.
    public func remove(_ ticket: LiveTicket) {
        guard slots[ticket.slot].exchange != nil else { return }
        slots[ticket.slot].session?.leave()
        owners[ticket.slot] = nil
        slots[ticket.slot] = Slot()
        free.append(ticket.slot)
    }

    /// Ends every exchange of `session` on this loop; each gives its ticket back by itself.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func end(_ session: Session, _ cause: EndCause) -> Int {
        let owner = ObjectIdentifier(session)
        var count = 0
        // By index: an exchange may give its ticket back while it is told to end.
        for slot in 0..<owners.count where owners[slot] == owner {
            slots[slot].exchange?.end(cause)
            count += 1
        }
        return count
    }

    /// Visits every exchange, for instance to judge it anew after the rules have changed.
    public func forEach(_ body: (any LiveExchange, Session?) -> Void) {
        for slot in 0..<slots.count {
            if let exchange = slots[slot].exchange { body(exchange, slots[slot].session) }
        }
    }
}
