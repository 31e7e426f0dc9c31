import GatehouseBase

/// All access rules, compiled: which one decides about a request, and whom it lets in.
public struct AccessRules: Sendable {
    /// Which rule decides.
    public enum Match: Sendable, Equatable {
        /// The one at this place; all readings of the path agree on it.
        case rule(Int)
        /// None: nobody may enter.
        case noRule
        /// The path is not to be served.
        case invalidPath
        /// The readings of the path do not agree on the rule.
        case disagree
        /// A reading lies below `/.gatehouse`.
        case ours
    }

    private struct Compiled: Sendable {
        let rule: AccessRule
        let methods: [[UInt8]]?
        let isPublic: Bool
        let isDenial: Bool
        let readsPath: Bool
    }

    private let rules: [Compiled]
    /// Whether some rule asks for the host, so that somebody must find it out.
    let readsHost: Bool

    public init(_ rules: [AccessRule]) {
        self.rules = rules.map { rule in
            Compiled(
                rule: rule, methods: rule.methods.map { $0.map { Array($0.utf8) } },
                isPublic: rule.allow == .anyone, isDenial: rule.allow == .deny,
                readsPath: rule.allow.readsPath)
        }
        readsHost = rules.contains { $0.host != nil }
    }

    public var count: Int { rules.count }

    /// Finds the rule for a request.
    ///
    /// - Parameters:
    ///   - host: in lower case and without port.
    ///   - method: as received; methods are case-sensitive (RFC 9110 §9.1).
    ///   - path: as received.
    public func decide(
        host: String?, method: borrowing Span<UInt8>, path: borrowing Span<UInt8>
    ) -> Match {
        switch PathReading.check(path) {
        case .invalid: .invalidPath
        case .plain: decide(host: host, method: method, plain: path)
        case .special: decide(host: host, method: method, special: path)
        }
    }

    /// As ``decide(host:method:path:)``, for a path known to be plain.
    func decide(
        host: String?, method: borrowing Span<UInt8>, plain path: borrowing Span<UInt8>
    ) -> Match {
        if AccessRules.isOurs(plain: path) { return .ours }
        for index in rules.indices where applies(index, host: host, method: method) {
            if rules[index].rule.pattern.matches(plain: path) { return .rule(index) }
        }
        return .noRule
    }

    /// As ``decide(host:method:path:)``, for a path known to be special.
    func decide(
        host: String?, method: borrowing Span<UInt8>, special path: borrowing Span<UInt8>
    ) -> Match {
        let readings = PathReading.readings(of: path)
        if readings.contains(where: AccessRules.isOurs(reading:)) { return .ours }
        var matches: [Match] = []
        for reading in readings {
            var match = Match.noRule
            for index in rules.indices where applies(index, host: host, method: method) {
                if rules[index].rule.pattern.matches(reading) {
                    match = .rule(index)
                    break
                }
            }
            matches.append(match)
        }
        guard let first = matches.first, matches.allSatisfy({ $0 == first }) else {
            return .disagree
        }
        return first
    }

    /// Whether that rule lets everybody in, without signing in.
    public func isPublic(_ index: Int) -> Bool { rules[index].isPublic }

    /// Whether that rule lets nobody in.
    public func isDenial(_ index: Int) -> Bool { rules[index].isDenial }

    /// Whether that rule's answer depends on the path and not only on who asks.
    func readsPath(_ index: Int) -> Bool { rules[index].readsPath }

    /// Whether that rule lets `claims` in.
    public func allows(_ index: Int, _ claims: Claims, path: borrowing Span<UInt8>) -> Bool {
        let compiled = rules[index]
        guard compiled.readsPath else {
            return compiled.rule.allow.allows(claims, readings: [])
        }
        return compiled.rule.allow.allows(claims, readings: AccessRules.readings(of: path))
    }

    /// Whether that rule lets in who bears a token of JupyterHub's.
    func allows(_ index: Int, _ bearer: HubBearer, path: borrowing Span<UInt8>) -> Bool {
        let compiled = rules[index]
        let readings = compiled.readsPath ? AccessRules.readings(of: path) : []
        return compiled.rule.allow.allows(bearer, readings: readings)
    }

    private static func readings(of path: borrowing Span<UInt8>) -> [PathSegments] {
        PathReading.check(path) == .plain
            ? [PathReading.plainSegments(of: path)] : PathReading.readings(of: path)
    }

    private func applies(_ index: Int, host: String?, method: borrowing Span<UInt8>) -> Bool {
        if let wanted = rules[index].rule.host, wanted != host { return false }
        guard let methods = rules[index].methods else { return true }
        for name in methods where method.equals(name.span) { return true }
        return false
    }

    /// Whether a plain path is `/.gatehouse` or below it.
    static func isOurs(plain path: borrowing Span<UInt8>) -> Bool {
        let name = OwnPath.folder
        let count = name.utf8CodeUnitCount
        guard path.count >= count, path[1] == UInt8(ascii: ".") else { return false }
        guard path.count == count || path[count] == UInt8(ascii: "/") else { return false }
        return path.extracting(0..<count).equals(name)
    }

    private static func isOurs(reading: PathSegments) -> Bool {
        reading.has(Array(OwnPath.segment.utf8), at: 0)
    }
}
