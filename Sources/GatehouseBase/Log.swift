import Synchronization

/// An event worth a line: label, level, message and fields. Where it goes is handed in.
///
/// Nothing below Kit logs above `debug`; Kit and Gate's audit events use the levels above.
public struct Log: Sendable {
    /// How much a reader should care, from little to much.
    public enum Level: Int, Sendable, Comparable, CaseIterable {
        case debug, info, notice, warning, error

        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        /// The word in the configuration and in the log.
        public var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .notice: "notice"
            case .warning: "warning"
            case .error: "error"
            }
        }

        /// Reads the word of ``name``.
        public init?(name: String) {
            guard let level = Level.allCases.first(where: { $0.name == name }) else { return nil }
            self = level
        }
    }

    /// A line before it is written.
    public struct Event: Sendable {
        public let level: Level
        public let label: String
        public let message: String
        public let fields: [(name: String, value: String)]
    }

    /// A level that all labels of a log share.
    private final class Threshold: Sendable {
        let number: Atomic<Int>
        init(_ level: Level) { number = Atomic(level.rawValue) }
    }

    public let label: String
    private let threshold: Threshold
    private let sink: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - label: `gatehouse.<module>`.
    ///   - level: events below it are not made.
    ///   - write: called on the thread of the event; must not block for long.
    public init(label: String, level: Level, write: @escaping @Sendable (Event) -> Void) {
        self.init(label, Threshold(level), write)
    }

    private init(
        _ label: String, _ threshold: Threshold, _ sink: @escaping @Sendable (Event) -> Void
    ) {
        self.label = label
        self.threshold = threshold
        self.sink = sink
    }

    /// Goes nowhere.
    public static let none = Log(label: "", level: .error) { _ in }

    /// The same log under another label.
    public func labelled(_ label: String) -> Log { Log(label, threshold, sink) }

    /// Events below it are not made.
    public var level: Level {
        Level(rawValue: threshold.number.load(ordering: .relaxed)) ?? .debug
    }

    /// Changes the level of this log under all its labels.
    public func setLevel(_ level: Level) {
        threshold.number.store(level.rawValue, ordering: .relaxed)
    }

    public func debug(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
        emit(.debug, message, fields)
    }
    public func info(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
        emit(.info, message, fields)
    }
    public func notice(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
        emit(.notice, message, fields)
    }
    public func warning(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
        emit(.warning, message, fields)
    }
    public func error(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
        emit(.error, message, fields)
    }

    /// Writes at a level that is known at run time only.
    public func write(_ level: Level, _ message: @autoclosure () -> String) {
        emit(level, message, [])
    }

    private func emit(_ level: Level, _ message: () -> String, _ fields: [(String, String)]) {
        guard level >= self.level else { return }
        sink(
            Event(
                level: level, label: label, message: message(),
                fields: fields.map { (name: $0.0, value: $0.1) }))
    }
}
