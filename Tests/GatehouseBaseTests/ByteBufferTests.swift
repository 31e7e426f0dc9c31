import GatehouseBase
import Testing

@Suite struct ByteBufferTests {
    @Test func `a new buffer holds nothing and has no memory`() {
        let buffer = ByteBuffer()
        let (count, isEmpty, capacity) = (buffer.count, buffer.isEmpty, buffer.capacity)
        #expect(count == 0 && isEmpty && capacity == 0)
    }

    @Test func `bytes come out in the order in which they went in`() {
        var buffer = ByteBuffer()
        buffer.append(0x61)
        buffer.append([0x62, 0x63])
        buffer.append([0x64].span)
        buffer.append("ef")
        buffer.append("gü")
        buffer.append("")
        buffer.append([])
        var other = ByteBuffer()
        other.append("-")
        buffer.append(contentsOf: other)
        #expect(buffer.readable.repairedText == "abcdefgü-")
        buffer.consume(3)
        #expect(buffer.withReadable { $0.repairedText } == "defgü-")
    }

    @Test(arguments: [("A", "b"), ("Name", ""), ("", "")])
    func `a line has its colon, blank and end`(name: String, value: String) {
        var buffer = ByteBuffer()
        for _ in 0..<200 { buffer.appendLine(Array(name.utf8).span, Array(value.utf8).span) }
        let line = "\(name): \(value)\r\n"
        #expect(buffer.readable.repairedText == String(repeating: line, count: 200))
    }

    @Test(arguments: [0, 1, 9, 10, 15, 16, 255, 256, 4096, 65535, Int.max])
    func `numbers are written in both bases`(number: Int) {
        var buffer = ByteBuffer()
        buffer.append(decimal: number)
        buffer.append(0x20)
        buffer.append(hexadecimal: number)
        #expect(buffer.readable.repairedText == "\(number) \(String(number, radix: 16))")
    }

    @Test func `what is consumed makes room again`() {
        var buffer = ByteBuffer(adopting: [UInt8](repeating: 0, count: 16))
        buffer.append([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        buffer.consume(10)
        buffer.append([13, 14, 15, 16, 17, 18, 19, 20])
        let capacity = buffer.capacity
        #expect(capacity == 16)
        #expect(buffer.readable.array == [11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
        buffer.consume(10)
        let writable = buffer.writableCount
        #expect(writable == 16)
    }

    @Test func `a buffer grows and keeps what it holds`() {
        var buffer = ByteBuffer()
        var expected: [UInt8] = []
        for round in 0..<2000 {
            let piece = (0..<round % 97).map { UInt8(truncatingIfNeeded: $0 &+ round) }
            buffer.append(piece)
            expected += piece
            if round % 5 == 0 {
                let taken = min(expected.count, round % 61)
                buffer.consume(taken)
                expected.removeFirst(taken)
            }
        }
        #expect(buffer.readable.array == expected)
    }

    @Test func `memory is lent and given back`() {
        var buffer = ByteBuffer(adopting: [UInt8](repeating: 7, count: 64))
        let count = buffer.count
        #expect(count == 0)
        buffer.append(1)
        let memory = buffer.takeStorage()
        #expect(memory.count == 64)
        let (left, capacity) = (buffer.count, buffer.capacity)
        #expect(left == 0 && capacity == 0)
        buffer.append(2)
        buffer.removeAll()
        let (rest, kept) = (buffer.count, buffer.capacity)
        #expect(rest == 0 && kept >= 1)
    }

    @Test func `a writer fills the free room and says how much`() {
        var buffer = ByteBuffer()
        buffer.append(0x61)
        buffer.reserve(10)
        // Sound: the room is at least ten bytes, as reserved.
        let written = unsafe buffer.write { room -> Int in
            guard room.count >= 10 else { return -2 }
            unsafe room[0] = 0x62
            unsafe room[1] = 0x63
            return 2
        }
        #expect(written == 2 && buffer.readable.array == [0x61, 0x62, 0x63])
        let failed = unsafe buffer.write { _ in -1 }
        #expect(failed == -1 && buffer.readable.array == [0x61, 0x62, 0x63])
    }

    @Test func `bytes can be moved out`() {
        var buffer = ByteBuffer()
        buffer.append([1, 2, 3])
        var target = [UInt8](repeating: 0, count: 4)
        // Sound: two bytes at a time, four in all.
        let first = unsafe target.withUnsafeMutableBytes { bytes in
            unsafe bytes.baseAddress.map { unsafe buffer.move(to: $0, count: 2) }
        }
        let second = unsafe target.withUnsafeMutableBytes { bytes in
            unsafe bytes.baseAddress.map { unsafe buffer.move(to: $0 + 2, count: 2) }
        }
        #expect(first == 2 && second == 1 && target == [1, 2, 3, 0])
    }
}
