import GatehouseOIDC

/// Why the provider could not be asked; nothing is said about the user.
enum ProviderTrouble: Error, Sendable, Equatable {
    case channel(BackChannelError)
    /// It answers, but not as a provider does.
    case answer(OIDCError)
    /// A status that is none for this.
    case status(Int)
    /// It was asked a moment ago, in vain, and is not asked again yet.
    case recent

    /// For a log line.
    var text: String {
        switch self {
        case .channel(let error): error.description
        case .answer(let error): error.description
        case .status(let status): "it answers \(status)"
        case .recent: "it could not be reached a moment ago"
        }
    }
}
