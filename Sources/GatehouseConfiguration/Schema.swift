import GatehouseBase

/// Every key there is, by mapping. A key that is in neither column is an error with a suggestion.
enum Schema {
    static let root = KeyTable(
        "",
        [
            "public_urls", "state_dir", "keys_file", "pid_file", "loops", "listeners",
            "upstreams", "routes", "routes_api", "forwarding", "access", "oidc", "session",
            "identity", "jupyterhub", "limits", "log",
        ],
        waiting: ["bearer", "logout", "pages"])
    static let listener = KeyTable(
        "listeners[]", ["address", "role", "tls", "front", "redirect_to_https", "token_file"])
    static let front = KeyTable(
        "listeners[].front", ["profile", "trusted"], waiting: ["access"])
    static let listenerTLS = KeyTable(
        "listeners[].tls",
        [
            "certificates", "minimum", "maximum", "ciphers", "dhparam_file", "client_ca",
            "client_certificate",
        ])
    static let certificate = KeyTable("listeners[].tls.certificates[]", ["certificate", "key"])
    static let upstream = KeyTable(
        "upstreams.*",
        [
            "url", "connect_timeout", "first_byte_timeout", "response_idle", "max_connections",
            "tls",
        ])
    static let upstreamTLS = KeyTable(
        "upstreams.*.tls",
        ["ca_file", "certificate", "key", "server_name", "insecure_skip_verify"])
    static let route = KeyTable(
        "routes[]", ["host", "path", "upstream", "preset", "max_body", "identity"],
        waiting: ["assertion_audience", "access_token"])
    static let routeIdentity = KeyTable("routes[].identity", ["headers"], waiting: ["assertion"])
    static let routesAPI = KeyTable(
        "routes_api", ["user_prefixes", "stored_route_lifetime", "host_routing", "activity"])
    static let forwarding = KeyTable(
        "forwarding",
        [
            "forwarded_fields", "prepend_path", "include_prefix", "change_origin", "auto_rewrite",
            "protocol_rewrite", "request_fields", "error_pages",
        ])
    static let errorPages = KeyTable("forwarding.error_pages", ["directory", "target"])
    static let rule = KeyTable("access[]", ["host", "path", "methods", "allow"])
    static let allow = KeyTable(
        "access[].allow",
        ["user", "group", "realm_role", "client_role", "path_user", "any", "all"],
        waiting: ["email_domain", "acr", "claim"])
    static let oidc = KeyTable(
        "oidc",
        [
            "issuer", "client_id", "client_secret_file", "client_secret", "backchannel_base_url",
            "ca_file", "scopes",
        ],
        waiting: [
            "client_authentication", "client_key_file", "required_acr", "prompt", "kc_idp_hint",
            "provider_grace",
        ])
    static let session = KeyTable(
        "session", ["idle", "absolute", "per_user"], waiting: ["remember", "same_site"])
    static let identity = KeyTable("identity", ["headers"], waiting: ["assertion"])
    static let jupyterHub = KeyTable(
        "jupyterhub", ["base_url", "api_url"],
        waiting: ["api_token_file", "stop_servers", "facade"])
    static let limits = KeyTable("limits", Limits.all.map(\.name))
    static let log = KeyTable("log", ["level", "format", "access"], waiting: ["audit"])

    /// All of them.
    static let all = [
        root, listener, front, listenerTLS, certificate, upstream, upstreamTLS, route,
        routeIdentity, routesAPI, forwarding, errorPages, rule, allow, oidc, session, identity,
        jupyterHub, limits, log,
    ]

    /// The names of all that are read, and of those that there is a place for.
    static let built = Set(all.flatMap(\.built))
    static let names = built.union(all.flatMap(\.waiting))
    /// Those that have a secret itself as their value, not the name of a file.
    static let secrets: Set = ["client_secret"]

    /// The words of `access[].allow` that are no mapping.
    static let allowWords = ["public", "signed_in", "deny"]
    /// The roles of listeners that the schema has a place for, but nothing serves yet.
    static let waitingRoles = ["internal", "admin"]
    /// The same of profiles of fronts.
    static let waitingProfiles = ["proxy-protocol"]
}
