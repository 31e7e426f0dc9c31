import GatehouseBase

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
