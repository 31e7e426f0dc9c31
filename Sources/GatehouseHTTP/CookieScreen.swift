/// Decides which cookies pass between a browser and an upstream, besides ours, which never do.
/// Made by Gate for one exchange, asked by Proxy.
public protocol CookieScreen: Sendable {
    /// Whether a cookie of the request may reach the upstream.
    func passes(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) -> Bool

    /// What becomes of a Set-Cookie line of the answer.
    func judge(setCookie line: borrowing Span<UInt8>) -> SetCookieVerdict

    /// Makes last what ``judge(setCookie:)`` has learnt: before the answer goes out.
    func commit() async throws
}

/// What becomes of a Set-Cookie line.
public enum SetCookieVerdict: Sendable, Equatable {
    case passes
    /// It passes once ``CookieScreen/commit()`` has returned.
    case passesAfterCommit
    case dropped
}
