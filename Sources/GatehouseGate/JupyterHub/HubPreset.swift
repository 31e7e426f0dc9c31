import GatehouseBase
import GatehouseHTTP

/// What is known of JupyterHub: where it lives, whose cookies are whose, which requests nobody
/// makes by hand. With the files beside this one the only place that knows it.
public final class HubPreset: Sendable {
    /// The Hub's base URL as it reads when decoded; begins and ends with `/`.
    let base: [UInt8]

    /// - Parameter baseURL: decoded; begins and ends with `/`.
    public init(baseURL: String) {
        precondition(baseURL.hasPrefix("/") && baseURL.hasSuffix("/"))
        base = Array(baseURL.utf8)
    }

    /// Whether a route with this prefix is the Hub's own.
    public func isHub(prefix: ArraySlice<UInt8>) -> Bool {
        HubPlace.isHub(prefix: prefix, base: base)
    }

    /// What a path is to JupyterHub.
    enum Address: Equatable {
        /// `hub/logout`.
        case logout
        /// What JupyterLab asks for again and again by itself.
        case poller
        /// As ``poller``, whatever the method: JupyterLab saves its layout there.
        case workspace
        /// A kernel's or a terminal's WebSocket: what comes there from the client, a person typed.
        case channel
        case other
    }

    /// What a path is to JupyterHub; one that can be read in several ways is read as the Hub does.
    func address(of path: borrowing Span<UInt8>, _ reading: PathReading) -> Address {
        guard reading == .special else { return address(of: path) }
        return address(of: PathReading.readings(of: path)[1].joinedPath().span)
    }

    private func address(of path: borrowing Span<UInt8>) -> Address {
        let base = base
        guard path.count > base.count, path.extracting(0..<base.count).equals(base.span) else {
            return .other
        }
        var rest = PathRest(copy path, from: base.count)
        if rest.takes("hub") {
            return rest.takes("logout") && rest.isEmpty ? .logout : .other
        }
        guard rest.takes("user"), rest.takesAny() else { return .other }
        // Behind the user's name, or behind that of a named server.
        let found = HubPreset.address(ofServer: rest)
        if found != .other { return found }
        guard rest.takesAny() else { return .other }
        return HubPreset.address(ofServer: rest)
    }

    private static func address(ofServer path: PathRest) -> Address {
        var rest = path
        if rest.takes("api") {
            if rest.takes("kernels") {
                guard rest.takesAny(), rest.takes("channels") else { return .poller }
                return rest.isEmpty ? .channel : .other
            }
            let isPoller =
                rest.takes("sessions") || rest.takes("terminals") || rest.takes("contents")
                || rest.takes("metrics") || rest.takes("status") || rest.takes("kernelspecs")
                || rest.takes("me") || rest.takes("nbconvert")
            return isPoller ? .poller : .other
        }
        if rest.takes("terminals") {
            return rest.takes("websocket") && rest.takesAny() && rest.isEmpty ? .channel : .other
        }
        if rest.takes("lab") {
            return rest.takes("api") && rest.takes("workspaces") ? .workspace : .other
        }
        return rest.takes("metrics") ? .poller : .other
    }

    /// Whether a request is something that a person does.
    func isActivity(_ request: borrowing RequestHead, _ address: Address) -> Bool {
        // A page that has lost its connection opens it again by itself.
        if FetchMetadata.isUpgrade(request) { return false }
        return switch address {
        case .poller: !request.method.isSafe
        case .workspace: false
        case .logout, .channel, .other: true
        }
    }
}

/// The rest of a path, taken segment by segment.
private struct PathRest: ~Escapable {
    private let path: Span<UInt8>
    private var index: Int

    @_lifetime(copy path)
    init(_ path: Span<UInt8>, from index: Int) {
        self.path = path
        self.index = index
    }

    /// Whether nothing is left but a slash at the end.
    var isEmpty: Bool { index >= path.count }

    /// Takes the next segment if it is this one.
    @_lifetime(self: copy self)
    mutating func takes(_ name: StaticString) -> Bool {
        let end = path.offset(of: 0x2F, from: index)
        guard path.extracting(index..<end).equals(name) else { return false }
        index = min(end + 1, path.count)
        return true
    }

    /// Takes the next segment, if there is one.
    @_lifetime(self: copy self)
    mutating func takesAny() -> Bool {
        guard index < path.count else { return false }
        index = min(path.offset(of: 0x2F, from: index) + 1, path.count)
        return true
    }
}
