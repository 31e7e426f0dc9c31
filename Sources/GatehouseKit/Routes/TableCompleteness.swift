import GatehouseBase
import GatehouseNet

/// Knows when the Hub has told all its routes; on the control loop.
///
/// It has read the table and then been quiet for 2 s; or it has told its own route, as it does first
/// of all after it has started us again, and then been quiet for 10 s; or 330 s have passed, its
/// longest usual interval.
final class TableCompleteness {
    /// Without a write after a listing: what the Hub misses it has told by then.
    private static let quietAfterListing = Duration.seconds(2)
    /// Without a write after the Hub's own route: it tells the others ten at a time.
    private static let quietAfterHub = Duration.seconds(10)

    private let core: LoopCore
    private let longestSilence: Duration
    /// The Hub has read the table and then been quiet: what stands there is what it knows.
    var onConfirmed: () -> Void = {}
    /// All routes are there, as far as anybody knows; once.
    var onComplete: () -> Void = {}
    /// Whether the Hub has read the table, and may still change it.
    private(set) var isListed = false
    private var isComplete = false
    /// How long the Hub must be quiet now; nil while nothing is waited for.
    private var quiet: Duration?
    private let settled = LoopTimer()
    /// The end of what nobody has told us of, this long after the start.
    private let patience = LoopTimer()

    /// - Parameters:
    ///   - core: of the control loop.
    ///   - longestSilence: the Hub reads the whole table at least this often, and a little.
    init(core: LoopCore, longestSilence: Duration) {
        self.core = core
        self.longestSilence = longestSilence
        settled.onExpiry = { [weak self] in self?.settle() }
        patience.onExpiry = { [weak self] in self?.finish() }
    }

    /// Begins to wait for the Hub.
    func awaitHub() { core.set(patience, to: .now() + longestSilence) }

    /// The Hub has read the whole table.
    func noteListing() {
        isListed = true
        wait(TableCompleteness.quietAfterListing)
    }

    /// The Hub has told its own route, and goes on with those of its users.
    func noteHub() {
        guard !isComplete, quiet == nil else { return }
        wait(TableCompleteness.quietAfterHub)
    }

    /// The Hub has changed a route: it is not quiet.
    func noteChange() {
        if let quiet { wait(quiet) }
    }

    private func wait(_ duration: Duration) {
        quiet = duration
        core.set(settled, to: .now() + duration)
    }

    private func settle() {
        quiet = nil
        if isListed {
            isListed = false
            onConfirmed()
        }
        finish()
    }

    private func finish() {
        guard !isComplete else { return }
        isComplete = true
        core.cancel(patience)
        onComplete()
    }
}
