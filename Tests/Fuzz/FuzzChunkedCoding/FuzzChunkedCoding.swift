import Fuzzing
import GatehouseBase
import GatehouseHTTP

/// A chunked body comes out the same whether it arrives at once or byte by byte.
@main
enum FuzzChunkedCoding {
    static func main() { fuzz { check($0) } }

    private struct Result: Equatable {
        var body: [UInt8] = []
        var isEnd = false
        var isRefused = false
        var used = 0
        var trailers = 0
    }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        let whole = decode(bytes, step: max(1, bytes.count))
        let single = decode(bytes, step: 1)
        precondition(whole.isRefused == single.isRefused)
        precondition(whole.isEnd == single.isEnd)
        precondition(whole.body == single.body)
        guard whole.isEnd else { return }
        precondition(whole == single)
        var buffer = ByteBuffer()
        if !whole.body.isEmpty { buffer.appendChunk(whole.body.span) }
        buffer.appendLastChunk()
        let again = decode(buffer.readable, step: max(1, buffer.count))
        precondition(again.isEnd && again.body == whole.body && again.used == buffer.count)
    }

    private static func decode(_ bytes: borrowing Span<UInt8>, step: Int) -> Result {
        var decoder = ChunkedDecoder(Limits())
        var result = Result()
        var end = 0
        while end < bytes.count, !result.isEnd {
            end = min(bytes.count, end + step)
            while !result.isEnd {
                let window = bytes.extracting(result.used..<end)
                guard let taken = try? decoder.decode(window) else {
                    result.isRefused = true
                    return result
                }
                let payload = result.used + taken.skipped
                result.body += bytes.extracting(payload..<payload + taken.payload).array
                result.used = payload + taken.payload
                result.isEnd = taken.isEnd
                precondition(result.used <= end)
                if taken.skipped + taken.payload == 0 { break }
            }
        }
        result.trailers = result.isEnd ? decoder.trailers.count : 0
        return result
    }
}
