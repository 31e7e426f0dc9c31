public import GatehouseHTTP

/// An answer of our own.
public enum GateAnswer: Sendable {
    /// As it is.
    case response(Response)
    /// A page, rendered by whoever knows how pages look; `fields` go with it.
    case page(Page, status: Int, fields: Fields)

    /// A page without further fields.
    static func page(_ page: Page, status: Int) -> GateAnswer {
        .page(page, status: status, fields: Fields())
    }

    /// A redirect that nobody stores.
    static func redirect(_ location: String, status: Int = 302, cookies: [String] = [])
        -> GateAnswer
    {
        var response = Response(status)
        response.head.fields.append(.location, location)
        response.head.fields.append(.cacheControl, "no-store")
        for cookie in cookies { response.head.fields.append(.setCookie, cookie) }
        return .response(response)
    }

    /// JSON that nobody stores.
    static func json(_ status: Int, _ text: String) -> GateAnswer {
        var response = Response(status, contentType: "application/json", text)
        response.head.fields.append(.cacheControl, "no-store")
        return .response(response)
    }

    /// The same with one more field.
    func adding(_ name: FieldName, _ value: String) -> GateAnswer {
        switch self {
        case .response(var response):
            response.head.fields.append(name, value)
            return .response(response)
        case .page(let page, let status, var fields):
            fields.append(name, value)
            return .page(page, status: status, fields: fields)
        }
    }

    /// The same with Set-Cookie lines.
    func adding(cookies: [String]) -> GateAnswer {
        cookies.reduce(self) { $0.adding(.setCookie, $1) }
    }

    /// Bytes of fields up to which an answer takes lines that it can do without: with what every
    /// answer and page has besides, they fit into the 4 kB that nginx takes as it comes.
    static let room = 3400

    /// The same with those of these Set-Cookie lines for which there is room, the first first.
    ///
    /// An answer that a proxy finds too long reaches nobody, and with it the way to the provider.
    func adding(cookiesThatFit lines: [String]) -> GateAnswer {
        var left = GateAnswer.room - fieldBytes
        var fitting: [String] = []
        for line in lines {
            let size = GateAnswer.lineBytes(
                FieldName.setCookie.spelling.utf8CodeUnitCount, line.utf8.count)
            guard size <= left else { continue }
            left -= size
            fitting.append(line)
        }
        return adding(cookies: fitting)
    }

    private var fieldBytes: Int {
        let fields =
            switch self {
            case .response(let response): response.head.fields
            case .page(_, _, let fields): fields
            }
        return fields.indices.reduce(0) {
            $0 + GateAnswer.lineBytes(fields.name(at: $1).count, fields.value(at: $1).count)
        }
    }

    /// With colon, blank and line end.
    private static func lineBytes(_ name: Int, _ value: Int) -> Int { name + value + 4 }
}
