import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC

// Single logout: how an end that begins elsewhere reaches everything that hangs here.
//
// A person signs out at another application, or an administrator ends the session in the
// provider's console. The provider then posts a logout token to each client that took part
// (OpenID Connect Back-Channel Logout 1.0). This file receives it. What makes it more than a
// look-up and a delete:
//
// 1. Nobody has to be signed in to call us. The token proves itself by the provider's signature,
//    so it is taken whatever the Host and with or without TLS. What costs us something comes after
//    what is cheap: the size, the form, the shape of the token; then the key, by the throttled rule
//    of `JWKSetCache`; then one signature. Only a token that is good in every respect is remembered
//    against replay, so that strangers cannot fill that memory; where it is full all the same, the
//    token is refused: a replay cache that fails open is none. A peer with too many bad tokens
//    makes us ask nobody and log nothing more in that second; a good token passes all the same,
//    for behind a front that hides who calls the flood and the provider are one peer, and the
//    provider does not try again. A signature costs no more than the request that brings it.
//
// 2. The provider waits for us. Keycloak calls its clients one after the other, holds the user's
//    browser meanwhile, gives each five seconds, ignores the answer and never tries again. So we
//    answer as soon as everything is closed and the records have forgotten it, and wait for nobody else: no socket's
//    last bytes, no application.
//
// 3. While the provider calls, the session that it ends is still alive there: it goes on giving
//    out codes, with the same `sid`, a new `iat` and the old `auth_time`, and no second call comes
//    for them. A login that is in flight here at that moment would bring the session back. So a
//    logout leaves a tombstone (`Tombstones`) for ten minutes, by (issuer, sid), or by (issuer,
//    subject) where the token names no session; a login under it whose `auth_time` is not newer
//    starts again and asks for the password. It compares `auth_time`, never `iat`; without
//    `auth_time` it lets in who was asked for the password after the token came. Burying and
//    collecting what must end is one step under the index's lock (`SessionStore.bury`): a login
//    becomes a session either before it, and is collected, or after it, and finds the tombstone.
//
// 4. Sockets are what matters. All sessions are marked as ended first, so that no new request
//    gets in and no exchange registers unseen (`LiveConnections`: register, then look; die, then
//    tell). Then every loop closes what hangs on them: a WebSocket with 1008 at a frame boundary,
//    everything else by reset. Then the records forget them. Then we answer. If the records fail,
//    the sessions are over in memory and the answer is 503.
//
// 5. A `sid` that we do not know is a success (it ended here before) and leaves nothing but the
//    tombstone. A `sid` with another `sub` than the session's ends nothing. Without `sid`, every
//    session of the subject ends, on all hosts and in all browsers.
extension Gate {
    /// `POST /.gatehouse/backchannel-logout`.
    func serveBackChannelLogout(
        _ request: RequestHead, body: [UInt8], arrival: Arrival, snapshot: GateSnapshot
    ) async -> GateAnswer {
        guard let provider = snapshot.provider else { return .json(404, #"{"error":"not_found"}"#) }
        let isFlood = rejections.isExceeded(arrival.peer, now: arrival.now)
        let token: LogoutToken
        do throws(LogoutRefusal) {
            token = try await verify(
                request, body: body, provider: provider, snapshot: snapshot, mayAsk: !isFlood)
        } catch {
            if isFlood {
                return GateAnswer.json(429, #"{"error":"slow_down"}"#).adding(.retryAfter, "1")
            }
            rejections.note(arrival.peer, now: arrival.now)
            log.notice(
                "bcl_rejected", ("reason", error.reason), ("peer", arrival.peer))
            return error.answer
        }
        if token.lacksExpiry { log.notice("bcl_without_exp", ("peer", arrival.peer)) }
        let sessions = store.bury(
            issuer: token.issuer, subject: token.subject, sessionID: token.sessionID,
            .told(issued: token.issuedAt, received: clock.timestamp()),
            until: clock.instant() + snapshot.options.session.tombstone)
        do {
            try await end(
                sessions, token.sessionID == nil ? .backChannelSubject : .backChannelSession)
        } catch {
            return GateAnswer.json(503, #"{"error":"temporarily_unavailable"}"#)
        }
        var response = Response(200)
        response.head.fields.append(.cacheControl, "no-store")
        return .response(response)
    }

    private func verify(
        _ request: RequestHead, body: [UInt8], provider: ProviderClient, snapshot: GateSnapshot,
        mayAsk: Bool
    ) async throws(LogoutRefusal) -> LogoutToken {
        let metadata: ProviderMetadata
        let parsed: JWS
        do throws(OIDCError) {
            guard request.fields.count(of: .contentType) <= 1 else {
                throw .duplicate("content-type")
            }
            let secret = try LogoutToken.parameter(
                ofForm: body, contentType: request.fields.text(.contentType))
            // Its shape before anybody is asked for a key.
            _ = try LogoutToken.parse(secret, algorithms: Set(SignatureAlgorithm.allCases))
            if mayAsk {
                do throws(ProviderTrouble) {
                    metadata = try await provider.metadata()
                } catch { throw .providerTrouble(error.text) }
            } else {
                guard let known = provider.knownMetadata else { throw .unknownKey }
                metadata = known
            }
            parsed = try LogoutToken.parse(secret, algorithms: metadata.algorithms)
        } catch { throw LogoutRefusal(error) }
        let keys: JWKSet
        do throws(ProviderTrouble) {
            if mayAsk {
                keys = try await provider.keys(for: parsed, of: .anybody)
            } else {
                guard let known = provider.knownKeys(for: parsed) else {
                    throw .answer(.unknownKey)
                }
                keys = known
            }
        } catch {
            if case .answer(let reason) = error { throw LogoutRefusal(reason) }
            throw LogoutRefusal(.providerTrouble(error.text))
        }
        let token: LogoutToken
        do throws(OIDCError) {
            token = try LogoutToken(
                parsed, keys: keys, issuer: provider.options.issuer,
                clientID: provider.options.credentials.clientID,
                skew: snapshot.options.limits.clockSkew, now: clock.timestamp())
        } catch { throw LogoutRefusal(error) }
        let now = clock.instant()
        // A token is taken for 300 s and the skew on both sides of that; then it is too old anyway.
        let until = now + .seconds(300) + snapshot.options.limits.clockSkew * 2
        let mark = Array(token.issuer.utf8) + [0] + Array(token.tokenID.utf8)
        switch replays.note(mark, until: until, now: now) {
        case .first: return token
        case .again: throw LogoutRefusal(replay: true)
        case .full: throw LogoutRefusal(.providerTrouble("the replay cache is full"))
        }
    }
}

/// Why a logout token is not acted upon.
private struct LogoutRefusal: Error {
    /// Names a claim or parameter; never holds text of the token.
    let reason: String
    private let status: Int

    init(_ error: OIDCError) {
        reason = error.description
        status =
            switch error {
            case .providerTrouble: 503
            case .tooLarge: 413
            default: 400
            }
    }

    init(replay: Bool) {
        reason = "replay"
        status = 400
    }

    var answer: GateAnswer {
        .json(
            status,
            status == 503
                ? #"{"error":"temporarily_unavailable"}"# : #"{"error":"invalid_request"}"#)
    }
}
