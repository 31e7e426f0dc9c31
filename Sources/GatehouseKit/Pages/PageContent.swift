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

    init(_ page: Page) {
        if let content = PageContent(entering: page) ?? PageContent(leaving: page)
            ?? PageContent(request: page)
        {
            self = content
        } else {
            self.init(application: page)
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

    private init?(entering page: Page) {
        switch page {
        case .denied(let username?):
            self.init(
                "You may not enter here",
                "You are signed in as \(username), and this page is not open to that account.",
                "If you need it, ask whoever runs this site to let you in, and tell them the "
                    + "reference below.",
                actions: [
                    .button("Sign out", to: "\(OwnPath.logout)"),
                    .link("Go to the start page", to: "/"),
                ])
        case .denied(nil):
            self.init(
                "You may not enter here", "This page is not open to anybody.",
                actions: [.link("Go to the start page", to: "/")])
        case .notSignedIn(let signIn):
            self.init(
                "You are not signed in",
                "What you sent needs a sign-in, and yours is missing or has ended. Nothing of it was "
                    + "taken.",
                "Sign in in another tab, then go back to the form in this one and send it again.",
                actions: [.button("Sign in", to: signIn)])
        case .loginFailed(let failure, let retry):
            self.init("Signing in did not work")
            (paragraphs, points) = PageContent.words(failure)
            actions = [.button("Try again", to: retry)]
        case .providerDown(let retry):
            self.init(
                "Signing in is not possible right now",
                "The service that checks your password does not answer. Whoever is signed in "
                    + "already can go on working.",
                "Please try again in a minute.", actions: [.button("Try again", to: retry)])
        default: return nil
        }
    }

    private init?(leaving page: Page) {
        switch page {
        case .confirmHubLogout(let username, let link):
            self.init(
                "Log out?",
                username.map { "You are signed in as \($0)." } ?? "You are signed in.",
                "Logging out ends all your open pages here. What runs in your notebooks goes on.",
                actions: [.button("Log out", to: link), .link("Stay signed in", to: "/")])
        case .confirmLogout(let username, let action, let token):
            self.init(
                "Sign out?",
                username.map { "You are signed in as \($0)." } ?? "You are signed in.",
                "Signing out ends all your open pages here.",
                actions: [
                    .form("Sign out", to: action, fields: [("csrf", token)]),
                    .link("Stay signed in", to: "/"),
                ])
            hasForm = true
        case .signedOut(let provider, let signIn):
            self.init("You are signed out", actions: [.button("Sign in again", to: signIn)])
            switch provider {
            case .ended:
                paragraphs = ["Everything that was open here has ended."]
            case .mayBeAlive(let end):
                paragraphs = [
                    "Everything that was open here has ended.",
                    "But the service that checks your password could not be reached: you may "
                        + "still be signed in there, and at other applications. If others use "
                        + "this computer, close the browser.",
                ]
                if let end { actions.append(.link("Sign out there too", to: end)) }
            case .cannotBeEnded:
                paragraphs = [
                    "Everything that was open here has ended.",
                    "But the service that checks your password lets nobody be signed out from here: "
                        + "you may still be signed in there, and at other applications. If others "
                        + "use this computer, sign out there or close the browser.",
                ]
            case .unknown(let end):
                paragraphs = [
                    "Nobody was signed in here.",
                    "You may still be signed in at the service that checks your password.",
                ]
                if let end { actions.append(.link("Sign out there too", to: end)) }
            }
        case .endSession(let action, let fields):
            self.init(
                "Almost signed out",
                "You are signed out here. One more step signs you out everywhere else.",
                actions: [.form("Finish signing out", to: action, fields: fields)])
            hasForm = true
            submitsItself = true
        default: return nil
        }
    }

    private init?(request page: Page) {
        switch page {
        case .badRequest(let reason):
            self.init("This request cannot be served", reason)
        case .notFound:
            self.init(
                "There is nothing here", "The address is wrong, or what was here is gone.",
                actions: [.link("Go to the start page", to: "/")])
        case .methodNotAllowed:
            self.init(
                "This cannot be done here", "The address does not accept this kind of request.")
        case .misdirected(let host):
            self.init(
                "This site is not served here",
                "The address names a host that this server does not know"
                    + (host.map { ": \($0)" } ?? "") + ".")
            paragraphs.append(
                "If you run this server: public_urls lists the hosts and ports that it serves. A "
                    + "proxy in front has to pass Host on as the browser sent it.")
        case .plainHTTP(let publicURL):
            self.init(
                "A secure connection is needed", "This site is served over HTTPS only.",
                actions: [.button("Go to the secure address", to: publicURL + "/")])
        case .untrustedFront(let peer, let fields):
            self.init(
                "The proxy in front is not trusted",
                fields.isEmpty
                    ? "The request came without TLS from \(peer) in HTTP/1.0, which proxies speak and "
                        + "browsers do not."
                    : "The request came without TLS from \(peer) with fields that only a trusted proxy "
                        + "may set:",
                points: fields)
            paragraphs.append(
                "If you run this server and \(peer) is your proxy: name it in front.trusted of "
                    + "the listener"
                    + (fields.isEmpty
                        ? ", and let it pass on Host and set X-Forwarded-For and X-Forwarded-Proto."
                        : "."))
        case .frontWithoutScheme(let fields):
            self.init(
                "The proxy in front does not tell the scheme",
                "The request came without TLS from a trusted proxy, which does not say whether the "
                    + "browser came by https." + (fields.isEmpty ? "" : " It sent:"),
                points: fields)
            paragraphs.append(
                "If you run this server: let the proxy set X-Forwarded-Proto (with the profile "
                    + "forwarded, proto= of Forwarded) to the scheme that the browser used, or choose "
                    + "the front.profile that fits it.")
        case .crossSite:
            self.init(
                "Another site has sent this request",
                "It was refused, so that no other site can act in your name.",
                actions: [.link("Go to the start page", to: "/")])
        case .identityTooLarge:
            self.init(
                "Your account does not fit",
                "What your account says about you (groups, roles) is larger than this site can "
                    + "pass on. Please tell whoever runs it.")
        case .tooLarge:
            self.init("Too large", "What was sent is larger than this site accepts.")
        default: return nil
        }
    }

    private init(application page: Page) {
        switch page {
        case .tooManyExchanges:
            self.init(
                "Too much at once",
                "You have more open connections here than one sign-in may have. Close some tabs "
                    + "and try again.")
        case .badGateway:
            self.init(
                "The application cannot be reached",
                "It is not running, or it does not answer as it should. Please try again in a "
                    + "minute.")
        case .gatewayTimeout:
            self.init(
                "The application does not answer", "It took too long. Please try again in a minute."
            )
        case .unavailable(let seconds):
            self.init(
                "Please wait a moment",
                "This is not available right now. Try again in \(max(1, seconds)) seconds.")
        default:
            self.init(
                "Something went wrong",
                "The fault is on our side. Please tell whoever runs this site, with the "
                    + "reference below.")
        }
    }

    private static func words(_ failure: LoginFailure) -> ([String], [String]) {
        switch failure {
        case .malformed:
            (["The address that you came by is not one that a sign-in leads to."], [])
        case .cookies:
            (
                ["Your browser did not keep what the sign-in needs. Usually it is one of these:"],
                [
                    "Cookies are blocked for this site.",
                    "The sign-in was begun in another browser or in a private window.",
                    "The clock of this device is wrong.",
                ]
            )
        case .tooOld:
            (["The sign-in page was open for too long. Please start again."], [])
        case .refused(let code, let description):
            (
                ["The service that checks your password refused."],
                [description.map { "\($0) (\(code))" } ?? code]
            )
        case .badAnswer:
            (
                [
                    "The service that checks your password gave an answer that cannot be trusted. "
                        + "Please tell whoever runs this site, with the reference below."
                ], []
            )
        case .credentials:
            (
                [
                    "This site is not known to the service that checks your password. Whoever "
                        + "runs it must correct client_id or the client secret."
                ], []
            )
        case .username:
            (
                [
                    "Your user name holds characters that it must not hold here, such as / or %. "
                        + "Please tell whoever runs this site."
                ], []
            )
        case .busy:
            (
                [
                    "Too many people, or one of them too often, are signing in at this moment. "
                        + "Please wait a few seconds and try again."
                ], []
            )
        case .endedMeanwhile:
            (
                [
                    "You were signed out while you were signing in. Please start again and enter "
                        + "your password."
                ], []
            )
        }
    }
}
