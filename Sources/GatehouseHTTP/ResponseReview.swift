import GatehouseBase

/// What the gate wants changed in a request on its way upstream. Made by Gate, applied by Proxy.
public struct FieldEdits: Sendable {
    /// Configured identity names: removed in every spelling, besides those never taken from
    /// clients, before ``set`` is added.
    public var identityNames: OwnedNames
    /// Our identity fields for this request.
    public var set: Fields
    /// Which cookies go along, besides ours, which never do.
    public var cookies = Cookies.all
    /// The request's target in place of the client's, where it holds what no upstream may see.
    public var target: [UInt8]?

    /// Cookies of a request on their way upstream.
    public enum Cookies: Sendable {
        case all
        case none
        case screened(any CookieScreen)
    }

    public init(identityNames: OwnedNames = OwnedNames([]), set: Fields = Fields()) {
        self.identityNames = identityNames
        self.set = set
    }
}

/// Field names that only we may set, compared as a backend might fold them.
public struct OwnedNames: Sendable {
    private let names: [[UInt8]]
    private let lengths: UInt64

    public init(_ names: [String]) {
        self.names = names.map { $0.utf8.map(ASCII.foldedName) }
        lengths = self.names.reduce(0) { $0 | 1 << UInt64($1.count & 63) }
    }

    /// Whether `name` is one of ours; any of its spellings.
    public func contains(_ name: StaticString) -> Bool {
        lengths == 0 ? false : contains(name.description.utf8.span)
    }

    /// Whether `name` is one of ours in any spelling.
    public func contains(_ name: borrowing Span<UInt8>) -> Bool {
        guard lengths >> UInt64(name.count & 63) & 1 != 0 else { return false }
        for owned in names where owned.count == name.count {
            var equal = true
            for index in name.indices where ASCII.foldedName(name[index]) != owned[index] {
                equal = false
                break
            }
            if equal { return true }
        }
        return false
    }
}

/// What the gate wants changed in a response head on its way to the browser.
public struct ResponseReview: Sendable {
    /// Who may keep a copy (RFC 9111 §5.2).
    public enum Caching: Sendable {
        /// The application decides: the rule is public.
        case unchanged
        /// No shared cache: `public` and `s-maxage` are taken out, `private` is added.
        case privateOnly
        /// As ``privateOnly``; HTML gets `no-store`, so that Back shows nothing after a logout.
        case navigation
    }

    public var caching: Caching
    /// Judges Set-Cookie lines, besides those of our own cookies, which never pass.
    public var screen: (any CookieScreen)?
    /// Whether fields pass that hold for the whole origin (``FieldName/bindsOrigin``): not from
    /// code of one user, who shares it with others.
    public var mayBindOrigin: Bool

    public init(
        caching: Caching = .unchanged, screen: (any CookieScreen)? = nil,
        mayBindOrigin: Bool = true
    ) {
        self.caching = caching
        self.screen = screen
        self.mayBindOrigin = mayBindOrigin
    }
}

/// Why an exchange or a session ends before its time.
public enum EndCause: String, Sendable {
    case signOut = "user"
    case backChannelSession = "bcl_sid"
    case backChannelSubject = "bcl_sub"
    case idle
    case absolute
    case cap
    case switchedUser = "switch"
    case accessChanged = "access"
    /// The settings name another provider, or another client at it.
    case providerChanged = "provider"
    case shutdown
}

/// An exchange in flight that hangs on a session: the live register ends it.
public protocol LiveExchange: AnyObject {
    /// Ends both sides at once; a WebSocket with a Close, other bodies by reset. Does not wait.
    func end(_ cause: EndCause)
}
