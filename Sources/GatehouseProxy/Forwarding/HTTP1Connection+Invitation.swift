import GatehouseBase
import GatehouseHTTP
import GatehouseNet

/// `Expect: 100-continue` of a request that is forwarded (RFC 9110 §10.1.1). The target's own 100
/// passes; where it says nothing in time we say it, or a client that waits would wait for ever. There
/// is one 100 at most.
extension HTTP1Connection {
    /// Whether the client waits for a word before it sends its body.
    var awaitsInvitation: Bool {
        !decoder.isEnded && inbound.isEmpty && request.version == .http11
            && request.fields.lists(.expect, "100-continue")
    }

    func armInvitation() {
        let timer = LoopTimer { self.invite() }
        invitation = timer
        core.set(timer, to: core.now + limits.continueTime)
    }

    func disarmInvitation() {
        guard let timer = invitation else { return }
        core.cancel(timer)
        timer.onExpiry = nil
        invitation = nil
    }

    private func invite() {
        guard phase == .exchanging, !isInvited, !headSent, account.endCause == nil else { return }
        isInvited = true
        prepareOutbound()
        outbound.append("HTTP/1.1 100 Continue\r\n\r\n")
        // What does not go out now goes out before the answer.
        _ = try? tryFlush()
    }
}
