import CLinux
import GatehouseBase
import GatehouseNet
import Glibc
import Testing

/// Lines whose reader keeps up, stalls, comes back or goes.
struct LineQueueTests {
    /// A pipe of 64 KiB, as a parent reads its child's log.
    private final class Pipe: Sendable {
        let reader: Int32
        let writer: Int32

        init() throws {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [-1, -1]
            // Sound: the kernel writes two descriptors.
            try #require(unsafe pipe(&ends) == 0)
            (reader, writer) = (ends[0], ends[1])
        }

        /// What comes until there is enough of it, or nothing more for ten seconds.
        func read(until isEnough: ([UInt8]) -> Bool) -> [UInt8] {
            var all: [UInt8] = []
            while all.last != UInt8(ascii: "\n") || !isEnough(all),
                let more = next(within: .seconds(10))
            { all += more }
            return all
        }

        /// What stands in the pipe within this time; nil for nothing.
        func next(within patience: Duration) -> ArraySlice<UInt8>? {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            var one = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            // Sound: one structure, and the buffer's own bytes.
            guard unsafe poll(&one, 1, Int32(patience.milliseconds)) == 1 else { return nil }
            let count = unsafe Glibc.read(reader, &buffer, buffer.count)
            return count > 0 ? buffer[..<count] : nil
        }
    }

    private func line(_ number: Int) -> [UInt8] {
        Array("line \(number) \(String(repeating: "x", count: 80))\n".utf8)
    }

    private func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// How many lines these are, with those that they say were lost.
    private static func told(_ lines: [String]) -> Int {
        lines.reduce(0) { $0 + ($1.hasPrefix("lost ") ? Int($1.dropFirst(5)) ?? 0 : 1) }
    }

    @Test func `a line stands there when the write has returned, where the kernel can do that`()
        throws
    {
        let pipe = try Pipe()
        let probe = unsafe gh_write_at_once(pipe.writer, [0x0A], 1)
        guard probe == 1 else { return }
        let queue = LineQueue(pipe.writer)
        queue.write(line(1))
        let standing = try #require(pipe.next(within: .zero))
        #expect(lines(Array(standing)).first?.hasPrefix("line 1") == true)
    }

    @Test func `a reader that stalls holds nobody up, and all that fits comes in order`() throws {
        let pipe = try Pipe()
        let queue = LineQueue(pipe.writer)
        let began = Instant.now()
        // More than the pipe holds, less than may wait.
        for number in 0..<5000 { queue.write(line(number)) }
        #expect(Instant.now().since(began) < .seconds(5))
        let found = lines(pipe.read { lines($0).count >= 5000 })
        #expect(found.count == 5000)
        for (number, text) in found.enumerated() {
            #expect(text.hasPrefix("line \(number) "))
        }
        #expect(queue.lostCount == 0)
    }

    @Test func `what is too much is lost in whole lines, and lines in their places count them`()
        throws
    {
        let pipe = try Pipe()
        let queue = LineQueue(pipe.writer, limit: 4096)
        queue.tellLoss { Array("lost \($0)\n".utf8) }
        for number in 0..<5000 { queue.write(line(number)) }
        let lost = queue.lostCount
        #expect(lost > 0)
        let found = lines(pipe.read { LineQueueTests.told(lines($0)) >= 5000 })
        #expect(LineQueueTests.told(found) == 5000)
        // The thread takes what waits once more after it has been woken: there may be several losses.
        var number = 0
        for text in found {
            if text.hasPrefix("lost "), let count = Int(text.dropFirst(5)) {
                number += count
            } else {
                #expect(text.hasPrefix("line \(number) "))
                number += 1
            }
        }
        #expect(found.last?.hasPrefix("lost ") == true)
        queue.write(line(7777))
        let after = pipe.read { !$0.isEmpty }
        #expect(lines(after).map { $0.prefix(9) } == ["line 7777"])
        #expect(queue.lostCount == lost)
    }

    @Test func `an end waits for a reader, but not for one that stalls`() throws {
        let pipe = try Pipe()
        let queue = LineQueue(pipe.writer)
        for number in 0..<2000 { queue.write(line(number)) }
        let began = Instant.now()
        queue.finish(by: began + .milliseconds(50))
        #expect(Instant.now().since(began) >= .milliseconds(50))
        #expect(Instant.now().since(began) < .seconds(2))
        #expect(lines(pipe.read { lines($0).count >= 2000 }).count == 2000)
        let later = Instant.now()
        queue.finish(by: later + .seconds(10))
        #expect(Instant.now().since(later) < .seconds(5))
    }

    @Test func `without a reader lines are lost, and nobody is held up`() throws {
        let pipe = try Pipe()
        let queue = LineQueue(pipe.writer)
        for number in 0..<2000 { queue.write(line(number)) }
        close(pipe.reader)
        queue.finish(by: .now() + .seconds(10))
        for number in 0..<2000 { queue.write(line(number)) }
        let began = Instant.now()
        queue.finish(by: began + .seconds(10))
        #expect(Instant.now().since(began) < .seconds(5))
    }
}
