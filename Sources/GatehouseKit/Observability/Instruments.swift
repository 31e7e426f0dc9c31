/// Every metric, once. `docs/OPERATIONS.md` has the same names, and a test compares.
enum Instruments {
    // MARK: As configurable-http-proxy names them

    static let apiRouteGet = Instrument(
        "api_route_get", .counter, "Listings of all routes by the routes API")
    static let apiRouteAdd = Instrument(
        "api_route_add", .counter, "Routes added or replaced by the routes API")
    static let apiRouteDelete = Instrument(
        "api_route_delete", .counter, "Removals by the routes API, also of what was not there")
    static let requestsWeb = Instrument(
        "requests_web", .counter, "Requests but for WebSocket handshakes and health checks")
    static let requestsWS = Instrument(
        "requests_ws", .counter, "WebSocket handshakes")
    static let requestsProxy = Instrument(
        "requests_proxy", .counter,
        "Answers by status, the target's and our own, but for 101 and health checks",
        labels: ["status"])
    static let requestsAPI = Instrument(
        "requests_api", .counter, "Answers of the routes API by status", labels: ["status"])
    static let findTarget = Instrument(
        "find_target_for_req", .summary,
        "Seconds to find the route of a request; one in 16 is measured and stands for the others")
    static let lastActivity = Instrument(
        "last_activity_updating", .summary,
        "Seconds to note that a route is in use; one in 16 is measured and stands for the others")

    // MARK: Requests

    static let requestDuration = Instrument(
        "gatehouse_request_duration_seconds", .histogram,
        "From a request's head to the end of its answer, of a WebSocket's to the end of its 101",
        labels: ["kind", "status"])
    static let requestFailures = Instrument(
        "gatehouse_request_failures_total", .counter,
        "Requests that came to no good end, by whose fault it is and why",
        labels: ["fault", "reason"])
    static let receivedBytes = Instrument(
        "gatehouse_received_bytes_total", .counter,
        "Bytes of request bodies and from WebSocket clients, counted when the exchange ends")
    static let sentBytes = Instrument(
        "gatehouse_sent_bytes_total", .counter,
        "Bytes of answers' bodies and to WebSocket clients, counted when the exchange ends")

    static let hubTokens = Instrument(
        "gatehouse_hub_tokens_total", .counter,
        "Requests whose token JupyterHub had to be asked about, by what came of it",
        labels: ["verdict"])

    // MARK: Connections

    static let webSockets = Instrument(
        "gatehouse_websockets", .gauge, "WebSockets that are open")
    static let connections = Instrument(
        "gatehouse_connections", .gauge, "Connections of clients by the role of their listener",
        labels: ["role"])
    static let handshakeFailures = Instrument(
        "gatehouse_tls_handshake_failures_total", .counter,
        "Clients with which there was no agreement on TLS")
    static let upstreamConnections = Instrument(
        "gatehouse_upstream_connections", .gauge,
        "Connections to targets; those that are being made count as busy", labels: ["state"])
    static let upstreamOpened = Instrument(
        "gatehouse_upstream_connections_opened_total", .counter, "Connections made to targets")
    static let upstreamReused = Instrument(
        "gatehouse_upstream_connections_reused_total", .counter,
        "Requests that went over a connection that had carried another")

    // MARK: Routes

    static let routes = Instrument(
        "gatehouse_routes", .gauge, "Routes by where they come from", labels: ["source"])
    static let tableComplete = Instrument(
        "gatehouse_route_table_complete", .gauge,
        "1 when all routes are known, 0 while user paths without one are answered 503")
    static let storeFailures = Instrument(
        "gatehouse_store_failures_total", .counter,
        "Commits of routes to the state directory that failed")

    // MARK: The process

    static let lostLines = Instrument(
        "gatehouse_log_lines_lost_total", .counter,
        "Lines of the log that were lost because nobody read them")
    static let slowPasses = Instrument(
        "gatehouse_loop_slow_passes_total", .counter,
        "Passes of an event loop that took more than 50 ms", labels: ["loop"])
    static let cpuUser = Instrument(
        "process_cpu_user_seconds_total", .counter, "Processor time in user mode")
    static let cpuSystem = Instrument(
        "process_cpu_system_seconds_total", .counter, "Processor time in the kernel")
    static let cpu = Instrument(
        "process_cpu_seconds_total", .counter, "Processor time in all")
    static let startTime = Instrument(
        "process_start_time_seconds", .gauge, "When the gateway started, in seconds since 1970")
    static let residentMemory = Instrument(
        "process_resident_memory_bytes", .gauge, "Resident memory")
    static let virtualMemory = Instrument(
        "process_virtual_memory_bytes", .gauge, "Virtual memory")
    static let openFiles = Instrument(
        "process_open_fds", .gauge, "Open file descriptors")
    static let maximumFiles = Instrument(
        "process_max_fds", .gauge, "File descriptors that may be open")

    /// All of them, as a scrape shows them.
    static let all = [
        apiRouteGet, apiRouteAdd, apiRouteDelete, requestsWeb, requestsWS, requestsProxy,
        requestsAPI, findTarget, lastActivity, requestDuration, requestFailures, receivedBytes,
        sentBytes, hubTokens, webSockets, connections, handshakeFailures, upstreamConnections,
        upstreamOpened, upstreamReused, routes, tableComplete, storeFailures, lostLines, slowPasses,
        cpuUser, cpuSystem, cpu, startTime, residentMemory, virtualMemory, openFiles, maximumFiles,
    ]
}
