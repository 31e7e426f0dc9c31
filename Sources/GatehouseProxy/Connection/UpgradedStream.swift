import GatehouseBase
public import GatehouseNet

/// A connection after a 101, for whoever answers upgrades himself: raw bytes both ways.
///
/// The connection keeps its owner: it is closed when the exchange has been answered.
public final class UpgradedStream {
    private let stream: ByteStream
    private var early: [UInt8]

    init(_ stream: ByteStream, early: [UInt8]) {
        self.stream = stream
        self.early = early
    }

    /// What came, as soon as there is something; nil when the client has ended its side.
    public func read() async throws(StreamError) -> [UInt8]? {
        if !early.isEmpty {
            defer { early = [] }
            return early
        }
        let core = stream.socket.core
        var buffer = ByteBuffer(adopting: core.takeBuffer())
        defer { core.giveBack(buffer.takeStorage()) }
        while true {
            switch try stream.tryRead(&buffer) {
            case .bytes: return buffer.withReadable { $0.array }
            case .end: return nil
            case .wouldBlock: try await stream.waitReadable()
            }
        }
    }

    /// Writes all of `bytes`.
    public func write(_ bytes: [UInt8]) async throws(StreamError) {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        while try !stream.tryWrite(&buffer) { try await stream.waitWritable() }
    }
}
