import GatehouseBase
import Testing

@testable import GatehouseHTTP

private func classify(_ text: String) -> (FieldName, FieldName) {
    let (name, resembles) = FieldName.classify(Array(text.utf8).span)
    return (name, resembles)
}

@Suite struct FieldNameTests {
    @Test(arguments: FieldName.allCases.dropFirst())
    func `every name is found by its own spelling, whatever the case`(name: FieldName) {
        let spelling = name.spelling.description
        #expect(spelling.lowercased() == name.normalized.description)
        for text in [spelling, spelling.lowercased(), spelling.uppercased()] {
            #expect(classify(text) == (name, name))
        }
    }

    @Test(arguments: FieldName.allCases.dropFirst())
    func `a look-alike is told from the name`(name: FieldName) {
        let spelling = name.spelling.description
        guard spelling.contains("-") else { return }
        for separator in "!#$%&'*+.^_`|~" {
            let text = String(spelling.map { $0 == "-" ? separator : $0 })
            #expect(classify(text) == (.other, name))
            #expect(classify(text.uppercased()) == (.other, name))
        }
        if let dash = spelling.lastIndex(of: "-") {
            var mixed = spelling
            mixed.replaceSubrange(dash...dash, with: "_")
            #expect(classify(mixed) == (.other, name))
        }
    }

    @Test(arguments: FieldName.allCases.dropFirst())
    func `a name with one character more, less or changed is another`(name: FieldName) {
        let spelling = name.spelling.description
        for text in [spelling + "x", "y" + spelling, String(spelling.dropFirst())] {
            #expect(classify(text).0 == .other || classify(text).0.spelling.description == text)
        }
        for index in spelling.indices {
            var changed = spelling
            changed.replaceSubrange(index...index, with: "~")
            #expect(classify(changed).0 == .other)
        }
    }

    @Test func `spellings stand in the order of the cases`() {
        #expect(FieldName.contentLength.spelling.description == "Content-Length")
        #expect(FieldName.secWebSocketAccept.spelling.description == "Sec-WebSocket-Accept")
        #expect(FieldName.xRequestID.spelling.description == "X-Request-Id")
        #expect(FieldName.forwarded.spelling.description == "Forwarded")
        #expect(FieldName.cfVisitor.spelling.description == "CF-Visitor")
        #expect(FieldName.xGatehouseLogin.spelling.description == "X-Gatehouse-Login")
    }

    @Test(arguments: [
        "X-Gatehouse-Assertion", "x_gatehouse_assertion", "X-Gatehouse", "X.Gatehouse.New",
        "x-gatehouse_anything", "X-Forwarded-User", "x_forwarded_groups", "X-Forwarded-Email",
        "X-Accel-Limit-Rate", "X_Accel_Anything", "CF-Access-Anything", "cf_access_token",
        "X+Gatehouse~Anything", "X'Forwarded-User", "X|Accel|Anything",
        "X-Original-URL", "X-Rewrite-Url", "X-HTTP-Method-Override", "True-Client-IP", "Forwarded",
    ])
    func `what only we may say is never taken from a client in any spelling`(text: String) {
        #expect(classify(text).1.isNeverTakenFromClients)
    }

    @Test(arguments: [
        "", "X", "Accept-Ranges", "X-Custom", "X_Custom", "X-Forward", "CF-Ray", "X-XSRFToken",
        "Cookie2", "Sec-CH-UA", "Priority", "X-Gatehous",
    ])
    func `other names are left alone`(text: String) {
        #expect(classify(text) == (.other, .other))
    }

    @Test func `what ends at this hop and what Connection may not name`() {
        let hopByHop = FieldName.allCases.filter(\.isHopByHop)
        #expect(hopByHop.count == 10)
        #expect(!FieldName.trailer.isProtectedFromNomination)
        for name in FieldName.allCases where name.isNeverTakenFromClients {
            #expect(name.isProtectedFromNomination)
        }
        #expect(FieldName.cookie.isProtectedFromNomination)
        #expect(!FieldName.accept.isProtectedFromNomination)
        #expect(!FieldName.other.isNeverTakenFromClients)
        #expect(!FieldName.xAccelBuffering.isNeverTakenFromClients)
    }
}
