import GatehouseBase

/// What the routes API keeps of a route: the object that it was given, as it gives it back.
enum RouteData {
    /// Why a body describes no route; the text is the contract's.
    struct Refusal: Error {
        let text: String
    }

    /// Reads the body of a POST.
    ///
    /// - Parameter host: put in as `host`; nil without host routing.
    /// - Returns: the target's text, and the object as JSON, without `last_activity` and without
    ///   the brace at its end.
    static func read(
        _ body: [UInt8], host: String?, maximumSize: Int
    ) throws(Refusal) -> (target: String, data: [UInt8]) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(body, maximumSize: maximumSize)
        } catch {
            throw Refusal(text: "Body not valid JSON: \(error)")
        }
        guard var members = value.object, let target = members["target"]?.string else {
            throw Refusal(text: "Must specify 'target' as string")
        }
        members["last_activity"] = nil
        if let host { members["host"] = .string(host) }
        return (target, JSONValue.object(members).encoded().dropLast())
    }

    /// The target's text in what was kept of a route.
    static func target(in data: [UInt8]) -> String? {
        let bytes = data + [UInt8(ascii: "}")]
        guard let value = try? JSONValue.parse(bytes, maximumSize: bytes.count) else { return nil }
        return value["target"]?.string
    }

    /// The whole object.
    static func append(_ route: Route, to bytes: inout [UInt8]) {
        bytes += route.data
        bytes += #","last_activity":""#.utf8
        let time = Timestamp(milliseconds: route.lastActivityMilliseconds)
        bytes += CalendarTime(time).iso8601.utf8
        bytes += "\"}".utf8
    }
}
