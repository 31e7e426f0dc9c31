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

    enum Source: Sendable {
        /// By status; nil for any other.
        case files([Int?: [UInt8]])
        case server(UpstreamTarget, path: [UInt8])
    }

    let source: Source

    /// Reads a directory's `404.html`, `503.html` and so on, and `error.html`.
    init(directory: String) {
        var files: [Int?: [UInt8]] = [:]
        for status in [404, 500, 502, 503, 504] {
            files[status] = try? SecretFile.read("\(directory)/\(status).html")
        }
        files[nil] = try? SecretFile.read("\(directory)/error.html")
        source = .files(files)
    }

    init(server: UpstreamTarget, path: [UInt8]) { source = .server(server, path: path) }

    /// The page for a request that came to nothing, with the status that it came to.
    /// - Throws: where the server of the pages fails.
    func page(
        _ status: Int, for request: RequestHead, pool: UpstreamPool, limits: Limits
    ) async throws(ExchangeFailure) -> Response? {
        switch source {
        case .files(let files):
            guard let body = files[status] ?? files[nil] else {
                return Response(
                    status, body: Array(Status.phrase(status).description.utf8))
            }
            var response = Response(status, body: body)
            response.head.fields.append(.contentType, "text/html")
            return response
        case .server(let target, let path):
            let url = FormFields.encode(request.target().repairedText)
            let head = RequestHead(
                "GET", target: "\(String(decoding: path, as: UTF8.self))/\(status)?url=\(url)",
                authority: target.authority)
            let answer = try await UpstreamClient.send(
                head, body: nil, to: target, over: pool, limits: limits,
                deadline: .now() + ErrorPages.patience, maximumBody: ErrorPages.maximumSize)
            var response = Response(status, body: answer.body)
            for name in [FieldName.contentType, .contentEncoding] {
                guard let value = answer.head.fields.text(name) else { continue }
                response.head.fields.append(name, value)
            }
            return response
        }
    }
}
