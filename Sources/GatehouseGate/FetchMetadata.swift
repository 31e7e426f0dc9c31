import GatehouseBase
import GatehouseHTTP

/// What a request's fields say about who started it (Fetch Metadata, RFC 6454 §7).
enum FetchMetadata {
    /// A person goes to a page: only then is a login worth starting.
    ///
    /// With `Sec-Fetch-Mode` that field decides (frames are none); browsers leave it out without
    /// TLS, and old ones always.
    static func isNavigation(_ request: borrowing RequestHead) -> Bool {
        request.method == .get && isDocument(request)
    }

    /// Whether an answer in HTML reaches a person.
    static func acceptsHTML(_ request: borrowing RequestHead) -> Bool {
        guard let line = request.fields.firstIndex(of: .accept) else { return false }
        var elements = CommaSeparated(request.fields.value(at: line))
        while let element = elements.next() {
            var end = 0
            while end < element.count, element[end] != UInt8(ascii: ";") { end += 1 }
            if element.extracting(0..<end).trimmed.equalsIgnoringCase("text/html") { return true }
        }
        return false
    }

    /// A link of our own origin that a person followed, in this window, now.
    static func isPersonalSameOriginNavigation(_ request: borrowing RequestHead) -> Bool {
        request.method == .get && holds(request.fields, .secFetchMode, "navigate")
            && holds(request.fields, .secFetchDest, "document")
            && holds(request.fields, .secFetchSite, "same-origin")
            && holds(request.fields, .secFetchUser, "?1") && !isPrefetch(request)
    }

    /// Who makes the browser send a request (`Sec-Fetch-Site`).
    enum Site {
        case sameOrigin
        /// Another site, or another host of this one.
        case elsewhere
        /// The person: typed, or from a bookmark.
        case person
        /// The browser does not say.
        case unknown
    }

    static func site(_ fields: borrowing Fields) -> Site {
        guard fields.firstIndex(of: .secFetchSite) != nil else { return .unknown }
        if holds(fields, .secFetchSite, "same-origin") { return .sameOrigin }
        return holds(fields, .secFetchSite, "none") ? .person : .elsewhere
    }

    /// A person goes to a page, by a link or by a form; as ``isNavigation(_:)``, whatever the
    /// method.
    ///
    /// A service worker that only hands a navigation on leaves its mode and takes its destination
    /// away (`empty`); no script can make a request of that mode (Fetch §5.4, the constructor of
    /// Request).
    static func isDocument(_ request: borrowing RequestHead) -> Bool {
        guard request.fields.firstIndex(of: .secFetchMode) != nil else {
            return acceptsHTML(request) && request.fields.firstIndex(of: .xRequestedWith) == nil
                && request.fields.firstIndex(of: .authorization) == nil && !isUpgrade(request)
        }
        return holds(request.fields, .secFetchMode, "navigate")
            && (holds(request.fields, .secFetchDest, "document")
                || holds(request.fields, .secFetchDest, "empty"))
    }

    /// Loaded ahead of a wish that may never come.
    static func isPrefetch(_ request: borrowing RequestHead) -> Bool {
        request.fields.firstIndex(of: .secPurpose) != nil
            || request.fields.firstIndex(of: .purpose) != nil
    }

    /// An upgrade to a WebSocket, or what looks like half of one. One to something else is never
    /// taken up (``UpgradeRequest/ignored``).
    static func isUpgrade(_ request: borrowing RequestHead) -> Bool {
        request.fields.lists(.upgrade, "websocket")
            || request.fields.firstIndex(of: .secWebSocketKey) != nil
    }

    /// Whether a request says that it opens a WebSocket, and does not ask for one.
    ///
    /// No browser sends that. JupyterHub's servers believe it and take a token out of the query or
    /// the body then, whatever stands in `Authorization`. What does ask for a WebSocket has no body
    /// (``UpgradeRequest``). A name or value that a backend may take for this one counts as this.
    static func feignsWebSocket(_ fields: borrowing Fields) -> Bool {
        for index in fields.indices where fields[index].resembles == .secFetchMode {
            let value = fields.value(at: index)
            let word: StaticString = "websocket"
            var start = 0
            while start + word.utf8CodeUnitCount <= value.count {
                let end = start + word.utf8CodeUnitCount
                if value.extracting(start..<end).equalsIgnoringCase(word) {
                    return !fields.lists(.upgrade, word)
                }
                start += 1
            }
        }
        return false
    }

    /// Whether the one Origin field is exactly `origin`.
    static func comesFrom(_ origin: [UInt8], _ fields: borrowing Fields) -> Bool {
        guard let line = fields.firstIndex(of: .origin),
            fields.firstIndex(of: .origin, from: line + 1) == nil
        else { return false }
        return fields.value(at: line).equals(origin.span)
    }

    /// Whether another site, or another origin of ours, makes the browser send this.
    ///
    /// `Origin: null` is what a browser says of its own page too, where that page hides its
    /// referrer; `Sec-Fetch-Site` then tells.
    static func isForeign(_ fields: borrowing Fields, to origin: [UInt8]) -> Bool {
        var line = fields.firstIndex(of: .secFetchSite)
        while let index = line {
            if fields.value(at: index).equalsIgnoringCase("cross-site") { return true }
            line = fields.firstIndex(of: .secFetchSite, from: index + 1)
        }
        line = fields.firstIndex(of: .origin)
        while let index = line {
            let value = fields.value(at: index)
            let isOurs =
                value.equals(origin.span)
                || (value.equals("null") && holds(fields, .secFetchSite, "same-origin"))
            if !isOurs { return true }
            line = fields.firstIndex(of: .origin, from: index + 1)
        }
        return false
    }

    /// Whether a browser says that its own page of this origin sends this. Old browsers, which
    /// say nothing of the kind, must at least send an Origin.
    static func isOwnForm(_ fields: borrowing Fields, of origin: [UInt8]) -> Bool {
        if isForeign(fields, to: origin) { return false }
        return holds(fields, .secFetchSite, "same-origin") || comesFrom(origin, fields)
    }

    /// As ``isOwnForm(_:of:)``, where a token proves the rest: a page of ours hides its referrer,
    /// and an old browser then says `Origin: null` and nothing more.
    static func mayBeOwnForm(_ fields: borrowing Fields, of origin: [UInt8]) -> Bool {
        if isOwnForm(fields, of: origin) { return true }
        guard fields.firstIndex(of: .secFetchSite) == nil else { return false }
        return fields.firstIndex(of: .origin) == nil || holds(fields, .origin, "null")
    }

    /// One line of that name, with that value.
    private static func holds(
        _ fields: borrowing Fields, _ name: FieldName, _ value: StaticString
    ) -> Bool {
        guard let line = fields.firstIndex(of: name),
            fields.firstIndex(of: name, from: line + 1) == nil
        else { return false }
        return fields.value(at: line).equalsIgnoringCase(value)
    }
}
