import GatehouseNet

/// Reloads one after the other, beside whatever else a signal asks for. However many are asked for
/// while one runs, one follows.
final class Reloads {
    private let core: LoopCore
    private let reload: @Sendable () async -> Void
    private var isDue = false
    private var isRunning = false

    init(core: LoopCore, reload: @escaping @Sendable () async -> Void) {
        self.core = core
        self.reload = reload
    }

    /// Begins one, or lets one follow.
    func ask() {
        isDue = true
        guard !isRunning else { return }
        isRunning = true
        core.fork {
            while self.isDue {
                self.isDue = false
                await self.reload()
            }
            self.isRunning = false
        }
    }
}
