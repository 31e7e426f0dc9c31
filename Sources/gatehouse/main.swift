import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import Glibc

final class Plain: Responder {
    let pool: UpstreamPool
    let target: UpstreamTarget
    init(pool: UpstreamPool, target: UpstreamTarget) { self.pool = pool; self.target = target }
    func respond(to exchange: any Exchange, on loop: isolated EventLoop) async {
        do throws(ExchangeFailure) {
            try await exchange.forward(Forwarding(target: target, edits: FieldEdits(), review: ResponseReview(), pool: pool, requestID: "0123456789abcdef"), on: loop)
        } catch {
            await exchange.send(Response(error.status == 499 ? 502 : error.status, contentType: "text/plain", "\(error.word) \(error.detail)\n"))
        }
    }
    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure, on loop: isolated EventLoop) async {
        await exchange.send(Response(failure.status, contentType: "text/plain", "\(failure.word)\n"))
    }
}

let arguments = CommandLine.arguments
let port = UInt16(arguments[1]) ?? 0
let upstream = UInt16(arguments[2]) ?? 0
let tlsDirectory = arguments.count > 3 ? arguments[3] : nil
signal(SIGPIPE, SIG_IGN)
let loop = EventLoop(name: "loop-0")
await loop.run { loop in
    guard let address = Address(ip: "127.0.0.1", port: port) else { return }
    do {
        let (files, bound) = try Binding.tcp(address, count: 1)
        print("listening on \(bound.description)")
        let limits = Limits()
        let resolver = Resolver(limits)
        let target = UpstreamTarget(host: "127.0.0.1", port: upstream, tls: nil, connectTimeout: .seconds(5))
        let tls = try tlsDirectory.map { try ServerTLS([.init(certificateFile: $0 + "/c.crt", keyFile: $0 + "/c.key")], minimum: .v12, maximum: .v13) }
        let responder = Plain(pool: UpstreamPool(core: loop.core, resolver: resolver, limits: limits), target: target)
        let acceptor = ConnectionAcceptor(Listener(Descriptor(files[0]), core: loop.core), responder: responder, options: .init(tls: tls, publicPort: port, limits: limits, maximumConnections: 10000))
        await acceptor.run(on: loop)
    } catch { print("error: \(error)") }
}
