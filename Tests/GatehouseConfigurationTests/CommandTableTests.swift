import Testing

@testable import GatehouseConfiguration

struct CommandTableTests {
    private func read(
        _ words: String..., environment: [String: String] = [:]
    ) -> CommandReading {
        CommandTable.read(words, environment: environment, version: "1.2.3")
    }

    @Test func `serve takes its file as one word or two`() {
        #expect(read("serve", "--config", "a.yaml") == .run(.serve(config: "a.yaml")))
        #expect(read("serve", "--config=a.yaml") == .run(.serve(config: "a.yaml")))
        #expect(read("serve", "--config", "--odd") == .run(.serve(config: "--odd")))
    }

    @Test func `serve needs no file where the environment holds the text`() {
        let environment = ["GATEHOUSE_CONFIG_YAML": "loops: 1"]
        #expect(read("serve", environment: environment) == .run(.serve(config: nil)))
    }

    @Test func `check takes a file`() {
        #expect(read("check", "a.yaml") == .run(.check(file: "a.yaml")))
        #expect(read("check", "--", "--odd.yaml") == .run(.check(file: "--odd.yaml")))
        #expect(read("check", "-") == .run(.check(file: "-")))
        let environment = ["GATEHOUSE_CONFIG_YAML": "loops: 1"]
        #expect(read("check", environment: environment) == .run(.check(file: nil)))
    }

    @Test func `proxy hands its words on as they are`() {
        #expect(read("proxy") == .run(.proxy([])))
        #expect(
            read("proxy", "--port=1", "--help", "x") == .run(.proxy(["--port=1", "--help", "x"])))
        #expect(read("help", "proxy") == .print(CHPCommandLine.help(called: "gatehouse proxy")))
        #expect(CommandTable.overview.contains("\n  gatehouse proxy [options] "))
    }

    @Test func `version and help go to standard output`() {
        #expect(read("--version") == .print("gatehouse 1.2.3\n"))
        #expect(read("--help") == .print(CommandTable.overview))
        #expect(read("help") == .print(CommandTable.overview))
        for entry in CommandTable.entries where entry.name != "proxy" {
            #expect(read(entry.name, "--help") == .print(CommandTable.help(of: entry)))
            #expect(read("help", entry.name) == .print(CommandTable.help(of: entry)))
            #expect(CommandTable.overview.contains("gatehouse \(entry.name)"))
        }
    }

    @Test func `the help names every flag and fits on a terminal`() {
        for entry in CommandTable.entries {
            let help = CommandTable.help(of: entry)
            for flag in entry.flags { #expect(help.contains(flag.name)) }
            for line in help.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
            #expect(help.hasSuffix("\n") && !help.hasSuffix("\n\n"))
        }
        #expect(CommandTable.overview.hasSuffix("\n") && !CommandTable.overview.hasSuffix("\n\n"))
    }

    @Test(arguments: [
        (["serv"], "gatehouse: there is no command 'serv'; did you mean 'serve'?"),
        (["start"], "gatehouse: there is no command 'start'; see 'gatehouse --help'"),
        (["doctor"], "gatehouse: 'doctor' is not built yet"),
        (["--verison"], "gatehouse: there is no flag '--verison'; did you mean '--version'?"),
        (["serve"], "gatehouse serve: '--config FILE' is missing; see 'gatehouse serve --help'"),
        (
            ["serve", "--confg", "x"],
            "gatehouse serve: there is no flag '--confg'; did you mean '--config'?"
        ),
        (
            ["serve", "--config"],
            "gatehouse serve: '--config' needs a value: FILE; see 'gatehouse serve --help'"
        ),
        (
            ["serve", "--config="],
            "gatehouse serve: '--config' needs a value: FILE; see 'gatehouse serve --help'"
        ),
        (
            ["serve", "--config", "a", "--config", "b"],
            "gatehouse serve: '--config' is given twice; see 'gatehouse serve --help'"
        ),
        (
            ["serve", "a.yaml"],
            "gatehouse serve: 'a.yaml' is one word too many; did you mean '--config a.yaml'?"
        ),
        (["check"], "gatehouse check: FILE is missing; see 'gatehouse check --help'"),
        (
            ["check", "--config", "a"],
            "gatehouse check: there is no flag '--config'; write 'gatehouse check FILE'"
        ),
        (
            ["check", "a", "b"],
            "gatehouse check: 'b' is one word too many; see 'gatehouse check --help'"
        ),
        (
            ["check", "--help=x", "a"],
            "gatehouse check: '--help' takes no value; see 'gatehouse check --help'"
        ),
    ])
    func `a wrong command line names what is wrong`(_ words: [String], _ text: String) {
        #expect(
            CommandTable.read(words, version: "1.2.3") == .usage(text + "\n"))
    }

    @Test func `no words at all show what there is`() {
        #expect(read() == .usage("gatehouse: a command is missing\n\n\(CommandTable.overview)"))
        #expect(CommandTable.usageExit == 64)
    }
}
