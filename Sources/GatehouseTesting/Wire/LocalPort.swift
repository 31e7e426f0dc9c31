public import GatehouseNet
import Synchronization

/// A port of 127.0.0.1 that is ours already, and on which nobody answers yet: for who must know
/// the number before there is something to serve.
public struct LocalPort: Sendable {
    public let number: UInt16
    let file: Int32

    /// Takes a port; 0 for one that is free. It must be served, or it stays taken.
    public init(_ number: UInt16 = 0) throws(ListenError) {
        guard let address = Address(ip: "127.0.0.1", port: number) else {
            preconditionFailure("a numeric address")
        }
        let (files, bound) = try Binding.tcp(address, count: 1)
        file = files[0]
        self.number = bound.port
    }

    /// A UNIX socket in place of a port; its number is 0. The file stays until the test removes it.
    public init(socketPath: String) throws(ListenError) {
        file = try Binding.unix(socketPath, count: 1).files[0]
        number = 0
    }

    /// A number for who binds it himself later. It lies below those that the kernel gives to
    /// outgoing connections (from 32768 on): one of these would take a number away between here
    /// and the bind.
    public static func unused() -> UInt16 {
        while true {
            let turn = turns.wrappingAdd(1, ordering: .relaxed).newValue
            let number = UInt16(range.lowerBound + turn % range.count)
            if !isTaken(number) { return number }
        }
    }

    private static let range = 20_000..<32_000
    /// Another start in every process, so that two of them do not meet.
    private static let turns = Atomic(Int.random(in: 0..<12_000))

    /// Whether somebody listens on this port already, or nobody may.
    public static func isTaken(_ number: UInt16) -> Bool {
        do throws(ListenError) {
            _ = Descriptor(try LocalPort(number).file)
            return false
        } catch { return true }
    }
}
