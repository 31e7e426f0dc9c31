import GatehouseBase
import GatehouseProxy

/// What the routes API keeps of a route: the object that it was given, as it gives it back.
///
/// Kept are the members but `target`, `last_activity` and the braces, as JSON with a comma before
/// each. The target's text is kept, as a first member, only where the target does not read so by
/// itself: most do.
enum RouteData {
    /// Members that JupyterHub gives to nearly every route. Each is kept as one byte, its place here
    /// and one more: JSON has no control characters (RFC 8259 §7). At 100,000 routes that is 4 MB.
    private static let common = [#","jupyterhub":true"#, #","server_name":"""#].map {
        Array($0.utf8)
    }

    /// Why a body describes no route; the text is the contract's.
    struct Refusal: Error {
        let text: String
    }

    /// What an object says.
    struct Reading {
        let target: String
        /// The members besides, each after a comma.
        let members: [UInt8]
        /// Whether JupyterHub calls it its own route.
        let isHub: Bool
    }

    /// Reads an object.
    ///
    /// - Parameter host: put in as `host`; nil without host routing.
    static func read(_ body: [UInt8], host: String?) throws(Refusal) -> Reading {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(body, maximumSize: body.count)
        } catch {
            throw Refusal(text: "Body not valid JSON: \(error)")
        }
        guard var members = value.object, let target = members["target"]?.string else {
            throw Refusal(text: "Must specify 'target' as string")
        }
        let isHub = members["hub"]?.bool == true
        members["last_activity"] = nil
        members["target"] = nil
        if let host { members["host"] = .string(host) }
        var kept: [UInt8] = []
        if !members.isEmpty {
            kept.append(UInt8(ascii: ","))
            let text = JSONValue.object(members).encoded()
            kept += text[1..<text.count - 1]
        }
        return Reading(target: target, members: kept, isHub: isHub)
    }

    /// What a route keeps.
    ///
    /// - Parameter description: how the target reads by itself; nil where it is none.
    static func kept(target: String, members: [UInt8], description: String?) -> [UInt8] {
        let members = shortened(members)
        if target == description { return members.isEmpty ? Array(" ".utf8) : members }
        return Array(#""target":"#.utf8) + JSONValue.string(target).encoded() + members
    }

    private static func shortened(_ members: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var rest = members[...]
        while let first = rest.first {
            if first == UInt8(ascii: ","),
                let place = common.firstIndex(where: { rest.starts(with: $0) })
            {
                kept.append(UInt8(place + 1))
                rest = rest.dropFirst(common[place].count)
            } else {
                kept.append(first)
                rest = rest.dropFirst()
            }
        }
        return kept
    }

    /// The object as the API was given it.
    static func object(of route: Route) -> [UInt8] {
        var bytes: [UInt8] = []
        appendMembers(of: route, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The object as the API gives it back, with the time of its last use.
    static func append(_ route: Route, to bytes: inout [UInt8]) {
        appendMembers(of: route, to: &bytes)
        bytes += #","last_activity":""#.utf8
        let time = Timestamp(milliseconds: route.lastActivityMilliseconds)
        bytes += CalendarTime(time).iso8601.utf8
        bytes += "\"}".utf8
    }

    private static func appendMembers(of route: Route, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        let data = route.data
        if data.first != UInt8(ascii: "\""), let target = route.target {
            bytes += #""target":"#.utf8
            bytes += JSONValue.string(target.description).encoded()
        }
        if data.first == UInt8(ascii: " ") { return }
        for byte in data {
            if byte <= common.count {
                bytes += common[Int(byte) - 1]
            } else {
                bytes.append(byte)
            }
        }
    }
}
