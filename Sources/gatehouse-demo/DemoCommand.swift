/// The words of the command line.
struct DemoCommand {
    static let usage = """
        usage: gatehouse-demo [--port N] [--certificates FOLDER]
                   [--issuer URL --client-id ID --client-secret-file FILE [--ca-file FILE]]

        """

    var port: UInt16 = 8443
    var certificates = "certs"
    var issuer: String?
    var clientID: String?
    var secretFile: String?
    var caFile: String?

    /// - Returns: nil where the words say nothing that can be done.
    init?(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch word {
            case "--port":
                guard let number = UInt16(value), number > 0 else { return nil }
                port = number
            case "--certificates": certificates = value
            case "--issuer": issuer = value
            case "--client-id": clientID = value
            case "--client-secret-file": secretFile = value
            case "--ca-file": caFile = value
            default: return nil
            }
        }
        // Another provider is named whole or not at all.
        let named = [issuer, clientID, secretFile].filter { $0 != nil }.count
        guard named == 3 || (named == 0 && caFile == nil) else { return nil }
    }
}
