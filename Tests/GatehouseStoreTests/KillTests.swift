import FoundationEssentials
import GatehouseBase
import GatehouseStore
import Glibc
import Synchronization
import Testing

/// Kill -9 at a random moment, again and again over the same file: every third round somewhere while
/// it is opened or first written, in the others while it is written, folded, flushed, after a number of
/// commits that a busy machine makes as well, only later.
struct KillTests {
    /// GATEHOUSE_KILL_ROUNDS=400 for a long run, GATEHOUSE_KILL_SEED to repeat one.
    static let rounds = number("GATEHOUSE_KILL_ROUNDS") ?? 40
    static let seed = number("GATEHOUSE_KILL_SEED") ?? .random(in: 1...1_000_000)

    private static func number(_ name: String) -> Int? {
        ProcessEnvironment.variables[name].flatMap { Int($0) }
    }

    @Test func `every acknowledged commit is there whole after a kill, and none by half`()
        async throws
    {
        let folder = try Folder()
        var acknowledged = [Int](repeating: 0, count: KilledWriter.count)
        for round in 0..<Self.rounds {
            let comment: Comment = "GATEHOUSE_KILL_SEED=\(Self.seed), round \(round)"
            let before = acknowledged.reduce(0, +)
            await #expect(processExitsWith: .signal(SIGKILL), comment) {
                [
                    file = folder.file as String, seed = Self.seed + round as Int,
                    least = KilledWriter.least(round) as Int
                ] in
                try await KilledWriter.run(file, seed: seed, after: least)
            }
            for (writer, number) in try KilledWriter.acknowledgements(folder.file) {
                acknowledged[writer] = max(acknowledged[writer], number)
            }
            // Every other round the next process finds the log as the killed one left it.
            let killed = round % 2 == 0 ? try folder.copyAsKilled() : folder
            let store = try RecordStore.open(killed.file, patience: .seconds(10))
            #expect(store.damage == nil, comment)
            for (writer, number) in acknowledged.enumerated() {
                let (found, complaint) = try KilledWriter.last(writer, in: store)
                #expect(complaint == nil, comment)
                // One commit may have been made and its acknowledgement not written.
                #expect(found == number || found == number + 1, comment)
                acknowledged[writer] = found
            }
            await store.close()
            let (made, least) = (acknowledged.reduce(0, +) - before, KilledWriter.least(round))
            #expect(made >= least, "\(comment): too few commits say nothing")
        }
    }
}

/// The process that is killed: it writes as fast as it can, and notes what was acknowledged in a
/// file, by one system call each.
enum KilledWriter {
    static let count = 10
    private static let latest = RecordStore.Table(1)
    private static let copies = RecordStore.Table(2)
    private static let history = RecordStore.Table(3)
    private static let kept = 5
    private static let made = Atomic(0)

    /// How many acknowledged commits a round waits for before it kills.
    static func least(_ round: Int) -> Int { round % 3 == 0 ? 0 : 5 + round % 7 * 10 }

    /// Never returns.
    static func run(_ file: String, seed: Int, after least: Int) async throws {
        var randomness = Randomness(seed: UInt64(seed))
        let delay = Duration.microseconds(Int.random(in: 0...60_000, using: &randomness))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while made.load(ordering: .relaxed) < least {
                    try? await Task.sleep(for: .milliseconds(1))
                }
                try? await Task.sleep(for: delay)
                kill(getpid(), SIGKILL)
            }
            do {
                let store = try RecordStore.open(file, patience: .seconds(10))
                let notes = unsafe open(
                    file + ".notes", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
                for writer in 0..<count {
                    var number = try last(writer, in: store).number
                    group.addTask {
                        while true {
                            number += 1
                            let isDurable = number % 50 == 0
                            guard
                                (try? await store.commit(
                                    changes(writer, number), survives: isDurable ? .disk : .process))
                                    != nil
                            else { exit(2) }
                            let note = [Int64(writer), Int64(number)]
                            guard unsafe write(notes, note, 16) == 16 else { exit(3) }
                            made.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
            } catch {
                print("the store did not open: \(error)")
                exit(4)
            }
        }
    }

    /// What the killed processes wrote down, and begins anew.
    static func acknowledgements(_ file: String) throws -> [(writer: Int, number: Int)] {
        let path = file + ".notes"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let notes = try bytes(of: path).chunked(8).map { number in
            number.reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        try FileManager.default.removeItem(atPath: path)
        return stride(from: 0, to: notes.count - 1, by: 2).map { (notes[$0], notes[$0 + 1]) }
    }

    /// The number of a writer's last commit as the store has it, and what of it is not whole.
    static func last(
        _ writer: Int, in store: RecordStore
    ) throws -> (number: Int, complaint: String?) {
        guard let record = try store.records(in: latest).first(where: { $0.key == [UInt8(writer)] })
        else { return (0, nil) }
        let number = record.value.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        var expected: [[UInt8]] = []
        for old in max(1, number - kept + 1)...number { expected.append(value(writer, old)) }
        let found = try store.records(in: history).filter { $0.key.first == UInt8(writer) }
        let copy = try store.records(in: copies).first { $0.key == [UInt8(writer)] }
        let isWhole =
            record.value == value(writer, number) && copy?.value == record.value
            && found.map(\.value) == expected
        return (number, isWhole ? nil : "commit \(number) of writer \(writer) is not whole")
    }

    private static func changes(_ writer: Int, _ number: Int) -> [RecordStore.Change] {
        let value = value(writer, number)
        return [
            .put(latest, key: [UInt8(writer)], value: value),
            .put(history, key: key(writer, number), value: value),
            .remove(history, key: key(writer, number - kept)),
            .put(copies, key: [UInt8(writer)], value: value),
        ]
    }

    private static func key(_ writer: Int, _ number: Int) -> [UInt8] {
        [UInt8(writer)] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    /// 4 to 6000 bytes, most of them few.
    private static func value(_ writer: Int, _ number: Int) -> [UInt8] {
        let length = (number &* 7919 &+ writer) % (number % 10 == 0 ? 6000 : 200)
        return (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
            + (0..<length).map { UInt8(truncatingIfNeeded: $0 &+ number &* 31 &+ writer) }
    }
}

/// The same numbers for the same seed (SplitMix64).
private struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension [UInt8] {
    fileprivate func chunked(_ length: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: count - length + 1, by: length).map { self[$0..<$0 + length] }
    }
}
