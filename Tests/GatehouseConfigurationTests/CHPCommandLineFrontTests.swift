import GatehouseBase
import Testing

@testable import GatehouseConfiguration

/// `--front`, `--trusted`, and the Hub's base URL.
struct CHPCommandLineFrontTests {
    private func network(_ text: String) throws -> Network { try Network(parsing: text) }

    @Test func `a front is taken, and its fields are replaced`() throws {
        let configuration = try CommandLineFixture.configuration(
            "--front", "cloudflare-tunnel", "--trusted", "10.0.0.0/8, ::1,", "--trusted=127.0.0.1")
        let front = configuration.listeners[0].front
        #expect(front.profile == .cloudflareTunnel)
        #expect(
            front.trusted == [
                try network("10.0.0.0/8"), try network("::1"), try network("127.0.0.1"),
            ])
        #expect(!front.trustsUnixSocket && front.isTrusted)
        #expect(configuration.forwarding.forwardedFields == .replace)
        #expect(configuration.listeners[1].front == FrontSettings())
        #expect(configuration.origin(of: "listeners[0].front.profile") == .flag("--front"))
        #expect(configuration.origin(of: "listeners[0].front.trusted") == .flag("--trusted"))
        let socket = try CommandLineFixture.configuration(
            "--socket", "/run/p.sock", "--front", "nginx", "--trusted", "unix")
        #expect(socket.listeners[0].front.trustsUnixSocket)
        #expect(socket.listeners[0].front.trusted.isEmpty)
    }

    @Test func `without a front the contract's fields stay`() throws {
        for words in [[], ["--front", "none"], ["--front="], ["--trusted="]] {
            let configuration = try CommandLineFixture.start(words).configuration
            #expect(configuration.listeners[0].front == FrontSettings())
            #expect(configuration.forwarding.forwardedFields == .append)
        }
    }

    @Test func `flags win over the text, each for itself`() throws {
        let yaml = """
            listeners:
              - {address: "127.0.0.1:8080", redirect_to_https: true}
              - address: "127.0.0.1:8000"
                front: {profile: nginx, trusted: [10.0.0.0/8, 0.0.0.0/0, unix]}
            public_urls: [https://hub.example.org]
            """
        let text = try CommandLineFixture.start([], yaml: yaml)
        #expect(text.configuration.listeners[1].front.trusted.count == 2)
        #expect(text.configuration.forwarding.forwardedFields == .replace)
        #expect(text.configuration.listeners[1].front.trustsUnixSocket)
        #expect(text.lines.map(\.level) == [.warning, .warning])
        let flag = try CommandLineFixture.start(["--trusted", "127.0.0.1"], yaml: yaml)
        let front = flag.configuration.listeners[1].front
        #expect(front.profile == .nginx)
        #expect(front.trusted == [try network("127.0.0.1")] && !front.trustsUnixSocket)
        #expect(flag.configuration.listeners[0].front == FrontSettings())
        #expect(flag.lines.isEmpty)
        // What is wrong with the flag is not looked for in the text.
        let wide = try CommandLineFixture.start(["--trusted", "0.0.0.0/0"], yaml: yaml)
        #expect(wide.lines.map { $0.text.hasPrefix("flag --trusted: ") } == [true])
        let written = try CommandLineFixture.start(
            [], yaml: yaml + "\nforwarding: {forwarded_fields: append}")
        #expect(written.configuration.forwarding.forwardedFields == .append)
    }

    @Test(arguments: [
        (
            ["--front", "ngnix"],
            "error: option '--front' is 'ngnix': it is none, nginx, cloudflare-tunnel or "
                + "forwarded\n"
        ),
        (
            ["--front", "proxy-protocol"],
            "error: option '--front' is 'proxy-protocol': that is not built yet\n"
        ),
        (
            ["--front=nginx", "--trusted", "10.0.0.0/8,10.1.0.0/8"],
            "error: option '--trusted' is '10.1.0.0/8': it has bits set beyond its first 8; write "
                + "'10.0.0.0/8' for the network, or '10.1.0.0' for the one address\n"
        ),
        (
            ["--front=nginx", "--trusted=UNIX"],
            "error: option '--trusted' is 'UNIX': it is neither a network nor an address; did you "
                + "mean 'unix'?\n"
        ),
        (
            ["--front=nginx"],
            "flag --front: error: 'listeners[0].front' has no 'trusted': nobody's word would be "
                + "taken, and everybody would come from the front's own address\n"
                + "      | add '--trusted 127.0.0.1'\n1 error\n"
        ),
        (
            ["--trusted=127.0.0.1"],
            "flag --trusted: error: 'listeners[0].front.trusted' names a front, and no profile says "
                + "how it speaks\n      | add '--front nginx'\n1 error\n"
        ),
        (
            ["--front=nginx", "--trusted=127.0.0.1", "--no-x-forward"],
            "error: option '--no-x-forward' cannot be used where a front is trusted, whose fields "
                + "are replaced by ours\n"
        ),
    ])
    func `what cannot be a front is an error`(_ words: [String], _ text: String) {
        #expect(CommandLineFixture.failure(words) == text)
    }

    @Test func `the base URL is the error target's, and else the text's`() throws {
        let yaml = "jupyterhub: {base_url: /written}"
        func base(_ words: String...) throws -> Configuration {
            try CommandLineFixture.start(words, yaml: yaml).configuration
        }
        #expect(try base().jupyterHub.baseURL.path == "/written/")
        let flag = try base("--error-target", "http://hub:8081/a%20b/hub/error")
        #expect(flag.jupyterHub.baseURL.path == "/a b/")
        #expect(flag.origin(of: "jupyterhub.base_url") == .flag("--error-target"))
        #expect(try base("--error-target=http://pages:80/x").jupyterHub.baseURL.path == "/written/")
        let start = try CommandLineFixture.start(
            ["--error-target", "http://hub:8081/hub/error"], yaml: yaml)
        #expect(start.configuration.jupyterHub.baseURL.path == "/")
        #expect(start.lines.map(\.level) == [.warning])
        let same = try CommandLineFixture.start(
            ["--error-target", "http://hub:8081/written/hub/error"], yaml: yaml)
        #expect(same.lines.isEmpty)
    }
}
