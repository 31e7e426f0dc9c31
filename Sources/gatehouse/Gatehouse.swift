import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import Glibc

/// The command: reads the words, does what they say, ends with an exit code.
@main
enum Gatehouse {
    static let version = "0.1.0"

    static func main() async {
        // First of all: it may end at any moment.
        let parent = getppid()
        StandardStream.open()
        let environment = ProcessEnvironment.variables
        if let name = CommandLine.arguments.first, CHPCommandLine.isCalled(by: name) {
            let words = Array(CommandLine.arguments.dropFirst())
            end(await ProxyCommand.run(words, called: CHPCommandLine.name, environment, parent))
        }
        let reading = CommandTable.read(
            Array(CommandLine.arguments.dropFirst()), environment: environment, version: version)
        switch reading {
        case .print(let text):
            print(text, terminator: "")
        case .usage(let text):
            say(text.hasSuffix("\n") ? text : text + "\n")
            exit(CommandTable.usageExit)
        case .run(.check(let file)):
            exit(CheckCommand.run(file, environment))
        case .run(.proxy(let words)):
            end(await ProxyCommand.run(words, called: "gatehouse proxy", environment, parent))
        case .run(.serve(let file)):
            end(await ServeCommand.run(file, environment))
        }
    }

    /// Leaves, after the last lines have come out.
    private static func end(_ status: Int32) -> Never {
        StandardLines.finish()
        exit(status)
    }

    /// Writes to standard error.
    static func say(_ text: String) { StandardStream.write(Array(text.utf8), to: STDERR_FILENO) }
}
