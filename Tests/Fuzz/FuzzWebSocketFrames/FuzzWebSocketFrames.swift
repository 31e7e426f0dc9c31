import Fuzzing
import GatehouseHTTP

/// Frames are followed the same way whether their bytes arrive at once or one by one.
@main
enum FuzzWebSocketFrames {
    static func main() { fuzz { check($0) } }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        for sender in [WebSocketFrameTracker.Sender.client, .server] {
            var whole = WebSocketFrameTracker(sender)
            whole.follow(bytes)
            var single = WebSocketFrameTracker(sender)
            for index in bytes.indices { single.follow(bytes.extracting(index..<index + 1)) }
            precondition(whole.isLost == single.isLost)
            precondition(whole.isAtBoundary == single.isAtBoundary)
            precondition(whole.dataFrames == single.dataFrames)
            precondition(whole.sawClose == single.sawClose)
        }
    }
}
