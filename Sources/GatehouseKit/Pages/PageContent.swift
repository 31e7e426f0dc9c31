import GatehouseBase
import GatehouseGate

/// What a page says, before it is HTML.
struct PageContent {
    /// Something that a person can do next.
    enum Action {
        case link(String, to: String)
        case button(String, to: String)
        case form(String, to: String, fields: [(name: String, value: Secret)])
    }

    var title: String
    var paragraphs: [String]
    var points: [String] = []
    var actions: [Action] = []
    /// A form that ends at the provider, wherever that sends the browser on its way.
    var hasForm = false
    /// The form is sent without asking, where scripts run.
    var submitsItself = false
    /// Seconds after which the browser asks for the page again; nil for never.
    var reloadsAfter: Int?

    init(_ page: Page) {
        self =
            switch page {
            case .denied(let username): .denied(username)
            case .notSignedIn(let signIn): .notSignedIn(signIn)
            case .loginFailed(let failure, let retry): .loginFailed(failure, retry)
            case .providerDown(let retry): .providerDown(retry)
            case .confirmHubLogout(let username, let link): .confirmHubLogout(username, link)
            case .confirmLogout(let username, let action, let token):
                .confirmLogout(username, action, token)
            case .signedOut(let provider, let signIn): .signedOut(provider, signIn)
            case .endSession(let action, let fields): .endSession(action, fields)
            case .badRequest(let reason): PageContent("This request cannot be served", reason)
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .misdirected(let host): .misdirected(host)
            case .plainHTTP(let publicURL): .plainHTTP(publicURL)
            case .untrustedFront(let peer, let fields): .untrustedFront(peer, fields)
            case .frontWithoutScheme(let fields): .frontWithoutScheme(fields)
            case .crossSite: .crossSite
            case .identityTooLarge: .identityTooLarge
            case .tooLarge:
                PageContent("Too large", "What was sent is larger than this site accepts.")
            case .tooManyExchanges: .tooManyExchanges
            case .badGateway: .badGateway
            case .gatewayTimeout: .gatewayTimeout
            case .unavailable(let seconds): .unavailable(seconds)
            case .starting(let seconds): .starting(seconds)
            case .internalError: .internalError
            }
    }

    private init(
        _ title: String, _ paragraphs: String..., points: [String] = [], actions: [Action] = []
    ) {
        self.title = title
        self.paragraphs = paragraphs
        self.points = points
        self.actions = actions
    }

    // MARK: Entering

    private static func denied(_ username: String?) -> PageContent {
        guard let username else {
            return PageContent(
                "You may not enter here", "This page is not open to anybody.",
                actions: [.link("Go to the start page", to: "/")])
        }
        return PageContent(
            "You may not enter here",
            "You are signed in as \(username), and this page is not open to that account.",
            "If you need it, ask whoever runs this site to let you in, and tell them the "
                + "reference below.",
            actions: [
                .button("Sign out", to: "\(OwnPath.logout)"),
                .link("Go to the start page", to: "/"),
            ])
    }

    private static func notSignedIn(_ signIn: String) -> PageContent {
        PageContent(
            "You are not signed in",
            "What you sent needs a sign-in, and yours is missing or has ended. It was not taken, or not "
                + "all of it.",
            "Sign in in another tab, then go back to the form in this one and send it again.",
            actions: [.button("Sign in", to: signIn)])
    }

    private static func loginFailed(_ failure: LoginFailure, _ retry: String) -> PageContent {
        var content = PageContent(
            "Signing in did not work", actions: [.button("Try again", to: retry)])
        // The provider would give out the same name again and again.
        if failure == .username {
            content.actions = [
                .button("Sign out", to: "\(OwnPath.logout)"), .link("Try again", to: retry),
            ]
        }
        (content.paragraphs, content.points) = words(failure)
        return content
    }

    private static func providerDown(_ retry: String) -> PageContent {
        PageContent(
            "Signing in is not possible right now",
            "The service that checks your password does not answer. Whoever is signed in "
                + "already can go on working.",
            "Please try again in a minute.", actions: [.button("Try again", to: retry)])
    }

    // MARK: Leaving

    private static func confirmHubLogout(_ username: String?, _ link: String) -> PageContent {
        PageContent(
            "Log out?", whoIsSignedIn(username),
            "Logging out ends all your open pages here. What runs in your notebooks goes on.",
            actions: [.button("Log out", to: link), .link("Stay signed in", to: "/")])
    }

    private static func confirmLogout(
        _ username: String?, _ action: String, _ token: Secret
    ) -> PageContent {
        var content = PageContent(
            "Sign out?", whoIsSignedIn(username), "Signing out ends all your open pages here.",
            actions: [
                .form("Sign out", to: action, fields: [("csrf", token)]),
                .link("Stay signed in", to: "/"),
            ])
        content.hasForm = true
        return content
    }

    private static func whoIsSignedIn(_ username: String?) -> String {
        username.map { "You are signed in as \($0)." } ?? "You are signed in."
    }

    private static func signedOut(_ provider: Page.ProviderSession, _ signIn: String) -> PageContent
    {
        var content = PageContent(
            "You are signed out", actions: [.button("Sign in again", to: signIn)])
        let hasEnded = "Everything that was open here has ended."
        var end: String?
        switch provider {
        case .ended: content.paragraphs = [hasEnded]
        case .mayBeAlive(let link):
            content.paragraphs = [
                hasEnded,
                "But the service that checks your password could not be reached: you may still be "
                    + "signed in there, and at other applications. If others use this computer, "
                    + "close the browser.",
            ]
            end = link
        case .cannotBeEnded:
            content.paragraphs = [
                hasEnded,
                "But the service that checks your password lets nobody be signed out from here: you "
                    + "may still be signed in there, and at other applications. If others use this "
                    + "computer, sign out there or close the browser.",
            ]
        case .unknown(let link):
            content.paragraphs = [
                "Nobody was signed in here.",
                "You may still be signed in at the service that checks your password.",
            ]
            end = link
        }
        if let end { content.actions.append(.link("Sign out there too", to: end)) }
        return content
    }

    private static func endSession(
        _ action: String, _ fields: [(name: String, value: Secret)]
    ) -> PageContent {
        var content = PageContent(
            "Almost signed out",
            "You are signed out here. One more step signs you out everywhere else.",
            actions: [.form("Finish signing out", to: action, fields: fields)])
        content.hasForm = true
        content.submitsItself = true
        return content
    }

    // MARK: Requests that cannot be served

    private static var notFound: PageContent {
        PageContent(
            "There is nothing here", "The address is wrong, or what was here is gone.",
            actions: [.link("Go to the start page", to: "/")])
    }

    private static var methodNotAllowed: PageContent {
        PageContent(
            "This cannot be done here", "The address does not accept this kind of request.")
    }

    private static func misdirected(_ host: String?) -> PageContent {
        PageContent(
            "This site is not served here",
            "The address names a host that this server does not know"
                + (host.map { ": \($0)" } ?? "") + ".",
            "If you run this server: public_urls lists the hosts and ports that it serves. A "
                + "proxy in front has to pass Host on as the browser sent it.")
    }

    private static func plainHTTP(_ publicURL: String) -> PageContent {
        PageContent(
            "A secure connection is needed", "This site is served over HTTPS only.",
            actions: [.button("Go to the secure address", to: publicURL + "/")])
    }

    private static func untrustedFront(_ peer: String, _ fields: [String]) -> PageContent {
        var content = PageContent(
            "The proxy in front is not trusted",
            fields.isEmpty
                ? "The request came without TLS from \(peer) in HTTP/1.0, which proxies speak and "
                    + "browsers do not."
                : "The request came without TLS from \(peer) with fields that only a trusted proxy "
                    + "may set:",
            points: fields)
        content.paragraphs.append(
            "If you run this server and \(peer) is your proxy: name it in front.trusted of "
                + "the listener"
                + (fields.isEmpty
                    ? ", and let it pass on Host and set X-Forwarded-For and X-Forwarded-Proto."
                    : "."))
        return content
    }

    private static func frontWithoutScheme(_ fields: [String]) -> PageContent {
        var content = PageContent(
            "The proxy in front does not tell the scheme",
            "The request came without TLS from a trusted proxy, which does not say whether the "
                + "browser came by https." + (fields.isEmpty ? "" : " It sent:"),
            points: fields)
        content.paragraphs.append(
            "If you run this server: let the proxy set X-Forwarded-Proto (with the profile "
                + "forwarded, proto= of Forwarded) to the scheme that the browser used, or choose "
                + "the front.profile that fits it.")
        return content
    }

    private static var crossSite: PageContent {
        PageContent(
            "Another site has sent this request",
            "It was refused, so that no other site can act in your name.",
            actions: [.link("Go to the start page", to: "/")])
    }

    private static var identityTooLarge: PageContent {
        PageContent(
            "Your account does not fit",
            "What your account says about you (groups, roles) is larger than this site can "
                + "pass on. Please tell whoever runs it.")
    }

    // MARK: Applications

    private static var tooManyExchanges: PageContent {
        PageContent(
            "Too much at once",
            "You have more open connections here than one sign-in may have. Close some tabs "
                + "and try again.")
    }

    private static var badGateway: PageContent {
        PageContent(
            "The application cannot be reached",
            "It is not running, or it does not answer as it should. Please try again in a minute.")
    }

    private static var gatewayTimeout: PageContent {
        PageContent(
            "The application does not answer", "It took too long. Please try again in a minute.")
    }

    private static func unavailable(_ seconds: Int) -> PageContent {
        PageContent(
            "Please wait a moment",
            "This is not available right now. Try again in \(max(1, seconds)) seconds.")
    }

    private static func starting(_ seconds: Int) -> PageContent {
        var content = PageContent(
            "Please wait a moment",
            "This site is starting. The page that you asked for comes by itself.")
        content.reloadsAfter = max(1, seconds)
        return content
    }

    private static var internalError: PageContent {
        PageContent(
            "Something went wrong",
            "The fault is on our side. Please tell whoever runs this site, with the "
                + "reference below.")
    }
}
