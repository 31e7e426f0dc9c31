import GatehouseHTTP

/// For requests that bear a token: cookies travel neither way, so that nobody is known by two things
/// at once, and nobody gets a cookie by a token.
struct NoCookies: CookieScreen {
    func passes(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) -> Bool { false }

    func judge(setCookie line: borrowing Span<UInt8>) -> SetCookieVerdict { .dropped }

    func commit() async throws {}
}
