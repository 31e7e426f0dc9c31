import GatehouseConfiguration
import Testing

struct ConfigurationTests {
    @Test func `only listeners, state directory and loops need a restart`() {
        let running = Configuration()
        var changed = running
        changed.session.idle = .seconds(1)
        changed.access = [
            AccessRuleSettings(path: RulePath(segments: [], coversRest: true), allow: .deny)
        ]
        changed.listeners[0].tls = ListenerTLSSettings(
            certificates: [.init(certificate: "a.pem", key: "a.key")])
        #expect(changed.settingsThatNeedRestart(from: running) == [])
        changed.listeners[0].role = .metrics
        #expect(changed.settingsThatNeedRestart(from: running) == ["listeners"])
        changed.listeners[0].role = .public
        changed.stateDirectory = .path("/s")
        changed.loops = .count(3)
        changed.listeners[0].address = .tcp(host: "127.0.0.1", port: 8081)
        #expect(
            changed.settingsThatNeedRestart(from: running) == ["state_dir", "loops", "listeners"])
        changed.routesAPI.hostRouting = true
        #expect(changed.settingsThatNeedRestart(from: running).contains("routes_api.host_routing"))
    }

    @Test func `an origin says where a setting is from`() {
        let position = SourcePosition(file: "a.yaml", line: 4, column: 7, text: nil)
        #expect(SettingOrigin.builtIn.description == "default")
        #expect(SettingOrigin.written(position).description == "a.yaml:4")
        #expect(SettingOrigin.environment("X").description == "environment X")
        #expect(SettingOrigin.flag("--config").description == "flag --config")
        #expect(SettingOrigin.written(position).position == position)
        #expect(SettingOrigin.flag("--config").position == nil)
    }
}
