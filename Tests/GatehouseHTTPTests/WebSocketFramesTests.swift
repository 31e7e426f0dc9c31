import GatehouseBase
import Testing

@testable import GatehouseHTTP

/// A frame as RFC 6455 §5.2 has it, with the shortest length form.
private func frame(
    _ first: UInt8, _ count: Int, masked: Bool = false, form: Int? = nil
) -> [UInt8] {
    let form = form ?? (count < 126 ? 0 : count < 65536 ? 2 : 8)
    var bytes = [first]
    let mask: UInt8 = masked ? 0x80 : 0
    bytes.append(mask | (form == 0 ? UInt8(count) : form == 2 ? 126 : 127))
    for shift in (0..<form).reversed() { bytes.append(UInt8(count >> (8 * shift) & 0xFF)) }
    if masked { bytes += [1, 2, 3, 4] }
    // Payload that would be a wrong header, should it be read as one.
    return bytes + [UInt8](repeating: 0x7F, count: count)
}

private func follow(
    _ sender: WebSocketFrameTracker.Sender, _ pieces: [UInt8]...
) -> WebSocketFrameTracker {
    var tracker = WebSocketFrameTracker(sender)
    for piece in pieces { tracker.follow(piece.span) }
    return tracker
}

@Suite struct WebSocketFrameTrackerTests {
    @Test func `nothing yet is a boundary`() {
        #expect(follow(.client).isAtBoundary)
        #expect(follow(.client, []).isAtBoundary)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 200_000])
    func `a frame of any length ends where it ends`(count: Int) {
        let bytes = frame(0x82, count)
        var tracker = WebSocketFrameTracker(.server)
        tracker.follow(Array(bytes.dropLast()).span)
        #expect(!tracker.isAtBoundary && !tracker.isLost)
        tracker.follow([bytes[bytes.count - 1]].span)
        #expect(tracker.isAtBoundary && tracker.dataFrames == 1)
        let masked = follow(.client, frame(0x82, count, masked: true))
        #expect(masked.isAtBoundary && masked.dataFrames == 1)
    }

    @Test func `a stream says the same wherever it is split`() {
        let stream =
            frame(0x81, 5, masked: true) + frame(0x02, 130, masked: true)
            + frame(0x89, 4, masked: true) + frame(0x80, 0, masked: true)
            + frame(0xC2, 70_000, masked: true) + frame(0x88, 2, masked: true)
        for cut in [0, 1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 15, 16, 150, 160, 170, 180, 70_000]
        where cut <= stream.count {
            let tracker = follow(.client, Array(stream[..<cut]), Array(stream[cut...]))
            #expect(tracker.isAtBoundary && tracker.sawClose && !tracker.isLost)
            #expect(tracker.dataFrames == 4)
        }
        var tracker = WebSocketFrameTracker(.client)
        for byte in stream { tracker.follow([byte].span) }
        #expect(tracker.isAtBoundary && tracker.sawClose && tracker.dataFrames == 4)
    }

    @Test func `control frames between fragments are no data frames`() {
        let tracker = follow(
            .server, frame(0x01, 3), frame(0x89, 0), frame(0x8A, 125), frame(0x00, 3),
            frame(0x80, 0))
        #expect(tracker.dataFrames == 3 && tracker.isAtBoundary && !tracker.sawClose)
    }

    @Test(
        arguments: [
            [0x83, 0], [0x87, 0], [0x8B, 0], [0x8F, 0],  // reserved opcodes
            [0x08, 0], [0x09, 0], [0x0A, 0],  // fragmented control frames
            [0x88, 126], [0x89, 127],  // long control frames
            [0x82, 0x80], [0x81, 0x85],  // masked by a server
            [0x82, 127, 0x80],  // a length of 2⁶³ and more
        ] as [[UInt8]])
    func `a header that cannot be right loses the tracker for ever`(header: [UInt8]) {
        var tracker = follow(.server, frame(0x82, 3), header)
        #expect(tracker.isLost && !tracker.isAtBoundary && tracker.dataFrames == 1)
        tracker.follow(frame(0x88, 0).span)
        #expect(tracker.isLost && !tracker.isAtBoundary && !tracker.sawClose)
    }

    @Test func `a client that does not mask is lost`() {
        #expect(follow(.client, frame(0x81, 3)).isLost)
        #expect(follow(.client, frame(0x88, 0)).isLost)
    }

    @Test func `the longest length is followed`() {
        let header: [UInt8] = [0x82, 0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
        let tracker = follow(.client, header, [UInt8](repeating: 0, count: 1000))
        #expect(!tracker.isLost && !tracker.isAtBoundary && tracker.dataFrames == 1)
    }

    @Test func `a Close counts as soon as its header is there`() {
        let tracker = follow(.server, [0x88, 0x02])
        #expect(tracker.sawClose && !tracker.isAtBoundary)
    }
}

@Suite struct WebSocketCloseTests {
    @Test func `a frame of a server`() {
        let bytes = WebSocketClose.frame(code: WebSocketClose.policyViolation, reason: "bye")
        #expect(bytes == [0x88, 5, 0x03, 0xF0] + Array("bye".utf8))
        let tracker = follow(.server, bytes)
        #expect(tracker.isAtBoundary && tracker.sawClose)
    }

    @Test func `a frame of a client is masked with the key`() {
        let bytes = WebSocketClose.frame(
            code: WebSocketClose.goingAway, maskingKey: 0x0102_0304)
        #expect(bytes == [0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xE9 ^ 2])
        let tracker = follow(.client, bytes)
        #expect(tracker.isAtBoundary && tracker.sawClose)
    }
}
