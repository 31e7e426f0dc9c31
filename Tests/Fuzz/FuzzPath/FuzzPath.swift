import Fuzzing
import GatehouseBase

/// A path is judged without a trap; one that is plain reads alike in all ways, and no reading of
/// a path that is served has a segment of dots.
@main
enum FuzzPath {
    static func main() { fuzz { check($0) } }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        switch PathReading.check(bytes) {
        case .invalid: return
        case .plain:
            let segments = PathReading.plainSegments(of: bytes)
            precondition(!segments.contains { $0.elementsEqual(".".utf8) })
            precondition(!segments.contains { $0.elementsEqual("..".utf8) })
        case .special:
            let readings = PathReading.readings(of: bytes)
            precondition(readings.count == 4)
            for segments in readings.dropFirst() {
                precondition(!segments.contains { $0.elementsEqual("..".utf8) })
            }
        }
    }
}
