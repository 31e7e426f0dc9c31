import GatehouseBase
import GatehouseHTTP

/// Which fields pass, and what is set: heads are written anew in both directions
/// (RFC 9110 §7.6.1, RFC 9112 §6).
enum ForwardingRules {
    /// Appends the request head that the upstream gets.
    /// - Parameters:
    ///   - targetHost: Host where the client sent none (HTTP/1.0), or where it is changed.
    ///   - forwarded: what this connection adds about where its requests come from.
    ///   - rewriting: nil where the target stays.
    static func appendRequest(
        _ head: borrowing RequestHead, framing: BodyFraming, isUpgrade: Bool, edits: FieldEdits,
        targetHost: @autoclosure () -> [UInt8], id: RequestID, forwarded: ForwardedFields,
        isTLS: Bool, _ settings: ForwardingOptions, rewriting: TargetRewriting? = nil,
        to buffer: inout ByteBuffer
    ) throws(MessageError) {
        let options = try ConnectionOptions(
            ofRequest: head.fields, identityNames: edits.identityNames)
        appendRequestLine(head, target: edits.target, rewriting, to: &buffer)
        if !settings.setsHost,
            settings.changesOrigin || head.fields.firstIndex(of: .host) == nil
        {
            buffer.append("Host: ")
            buffer.append(targetHost())
            buffer.append("\r\n")
        }
        // What passes is copied in runs; before `rest` everything is done.
        var rest = 0
        for index in head.fields.indices {
            let entry = head.fields[index]
            let name = head.fields.name(at: index)
            let passes =
                !settings.requestFieldNames.contains(name)
                && (forwarded.takes(entry)
                    || entry.name != .cookie
                        && !(edits.dropsAuthorization && entry.resembles == .authorization)
                        && !(entry.name == .host && settings.changesOrigin)
                        && !isDropped(entry, of: head, hasBody: framing != .none)
                        && !edits.identityNames.contains(name) && !options.contains(name))
            if passes { continue }
            buffer.append(head.fields, lines: rest..<index)
            rest = index + 1
            if entry.name == .cookie, !settings.requestFieldNames.contains(name) {
                append(cookies: head.fields.value(at: index), edits.cookies, to: &buffer)
            }
        }
        buffer.append(head.fields, lines: rest..<head.fields.count)
        forwarded.append(
            head, isTLS: isTLS, isUpgrade: isUpgrade, except: settings.requestFieldNames,
            to: &buffer)
        buffer.append("X-Request-Id: ")
        buffer.append(hexadecimal16: id.number)
        buffer.append("\r\n")
        buffer.append(edits.set)
        buffer.append(settings.requestFields)
        if framing == .none, !isUpgrade, head.fields.firstIndex(of: .contentLength) != nil {
            // Who says that a body is empty says it to servers that want to hear it (RFC 9110 §8.6).
            append(.length(0), to: &buffer)
        } else {
            append(framing, to: &buffer)
        }
        if isUpgrade { buffer.append("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
        buffer.appendHeadEnd()
    }

    private static func appendRequestLine(
        _ head: borrowing RequestHead, target: [UInt8]?, _ rewriting: TargetRewriting?,
        to buffer: inout ByteBuffer
    ) {
        guard rewriting != nil || target != nil else { return buffer.appendRequestLine(of: head) }
        buffer.append(head.methodName())
        buffer.append(0x20)
        if let target {
            (rewriting ?? TargetRewriting()).append(target.span, to: &buffer)
        } else {
            rewriting?.append(head.target(), to: &buffer)
        }
        buffer.append(" HTTP/1.1\r\n")
    }

    private static func append(
        cookies value: borrowing Span<UInt8>, _ cookies: FieldEdits.Cookies,
        to buffer: inout ByteBuffer
    ) {
        switch cookies {
        case .all: CookieField.appendLine(to: &buffer, value: copy value)
        case .none: break
        case .screened(let screen):
            CookieField.appendLine(to: &buffer, value: copy value, screen: screen)
        }
    }

    /// What a client's field of a name that we know comes to: it, or a look-alike, goes where only
    /// we may set it, where it ends at this hop, and where framing is written anew.
    private static func isDropped(
        _ entry: Fields.Entry, of head: borrowing RequestHead, hasBody: Bool
    ) -> Bool {
        let name = entry.resembles
        if name == .other { return false }
        if name.isNeverTakenFromClients || name.isHopByHop || name == .xRequestID { return true }
        if name == .contentLength { return true }
        if name == .expect { return head.version == .http10 || !hasBody }
        // A look-alike of what decides something: a backend may take it for the real one.
        return entry.name == .other && name.isProtectedFromNomination
    }

    private static func append(_ framing: BodyFraming, to buffer: inout ByteBuffer) {
        switch framing {
        case .length(let count):
            buffer.append("Content-Length: ")
            buffer.append(decimal: count)
            buffer.append("\r\n")
        case .chunked:
            buffer.append("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose:
            break
        }
    }

    /// Appends the response head that the browser gets.
    /// - Parameters:
    ///   - framing: of the body as it goes downstream.
    ///   - location: what a Location becomes; nil where it passes, as where this is nil.
    /// - Returns: whether `review` has learnt what must last before this goes out.
    @discardableResult
    static func appendResponse(
        _ head: borrowing ResponseHead, framing: BodyFraming, keepAlive: KeepAlive,
        isUpgrade: Bool = false, _ review: ResponseReview,
        location: ((String) -> String?)? = nil, to buffer: inout ByteBuffer
    ) throws(MessageError) -> Bool {
        let options = try ConnectionOptions(ofResponse: head.fields)
        buffer.appendStatusLine(head.status, reason: head.reason())
        // What is said of an answer is said once, in the final one.
        let caching = head.isInterim ? .unchanged : review.caching
        let isNoStore = caching == .navigation && isHTML(head.fields)
        var mustCommit = false
        var isEventStream = false
        // What passes is copied in runs; before `rest` everything is done.
        var rest = 0
        for index in head.fields.indices {
            let entry = head.fields[index]
            var passes =
                !isDropped(entry) && (review.mayBindOrigin || !entry.resembles.bindsOrigin)
                && !options.contains(head.fields.name(at: index))
            var moved: String?
            switch entry.name {
            case .contentType where head.fields.value(at: index).startsIgnoringCase(eventStream):
                isEventStream = true
            case .contentLength
            where framing != .none || head.status == 204 || head.isInterim:
                passes = false
            case .setCookie:
                switch judge(head.fields.value(at: index), review) {
                case .dropped: passes = false
                case .passesAfterCommit: mustCommit = true
                case .passes: break
                }
            case .cacheControl where caching != .unchanged: passes = false
            case .other where caching != .unchanged:
                passes = passes && !isTargetedCacheControl(head.fields.name(at: index))
            case .location:
                if let location, let text = head.fields.value(at: index).text {
                    moved = location(text)
                    passes = passes && moved == nil
                }
            default: break
            }
            if passes { continue }
            buffer.append(head.fields, lines: rest..<index)
            rest = index + 1
            if let moved { buffer.appendField(.location, moved.utf8.span) }
            if entry.name == .cacheControl, caching != .unchanged, !isNoStore {
                appendPrivate(head.fields.value(at: index), to: &buffer)
            }
        }
        buffer.append(head.fields, lines: rest..<head.fields.count)
        if caching != .unchanged { appendCaching(head.fields, isNoStore: isNoStore, to: &buffer) }
        if isEventStream, head.fields.firstIndex(of: .xAccelBuffering) == nil {
            // Or nginx, as it comes, keeps the events until the last one.
            buffer.append("X-Accel-Buffering: no\r\n")
        }
        if head.status >= 200, head.fields.firstIndex(of: .date) == nil {
            buffer.appendField(.date, CalendarTime(.now()).httpDate.utf8.span)
        }
        append(framing, to: &buffer)
        // A 426 must say to what (RFC 9110 §15.5.22).
        if isUpgrade || head.status == 426 && head.fields.lists(.upgrade, "websocket") {
            buffer.append("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        }
        keepAlive.append(to: &buffer)
        buffer.appendHeadEnd()
        return mustCommit
    }

    private static let eventStream: StaticString = "text/event-stream"

    private static func judge(
        _ setCookie: borrowing Span<UInt8>, _ review: ResponseReview
    ) -> SetCookieVerdict {
        SetCookie.isReserved(setCookie)
            ? .dropped : review.screen?.judge(setCookie: setCookie) ?? .passes
    }

    /// What an upstream may not say to our clients.
    private static func isDropped(_ entry: Fields.Entry) -> Bool {
        let name = entry.resembles
        if name.isHopByHop { return true }
        switch name {
        case .xGatehouseAssertion, .xGatehouseLogin, .xAccelRedirect, .xAccelLimitRate,
            .xAccelExpires, .xAccelCharset, .clearSiteData:
            return true
        default:
            return false
        }
    }

    /// What tells one cache on the way something else than Cache-Control tells all (RFC 9213):
    /// `CDN-Cache-Control` and its like, and what there was before them.
    private static func isTargetedCacheControl(_ name: borrowing Span<UInt8>) -> Bool {
        let count = name.count
        let ending: StaticString = "-cache-control"
        return count > ending.utf8CodeUnitCount
            && name.extracting(droppingFirst: count - ending.utf8CodeUnitCount).startsLike(ending)
            || name.equalsIgnoringCase("surrogate-control")
            || name.equalsIgnoringCase("edge-control")
    }

    private static func isHTML(_ fields: borrowing Fields) -> Bool {
        guard let index = fields.firstIndex(of: .contentType) else { return false }
        let type = fields.value(at: index)
        return type.count >= 9 && type.extracting(0..<9).equalsIgnoringCase("text/html")
    }

    /// Writes Cache-Control for what is not to be kept, and where the upstream has said nothing.
    /// `no-transform` binds whoever passes it on, kept or not (RFC 9111 §5.2.2.6).
    private static func appendCaching(
        _ fields: borrowing Fields, isNoStore: Bool, to buffer: inout ByteBuffer
    ) {
        if isNoStore {
            buffer.append("Cache-Control: no-store")
            if fields.lists(.cacheControl, "no-transform") { buffer.append(", no-transform") }
            buffer.append("\r\n")
        } else if fields.firstIndex(of: .cacheControl) == nil {
            buffer.append("Cache-Control: private\r\n")
        }
    }

    /// Writes Cache-Control without `public` and `s-maxage`, and with `private` (RFC 9111 §5.2.2).
    /// What ends within a quoted string says nothing that two caches would read alike.
    private static func appendPrivate(
        _ value: borrowing Span<UInt8>, to buffer: inout ByteBuffer
    ) {
        var list = CommaSeparated(copy value, quotes: true)
        while list.next() != nil {}
        guard !list.isCutOff else {
            buffer.append("Cache-Control: private, no-store\r\n")
            return
        }
        buffer.append("Cache-Control: private")
        list = CommaSeparated(copy value, quotes: true)
        while let directive = list.next() {
            let isShared =
                directive.equalsIgnoringCase("public") || directive.equalsIgnoringCase("private")
                || directive.startsIgnoringCase("s-maxage")
                || directive.startsIgnoringCase("private=")
            if isShared { continue }
            buffer.append(", ")
            buffer.append(directive)
        }
        buffer.append("\r\n")
    }

    /// The trailer fields of a request or response that pass: nothing that frames, routes,
    /// authenticates or is ours (RFC 9110 §6.5.1). Nil where none does.
    static func passingTrailers(_ trailers: Fields, _ identityNames: OwnedNames) -> Fields? {
        var passing = Fields()
        for index in trailers.indices {
            let name = trailers[index].resembles
            if name.isNeverTakenFromClients || name.isHopByHop || name.isProtectedFromNomination
                || name == .setCookie || name == .contentType || name == .contentEncoding
                || name == .expect || name == .cacheControl
                || identityNames.contains(trailers.name(at: index))
            {
                continue
            }
            guard let text = trailers.name(at: index).text,
                let value = trailers.value(at: index).text
            else { continue }
            passing.append(text, value)
        }
        return passing.isEmpty ? nil : passing
    }
}

/// What a response says about its connection (RFC 9112 §9.3).
enum KeepAlive {
    /// HTTP/1.1's default: nothing.
    case implied
    /// An HTTP/1.0 client that asked for it.
    case said
    case close

    func append(to buffer: inout ByteBuffer) {
        switch self {
        case .implied: break
        case .said: buffer.append("Connection: keep-alive\r\n")
        case .close: buffer.append("Connection: close\r\n")
        }
    }
}
