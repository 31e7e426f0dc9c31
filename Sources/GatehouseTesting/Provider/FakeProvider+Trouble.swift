import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import Synchronization

/// Endpoints that do not answer as they should.
extension FakeProvider {
    func show(
        _ trouble: Mischief.Trouble, at endpoint: Mischief.Endpoint, to exchange: any Exchange
    ) async {
        switch trouble {
        case .redirect(let location):
            var response = Response(302)
            response.head.fields.append(.location, location)
            await exchange.send(response)
        case .html:
            await exchange.send(
                Response(200, contentType: "text/html", "<!doctype html><p>Not today.</p>"))
        case .huge(let count):
            let filler = String(repeating: "x", count: max(0, count - 9))
            await exchange.send(
                Response(200, contentType: "application/json", "{\"x\": \"\(filler)\"}"))
        case .endless:
            await trickle(
                [UInt8](repeating: 0x20, count: 64 * 1024), .endless, endpoint, exchange)
        case .drip:
            await trickle([0x20], .drip, endpoint, exchange)
        case .compressed:
            // The head of a gzip member (RFC 1952 §2.3), and nothing that could be inflated.
            var response = Response(200, body: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xFF])
            response.head.fields.append(.contentType, "application/json")
            response.head.fields.append(.contentEncoding, "gzip")
            await exchange.send(response)
        case .hang:
            while isSet(.hang, endpoint) {
                await EventLoop.sleep(.milliseconds(20), on: exchange.core)
            }
        case .status(let status):
            await exchange.send(
                Response(status, contentType: "application/json", "{\"error\": \"trouble\"}"))
        case .garbage:
            await exchange.send(Response(200, contentType: "application/json", "{\"x\": "))
        case .closed, .late: return
        }
    }

    /// Sends the beginning of an object and then `piece` again and again, until nobody reads it.
    private func trickle(
        _ piece: [UInt8], _ trouble: Mischief.Trouble, _ endpoint: Mischief.Endpoint,
        _ exchange: any Exchange
    ) async {
        var head = ResponseHead(200)
        head.fields.append(.contentType, "application/json")
        do throws(ExchangeFailure) {
            try await exchange.begin(head)
            try await exchange.write([UInt8(ascii: "{")])
            while isSet(trouble, endpoint) {
                try await exchange.write(piece)
                if piece.count == 1 { await EventLoop.sleep(.milliseconds(20), on: exchange.core) }
            }
        } catch { return }
    }

    private func isSet(_ trouble: Mischief.Trouble, _ endpoint: Mischief.Endpoint) -> Bool {
        state.withLock { $0.mischief.trouble[endpoint] == trouble }
    }
}
