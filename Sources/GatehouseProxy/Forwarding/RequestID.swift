/// Names an exchange in logs, on pages and upstream: 16 hexadecimal digits.
public struct RequestID: Sendable, Equatable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    public var description: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
