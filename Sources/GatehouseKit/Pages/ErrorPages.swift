import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// Pages of the operator's in place of ours: from a directory, or from a server that is asked for
/// each (JupyterHub's `/hub/error`).
struct ErrorPages: Sendable {
    /// Bytes of a page at most, and the time that its server has.
    private static let maximumSize = 1024 * 1024
    private static let patience = Duration.seconds(5)

    private enum Source: Sendable {
        case directory(String)
        case server(UpstreamTarget, path: [UInt8])
    }

    private let source: Source

    /// From a directory with `404.html`, `503.html` and so on, and `error.html` for the rest. They
    /// are read when they are shown: whoever edits one sees it at once.
    init(directory: String) { source = .directory(directory) }

    init(server: UpstreamTarget, path: [UInt8]) { source = .server(server, path: path) }

    /// Where a page comes from, for the log.
    func name(of status: Int) -> String {
        switch source {
        case .directory(let directory): "\(directory)/\(status).html"
        case .server(let target, let path):
            "\(target.description)\(String(decoding: path, as: UTF8.self))/\(status)"
        }
    }

    /// The page for a request that came to nothing, with the status that it came to.
    ///
    /// - Parameters:
    ///   - requested: its target, which the server of the pages is told: without what only we may
    ///     see.
    ///   - abandonment: of whoever waits.
    /// - Throws: where the server of the pages fails.
    func page(
        _ status: Int, for requested: [UInt8], pool: UpstreamPool, limits: Limits,
        abandonment: Abandonment
    ) async throws(ExchangeFailure) -> Response? {
        switch source {
        case .directory(let directory):
            let files = ["\(directory)/\(status).html", "\(directory)/error.html"]
            guard let body = files.lazy.compactMap({ try? SecretFile.read($0) }).first else {
                return Response(status, body: Array(Status.phrase(status).description.utf8))
            }
            var response = Response(status, body: body)
            response.head.fields.append(.contentType, "text/html")
            return response
        case .server(let target, let path):
            let url = FormFields.encode(String(decoding: requested, as: UTF8.self))
            let head = RequestHead(
                "GET", target: "\(String(decoding: path, as: UTF8.self))/\(status)?url=\(url)",
                authority: target.authority)
            let answer = try await UpstreamClient.send(
                head, body: nil, to: target, over: pool, limits: limits,
                deadline: .now() + ErrorPages.patience, maximumBody: ErrorPages.maximumSize,
                abandonment: abandonment)
            var response = Response(status, body: answer.body)
            for name in [FieldName.contentType, .contentEncoding] {
                guard let value = answer.head.fields.text(name) else { continue }
                response.head.fields.append(name, value)
            }
            return response
        }
    }
}
