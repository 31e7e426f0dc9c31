/// The words of a command line as commander reads them for configurable-http-proxy 5.3, with its
/// error texts: they are a part of the contract.
struct CHPWords {
    /// What came out of the words.
    enum Outcome {
        case values(CHPWords)
        case help
        case version
        /// For standard error; the exit status is 1.
        case failure(String)
    }

    private var values: [String: String] = [:]
    /// The texts of `--custom-header`, the only one of the contract's flags that accumulates, each
    /// with a colon.
    private(set) var customHeaders: [String] = []
    /// What stood between the commas of all `--trusted`.
    private(set) var trusted: [String] = []

    /// Whether the flag was given, with whatever value.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// The value that was given last, also an empty one.
    func value(_ name: String) -> String? { values[name] }

    /// The value that was given last; nil where it is empty, which turns a flag off.
    func text(_ name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Takes a value even where it begins with `-`, as commander does: it is whatever comes next.
    static func read(_ words: [String]) -> Outcome {
        var result = CHPWords()
        var others: [String] = []
        var unknown: [String] = []
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            if word == "--" {
                if !unknown.isEmpty { unknown.append(word) }
                let rest = words[index...]
                if unknown.isEmpty { others += rest } else { unknown += rest }
                break
            }
            // A group of short flags begins with the first: -Vh is -V.
            if word == "--version" || (word.hasPrefix("-V") && !word.hasPrefix("--")) {
                return .version
            }
            let equals = word.hasPrefix("--") ? word.firstIndex(of: "=") : nil
            let name = equals.map { String(word[..<$0]) } ?? word
            let flag = CHPFlag.all.first { $0.name == name }
            if let flag, equals == nil || flag.takesValue {
                var value = ""
                if let equals {
                    value = String(word[word.index(after: equals)...])
                } else if flag.takesValue {
                    guard index < words.count else {
                        return .failure("error: option '\(flag.usage)' argument missing\n")
                    }
                    value = words[index]
                    index += 1
                }
                if let failure = result.take(flag, value) { return .failure(failure) }
            } else if !unknown.isEmpty || looksLikeFlag(word) {
                unknown.append(word)
            } else {
                others.append(word)
            }
        }
        if unknown.contains(where: { $0 == "-h" || $0 == "--help" }) { return .help }
        if let failure = result.conflict ?? complaint(unknown, others) { return .failure(failure) }
        return .values(result)
    }

    /// The error, where the value is wrong at first sight.
    private mutating func take(_ flag: CHPFlag, _ value: String) -> String? {
        values[flag.name] = value
        if flag.name == "--trusted" {
            trusted += value.split(separator: ",").map(CHPWords.trimmed).filter { !$0.isEmpty }
        }
        guard flag.name == "--custom-header" else { return nil }
        let text = CHPWords.trimmed(value)
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
            return "A colon was expected in custom header: \(text)\n"
        }
        customHeaders.append(text)
        return nil
    }

    /// configurable-http-proxy declares the same for `--api-socket` and `--metrics-socket`, where
    /// its check never fires and the socket wins.
    private var conflict: String? {
        guard has("--socket") else { return nil }
        let flags = CHPFlag.contract
        let socket = flags.first { $0.name == "--socket" }
        let other = flags.first { ["--ip", "--port"].contains($0.name) && has($0.name) }
        guard let socket, let other else { return nil }
        return "error: option '\(socket.usage)' cannot be used with option '\(other.usage)'\n"
    }

    private static func complaint(_ unknown: [String], _ others: [String]) -> String? {
        if let first = unknown.first {
            return "error: unknown option '\(first)'\(suggestion(for: first))\n"
        }
        guard !others.isEmpty else { return nil }
        return "error: too many arguments. Expected 0 arguments but got \(others.count): "
            + "\(others.joined(separator: ", ")).\n"
    }

    /// A lone dash and a negative number are words like others.
    private static func looksLikeFlag(_ word: String) -> Bool {
        guard word.utf8.count > 1, word.hasPrefix("-") else { return false }
        let digits = word.dropFirst()
        let isNumber = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
        return !(isNumber && digits.utf8.last != 0x2E)
    }

    /// The flags that are fewest edits away, at most three, and mostly the same.
    private static func suggestion(for word: String) -> String {
        guard word.hasPrefix("--") else { return "" }
        let wanted = Array(word.dropFirst(2).utf8)
        var best = 3
        var similar: [String] = []
        let names = (CHPFlag.contract + CHPFlag.own).map(\.name) + ["--version", "--help"]
        for name in names {
            let candidate = Array(name.dropFirst(2).utf8)
            let length = max(wanted.count, candidate.count)
            guard candidate.count > 1, abs(wanted.count - candidate.count) <= 3 else { continue }
            let distance = Suggestion.editDistance(wanted, candidate)
            guard distance <= best, Double(length - distance) / Double(length) > 0.4 else {
                continue
            }
            if distance < best { similar = [] }
            best = distance
            similar.append(name)
        }
        guard similar.count > 1 else {
            return similar.first.map { "\n(Did you mean \($0)?)" } ?? ""
        }
        return "\n(Did you mean one of \(similar.sorted().joined(separator: ", "))?)"
    }

    /// Without white space at both ends.
    static func trimmed(_ text: some StringProtocol) -> String {
        var rest = text[...].drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }

    /// A number as JavaScript's parseInt reads it: what follows the digits counts for nothing. Nil
    /// where there are none.
    static func integer(_ text: String) -> Int? {
        var rest = text[...].drop { $0.isWhitespace }
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        let isHexadecimal = rest.hasPrefix("0x") || rest.hasPrefix("0X")
        if isHexadecimal { rest = rest.dropFirst(2) }
        let digits = rest.prefix { $0.isASCII && (isHexadecimal ? $0.isHexDigit : $0.isNumber) }
        guard !digits.isEmpty else { return nil }
        let number = Int(digits, radix: isHexadecimal ? 16 : 10) ?? .max
        return isNegative ? -number : number
    }
}
