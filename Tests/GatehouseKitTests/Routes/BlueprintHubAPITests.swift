import GatehouseBase
import GatehouseConfiguration
import GatehouseProxy
import Testing

@testable import GatehouseKit

/// Where JupyterHub is asked about tokens.
struct BlueprintHubAPITests {
    private func configuration(
        _ words: [String] = [], _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> Configuration {
        let reading = CHPCommandLine.read(
            words, environment: [:], version: "0", readFile: { _ in [] })
        guard case .run(let start) = reading else { throw GatewayError("\(reading)") }
        var configuration = start.configuration
        configuration.routesAPI.preset = .jupyterhub
        change(&configuration)
        return configuration
    }

    private func ask(
        _ configuration: Configuration, _ made: [(String, String)] = [],
        host: String = "hub.example"
    ) throws -> String? {
        let blueprint = try Blueprint(configuration)
        var routes = RouteSet()
        for (path, target) in made {
            let object = JSONValue.object(["target": .string(target)]).encoded()
            _ = routes.put(try blueprint.route(at: RouteAddress(path), object: object).route)
        }
        return blueprint.hubAPI(host: host, routes).map { $0.target.description + $0.path }
    }

    private func route(
        _ path: String, _ url: String, host: String? = nil, preset: RoutePreset? = .jupyterhub
    ) throws -> RouteSettings {
        var route = RouteSettings(
            host: host, path: path,
            upstream: UpstreamSettings(name: url, url: try Origin(parsing: url)))
        route.preset = preset
        return route
    }

    @Test func `nobody is asked before the Hub has told its route`() throws {
        let settings = try configuration()
        #expect(try ask(settings) == nil)
        #expect(try ask(settings, [("/user/alice", "http://127.0.0.1:9000")]) == nil)
        #expect(try ask(settings, [("/services/hub", "http://127.0.0.1:9000")]) == nil)
        #expect(try ask(settings, [("/", "nonsense")]) == nil)
        #expect(
            try ask(settings, [("/", "http://127.0.0.1:8081"), ("/user/a", "http://127.0.0.1:1")])
                == "http://127.0.0.1:8081/hub/api")
    }

    @Test(arguments: [
        ("/", "/", "http://h:8081", "http://h:8081/hub/api"),
        ("/", "/", "https://h:8081", "https://h:8081/hub/api"),
        ("/", "/", "http+unix://%2Frun%2Fhub.sock", "http+unix://%2Frun%2Fhub.sock/hub/api"),
        ("/jupyter/", "/jupyter", "http://h:8081", "http://h:8081/jupyter/hub/api"),
        ("/jupyter/", "/jupyter/hub", "http://h:8081", "http://h:8081/jupyter/hub/api"),
        ("/jupyter/", "/", "http://h:8081", "http://h:8081/jupyter/hub/api"),
        ("/a b/ü/", "/a b/ü", "http://h:8081", "http://h:8081/a%20b/%C3%BC/hub/api"),
        // The Hub knows its address as it was told it, and in no other spelling.
        ("/@/a%20b/", "/@/a b", "http://h:8081", "http://h:8081/@/a%20b/hub/api"),
        ("/%40/", "/@", "http://h:8081", "http://h:8081/%40/hub/api"),
        ("/", "/", "http://h:8081/up", "http://h:8081/up/hub/api"),
    ])
    func `the question goes where requests for the Hub's API go`(
        base: String, path: String, target: String, asked: String
    ) throws {
        let url = try HubBaseURL(parsing: base)
        let settings = try configuration { $0.jupyterHub.baseURL = url }
        #expect(try ask(settings, [(path, target)]) == asked)
    }

    @Test func `of several routes to the Hub the one that requests take is asked`() throws {
        var settings = try configuration()
        settings.routes = [try route("/", "http://one:1"), try route("/hub", "http://two:2")]
        #expect(try ask(settings) == "http://two:2/hub/api")
        #expect(try ask(settings, [("/", "http://three:3")]) == "http://two:2/hub/api")
        #expect(try ask(settings, [("/hub", "http://three:3")]) == "http://three:3/hub/api")
        settings.routes = [
            try route("/", "http://one:1", host: "hub.example"), try route("/", "http://two:2"),
        ]
        #expect(try ask(settings) == "http://one:1/hub/api")
        #expect(try ask(settings, host: "other.example") == "http://two:2/hub/api")
        settings.routes = [try route("/", "http://one:1", preset: RoutePreset.none)]
        #expect(try ask(settings) == nil)
    }

    @Test func `where the prefix is cut, the question's is cut too`() throws {
        for (base, path) in [("/jupyter/", "/jupyter"), ("/@/a%20b/", "/@/a b")] {
            let url = try HubBaseURL(parsing: base)
            let settings = try configuration(["--no-include-prefix"]) {
                $0.jupyterHub.baseURL = url
            }
            #expect(try ask(settings, [(path, "http://h:8081")]) == "http://h:8081/hub/api")
        }
    }

    @Test(arguments: [
        ("http://10.0.0.5:8081/hub/api", "http://10.0.0.5:8081/hub/api"),
        ("https://hub.inner/base/hub/api/", "https://hub.inner:443/base/hub/api"),
        ("http+unix://%2Frun%2Fhub.sock/hub/api", "http+unix://%2Frun%2Fhub.sock/hub/api"),
        ("nonsense", nil),
    ])
    func `what the settings say comes before every route`(url: String, asked: String?) throws {
        let settings = try configuration { $0.jupyterHub.apiURL = url }
        #expect(try ask(settings, [("/", "http://127.0.0.1:8081")]) == asked)
        #expect(try ask(settings) == asked)
    }
}
