import GatehouseBase
import GatehouseHTTP

/// The cookies of the logins in progress in one browser, one per tab.
///
/// A transaction's id begins with its second, so that the oldest can be told without keeping
/// anything.
struct LoginCookies {
    struct Transaction: Equatable {
        let id: [UInt8]
        /// 32 random bytes, from which nonce and verifier are derived.
        let secret: Secret
    }

    /// Well-formed ones, each id once.
    private(set) var transactions: [Transaction] = []
    /// Names that begin as ours do and are none, or stand there twice: removed at the next chance.
    private(set) var odd: [String] = []

    init(_ fields: borrowing Fields) {
        var seen: [[UInt8]: Int] = [:]
        var found: [Transaction] = []
        var names: [String] = []
        CookieField.forEach(withPrefix: ReservedCookies.transactionPrefix, in: fields) {
            rest, value in
            let name = rest.array
            guard rest.count <= 64, value.count <= 64, found.count < 512,
                let id = Base64URL.decode(name[...]), id.count == LoginState.transactionSize,
                let secret = Base64URL.decode(value.array[...]), secret.count == 32
            else {
                if let text = rest.text, rest.count <= 64, names.count < 16,
                    text.utf8.allSatisfy(ASCII.isToken)
                {
                    names.append(text)
                }
                return
            }
            seen[id, default: 0] += 1
            found.append(Transaction(id: id, secret: Secret(secret)))
        }
        transactions = found.filter { seen[$0.id] == 1 }
        odd = names
        for (id, count) in seen where count > 1 { odd.append(Base64URL.encode(id)) }
    }

    func transaction(_ id: [UInt8]) -> Transaction? { transactions.first { $0.id == id } }

    /// Set-Cookie lines that make room for one more among `limit`.
    func makingRoom(limit: Int) -> [String] {
        let excess = transactions.count + 1 - max(1, limit)
        let oldest = transactions.map(\.id).sorted { $0.lexicographicallyPrecedes($1) }
            .prefix(max(0, excess))
        return oldest.map(LoginCookies.removal)
            + odd.map { SetCookie.removal(LoginCookies.name($0)) }
    }

    /// A new id: the second, then random bytes.
    static func newID(now: Timestamp) -> [UInt8] {
        let seconds = UInt32(clamping: Int64(max(0, now.seconds)))
        let time = (0..<4).map { UInt8(truncatingIfNeeded: seconds >> UInt32(24 - 8 * $0)) }
        return time + Secret.random(count: 4).reveal()
    }

    static func line(_ transaction: Transaction, lifetime: Duration) -> String {
        SetCookie.line(
            name(Base64URL.encode(transaction.id)),
            Base64URL.encode(transaction.secret.reveal()), maxAge: Int(lifetime.wholeSeconds))
    }

    static func removal(_ id: [UInt8]) -> String {
        SetCookie.removal(name(Base64URL.encode(id)))
    }

    private static func name(_ id: String) -> String {
        ReservedCookies.transactionPrefix.description + id
    }
}
