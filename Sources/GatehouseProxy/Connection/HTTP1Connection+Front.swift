import GatehouseBase
import GatehouseHTTP
import GatehouseNet

/// Requests that a trusted front hands over: each has an origin of its own.
extension HTTP1Connection {
    public var client: String? {
        guard case .origin(let address) = forwardedFields, !address.isEmpty else { return nil }
        return String(decoding: address, as: UTF8.self)
    }

    /// Reads what the front says of the request, and puts back the host that the browser asked for.
    func readOrigin() throws(ExchangeFailure) {
        guard isFronted, let reader = settings.front else { return }
        do throws(MessageError) {
            let origin = try reader.origin(of: request)
            if let host = origin.host { request.setHost(host) }
            if let address = origin.address {
                forwardedFields = .origin(Array(address.description.utf8))
            }
            if let isHTTPS = origin.isHTTPS { isTLS = isHTTPS }
            front = origin.isHTTPS == nil ? .withoutScheme : .withScheme
        } catch {
            throw ExchangeFailure(.malformed(error))
        }
    }

    /// What counts until the front has spoken: the peer.
    func forgetOrigin() {
        isTLS = stream.isTLS
        front = .withoutScheme
        forwardedFields = .origin(Array((peer.ip ?? "").utf8))
    }
}
