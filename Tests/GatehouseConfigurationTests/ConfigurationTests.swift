import GatehouseBase
import GatehouseConfiguration
import Testing

struct ConfigurationTests {
    @Test func `what the start has made for good needs a restart, nothing else`() {
        let running = Configuration()
        var changed = running
        changed.session.idle = .seconds(1)
        changed.access = [
            AccessRuleSettings(path: RulePath(segments: [], coversRest: true), allow: .deny)
        ]
        changed.listeners[0].tls = ListenerTLSSettings(
            certificates: [.init(certificate: "a.pem", key: "a.key")])
        changed.listeners.append(
            ListenerSettings(address: .tcp(host: "127.0.0.1", port: 9091), role: .metrics))
        changed.log.level = .debug
        #expect(changed.settingsThatNeedRestart(from: running) == [])
        changed.listeners[0].address = .tcp(host: "127.0.0.1", port: 9092)
        #expect(changed.settingsThatNeedRestart(from: running) == [])
        changed = running
        changed.listeners[0].role = .metrics
        #expect(changed.settingsThatNeedRestart(from: running) == ["listeners[0].role"])
        changed.listeners[0].role = .api
        #expect(
            changed.settingsThatNeedRestart(from: running) == ["listeners", "listeners[0].role"])
        changed = running
        changed.stateDirectory = .path("/s")
        changed.loops = .count(3)
        changed.pidFile = "/p"
        changed.routesAPI.hostRouting = true
        #expect(
            changed.settingsThatNeedRestart(from: running)
                == ["state_dir", "loops", "pid_file", "routes_api.host_routing"])
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
