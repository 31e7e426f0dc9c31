/// One flag of ``CHPCommandLine``: error texts, suggestions and help are written from this table.
struct CHPFlag: Sendable {
    /// The flag, the sign for its value and what else stands there, as error texts quote it:
    /// `--port <n> (defaults to 8000)`.
    let usage: String
    let help: String

    init(_ usage: String, _ help: String) {
        self.usage = usage
        self.help = help
    }

    /// With its dashes.
    var name: String { String(usage.prefix { $0 != " " }) }
    var takesValue: Bool { usage.contains("<") }

    /// Those of configurable-http-proxy, with the values' names and defaults that it shows, in its
    /// order, in which conflicts are told.
    static let contract = [
        CHPFlag(
            "--ip <ip-address>",
            "Address of the public port. Empty (the default) or * is every address of the machine."),
        CHPFlag(
            "--port <n> (defaults to 8000)", "The public port. 0 lets the system choose one."),
        CHPFlag(
            "--socket <path>", "A UNIX socket in place of the public address and port."),
        CHPFlag(
            "--ssl-key <keyfile>",
            "Key of the public port, PEM. CONFIGPROXY_SSL_KEY_PASSPHRASE opens an encrypted one."),
        CHPFlag("--ssl-cert <certfile>", "Certificate of the public port with its chain, PEM."),
        CHPFlag(
            "--ssl-ca <ca-file>", "Authorities that vouch for clients of the public port, PEM."),
        CHPFlag(
            "--ssl-request-cert",
            "Clients of the public port must present a certificate that --ssl-ca vouches for."),
        CHPFlag(
            "--ssl-reject-unauthorized", "Means nothing more beside --ssl-request-cert."),
        CHPFlag(
            "--ssl-protocol <ssl-protocol>",
            "TLSv1_2 or TLSv1_3 for that version only; TLS for both, as without this flag."),
        CHPFlag(
            "--ssl-ciphers <ciphers>",
            "Ciphers of TLS 1.2, as OpenSSL names them, with ':' between them; on every side."),
        CHPFlag("--ssl-allow-rc4", "Without effect: there is no RC4."),
        CHPFlag(
            "--ssl-dhparam <dhparam-file>", "Diffie-Hellman parameters of the listeners, PEM."),
        CHPFlag(
            "--api-ip <ip>", "Address of the routes API (default: \"localhost\")."),
        CHPFlag(
            "--api-port <n>",
            "Port of the routes API (defaults to the public port + 1, 8001 beside --socket)."),
        CHPFlag(
            "--api-socket <path>",
            "A UNIX socket in place of address and port of the routes API."),
        CHPFlag(
            "--api-ssl-key <keyfile>",
            "Key of the routes API, PEM. CONFIGPROXY_API_SSL_KEY_PASSPHRASE opens an encrypted one."
        ),
        CHPFlag("--api-ssl-cert <certfile>", "Certificate of the routes API, PEM."),
        CHPFlag(
            "--api-ssl-ca <ca-file>", "Authorities that vouch for clients of the routes API, PEM."),
        CHPFlag(
            "--api-ssl-request-cert",
            "Clients of the routes API must present a certificate that --api-ssl-ca vouches for."),
        CHPFlag(
            "--api-ssl-reject-unauthorized", "Means nothing more beside --api-ssl-request-cert."),
        CHPFlag(
            "--client-ssl-key <keyfile>", "Key that is presented to https targets, PEM."),
        CHPFlag(
            "--client-ssl-cert <certfile>", "Certificate that is presented to https targets, PEM."),
        CHPFlag(
            "--client-ssl-ca <ca-file>",
            "Authorities for https targets in place of the system's, PEM."),
        CHPFlag("--client-ssl-request-cert", "Without effect."),
        CHPFlag("--client-ssl-reject-unauthorized", "Without effect."),
        CHPFlag(
            "--default-target <host>",
            "Where requests go that no route is for (proto://host[:port])."),
        CHPFlag(
            "--error-target <host>",
            "Server of pages for errors (proto://host[:port]): it is asked for /404?url=… and the "
                + "like."),
        CHPFlag(
            "--error-path <path>",
            "Directory with pages for errors: 404.html, 503.html, error.html."),
        CHPFlag(
            "--redirect-port <redirect-port>",
            "A port in clear that sends everybody to https with 301. The public port needs TLS."),
        CHPFlag(
            "--redirect-to <port>",
            "The port that --redirect-port sends to, in place of the public one."),
        CHPFlag("--pid-file <pid-file>", "Where the process id is written."),
        CHPFlag(
            "--no-x-forward", "Add no X-Forwarded- fields; a client's pass as they are."),
        CHPFlag("--no-prepend-path", "Leave out the path of a target's URL."),
        CHPFlag("--no-include-prefix", "Cut the route's prefix off the path of requests."),
        CHPFlag(
            "--auto-rewrite", "Put the request's host into Location where it names the target's."),
        CHPFlag("--change-origin", "Send the target's host as Host."),
        CHPFlag(
            "--protocol-rewrite <proto>", "The scheme of such a Location: http or https."),
        CHPFlag(
            "--custom-header <header>",
            "A field that is set in requests to targets, 'name: value'. May be given several "
                + "times."),
        CHPFlag("--insecure", "Do not verify certificates of https targets."),
        CHPFlag(
            "--host-routing", "The first segment of a route's path is the host of requests."),
        CHPFlag("--metrics-ip <ip>", "Address of the metrics (default: every address)."),
        CHPFlag("--metrics-port <n>", "Port of the metrics (defaults to no metrics)."),
        CHPFlag(
            "--metrics-socket <path>", "A UNIX socket in place of address and port of the metrics."
        ),
        CHPFlag(
            "--log-level <loglevel>", "debug, info, warn or error (default: \"info\")."),
        CHPFlag(
            "--timeout <n>",
            "Milliseconds without a byte after which a client's running request is dropped."),
        CHPFlag(
            "--proxy-timeout <n>",
            "Milliseconds without a byte of the target's answer after which it is given up."),
        CHPFlag(
            "--storage-backend <storage-class>",
            "Refused but for 'memory': see --state-dir."),
        CHPFlag(
            "--keep-alive-timeout <timeout>",
            "Milliseconds that an idle connection of a client is kept (default: 120000)."),
    ]

    /// Our own.
    static let own = [
        CHPFlag(
            "--config <file>",
            "Our own settings, as for 'gatehouse serve'; flags win over them. Also "
                + "GATEHOUSE_CONFIG, or the text itself in GATEHOUSE_CONFIG_YAML."),
        CHPFlag(
            "--state-dir <dir>",
            "Where routes are kept over a restart, or 'none' (default: $STATE_DIRECTORY, "
                + "$XDG_STATE_HOME/gatehouse or ~/.local/state/gatehouse)."),
        CHPFlag(
            "--drain <duration>",
            "At SIGTERM give running requests this long, such as 30s, instead of ending at once."),
        CHPFlag("--exit-with-parent", "End when the process that started this one has ended."),
        CHPFlag(
            "--activity <what>",
            "contract: last_activity as configurable-http-proxy counts it; traffic: data from "
                + "servers too (default: \"contract\")."),
        CHPFlag("--access-log", "Write a line for every exchange."),
        CHPFlag(
            "--front <profile>",
            "What stands before the public port and tells where requests come from: none, nginx, "
                + "cloudflare-tunnel or forwarded (RFC 7239). Needs --trusted."),
        CHPFlag(
            "--trusted <networks>",
            "Whose word --front takes: networks or addresses with commas between them, such as "
                + "10.0.0.0/8, and 'unix' for who comes through a UNIX socket. May be given several "
                + "times. Its fields are then replaced by ours, one value each."),
    ]

    /// The two that end the reading.
    static let ends = [
        CHPFlag("-V, --version", "Print the version number."),
        CHPFlag("-h, --help", "Print this."),
    ]

    static let all = contract + own
}
