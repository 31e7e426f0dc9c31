import GatehouseGate

extension PageContent {
    /// Why a login came to nothing: paragraphs, and points of the first.
    static func words(_ failure: LoginFailure) -> ([String], [String]) {
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
                    "Your user name is too long, or it holds what it must not hold here, such as / or "
                        + "%. Please tell whoever runs this site. To enter as somebody else, sign out "
                        + "first."
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
