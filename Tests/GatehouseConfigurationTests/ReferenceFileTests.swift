import GatehouseBase
import Testing

@testable import GatehouseConfiguration

struct ReferenceFileTests {
    @Test(arguments: ["gatehouse.yaml", "gatehouse.minimal.yaml"])
    func `a file of config decodes without a word`(_ name: String) throws {
        let decoded = Corpus.decode(Corpus.bytes("config/\(name)"))
        #expect(Diagnostic.report(decoded.diagnostics) == "")
        #expect(decoded.configuration?.oidc?.clientID == "gatehouse")
    }

    @Test func `every key that is read stands in the reference`() throws {
        let tree = YAMLTreeBuilder.build(Corpus.bytes("config/gatehouse.yaml"), name: "x")
        var found: Set<String> = []
        collect(try #require(tree.root), at: "", into: &found)
        for table in Schema.all {
            for key in table.built {
                let path = table.path.isEmpty ? key : "\(table.path).\(key)"
                #expect(found.contains(path), "\(path)")
            }
        }
        let text = Corpus.text("config/gatehouse.yaml")
        for word in Schema.allowWords { #expect(text.contains("allow: \(word)")) }
    }

    @Test func `every limit stands in the reference with its default and its reason`() {
        let all = Corpus.text("config/gatehouse.yaml").split(separator: "\n")
        let lines = all.drop { $0 != "limits:" }
        for limit in Limits.all {
            let start = "  \(limit.name): \(limit.text(in: Limits())) "
            let line = lines.first { $0.hasPrefix("  \(limit.name):") }
            #expect(line?.hasPrefix(start) == true, "\(start)")
            #expect(line?.hasSuffix("# \(limit.reason)") == true, "\(limit.name)")
        }
    }

    @Test func `the defaults of the reference are the defaults`() throws {
        let written = try #require(
            Corpus.decode(Corpus.bytes("config/gatehouse.yaml")).configuration)
        #expect(written.limits == Limits())
        #expect(written.session == SessionSettings())
        #expect(written.log == LogSettings())
        #expect(written.loops == .auto)
        #expect(written.upstreams[0].connectTimeout == Limits().connectTime)
        #expect(written.upstreams[0].responseIdle == nil)
        #expect(written.upstreams[0].maximumConnections == nil)
        #expect(written.pidFile == nil)
        #expect(written.routesAPI == RoutesAPISettings())
        #expect(written.forwarding == ForwardingSettings())
        #expect(written.jupyterHub == JupyterHubSettings())
        #expect(written.listeners[0].front == FrontSettings())
        #expect(written.routes[0].maximumBody == nil)
        let tls = try #require(written.listeners[0].tls)
        #expect(tls == ListenerTLSSettings(certificates: tls.certificates))
    }

    @Test func `no key is both built and waiting`() {
        for table in Schema.all {
            #expect(Set(table.built).isDisjoint(with: table.waiting))
        }
    }

    /// All paths of keys, with `[]` for items and `*` for names.
    private func collect(_ node: YAMLNode, at path: String, into found: inout Set<String>) {
        switch node.content {
        case .scalar: return
        case .sequence(let items):
            // Conditions stand in conditions, and are the same there.
            let inner = path.hasSuffix(".any") || path.hasSuffix(".all")
            let place = inner ? "access[].allow" : "\(path)[]"
            for item in items { collect(item, at: place, into: &found) }
        case .mapping(let entries):
            for entry in entries {
                let name = path == "upstreams" ? "*" : entry.key
                let place = path.isEmpty ? name : "\(path).\(name)"
                found.insert(place)
                collect(entry.value, at: place, into: &found)
            }
        }
    }
}
