"""Section 10: log lines. All stand on standard output."""
import os
import re
import signal
import time

import pytest

from backend import cut, echo_tunnel, response
from basics import unique
from contract import contract
from wire import upgrade_bytes

LINE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[ConfigProxy\] "


@contract("10", "A line is `2026-11-21T04:52:04.587Z [ConfigProxy] info: text`", chp45="`04:52:06.694 [ConfigProxy] …`")
def test_format(proxy_with, backend, differs):
    proxy = proxy_with("--log-level", "info")
    path = proxy.add(unique(), backend)
    proxy.wait_log(f"Route added {path} ->")
    pattern = r"^\d\d:\d\d:\d\d\.\d{3} \[ConfigProxy\] " if differs else LINE
    lines = [line for line in proxy.log().splitlines() if line.strip()]
    assert lines
    for line in lines:
        assert re.match(pattern + r"(debug|info|warn|error): ", line), line


@contract("10", "The word of the level carries an ANSI colour", gatehouse="no colour",
          why="a file or a pipe is read by programs")
def test_colour(proxy, differs):
    proxy.wait_log("info: Proxying")
    assert ("\x1b[32minfo\x1b[39m" in proxy.out.read_text()) == (not differs)


@contract("10", "`Adding route P -> T`, `Route added P -> T`, `Removing route P`")
def test_routes(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.api("DELETE", "/api/routes" + path)
    proxy.wait_log(rf"info: Adding route {path} -> {backend.url}$")
    proxy.wait_log(rf"info: Route added {path} -> {backend.url}$")
    proxy.wait_log(rf"info: Removing route {path}$")


@contract("10", "`Proxying http://<ip:port> to (no default)` and `Proxy API at http://<ip:port>/api/routes`",
          chp53="`port:ip`")
def test_start(proxy, peer):
    port, api = proxy.port, proxy.port + 1
    first, second = ((f"{port}:127.0.0.1", f"{api}:127.0.0.1") if peer.name == "chp53"
                     else (f"127.0.0.1:{port}", f"127.0.0.1:{api}"))
    proxy.wait_log(rf"info: Proxying http://{first} to \(no default\)$")
    proxy.wait_log(rf"info: Proxy API at http://{second}/api/routes$")


@contract("10", "With `--default-target` its URL stands there and in `Route added / -> URL`")
def test_default_target(start, backend):
    proxy = start("--default-target", backend.url)
    proxy.wait_log(rf"info: Proxying http://\S+ to {backend.url}$")
    proxy.wait_log(rf"info: Route added / -> {backend.url}$")


@contract("10", "`Serve metrics at http://…/metrics`")
def test_metrics(proxy):
    proxy.wait_log(r"info: Serve metrics at http://\S+/metrics$")


@contract("10", "The API logs `<status> <METHOD> <path without query>`: below 400 at info, 4xx at warn")
def test_api(proxy, backend):
    path = unique()
    proxy.api("GET", "/api/routes?inactive_since=2099-01-01")
    proxy.add(path + "?secret=1", backend)
    proxy.api("GET", "/api/routes" + path + "x?secret=2")
    proxy.api("GET", "/api/routes" + path + "y?secret=3", fields=[])
    proxy.api("POST", "/api/routes" + path + "z", "{}")
    proxy.api("PUT", "/api/routes" + path + "w")
    proxy.wait_log(r"info: 200 GET /api/routes ?$")
    proxy.wait_log(rf"info: 201 POST /api/routes{path} ?$")
    proxy.wait_log(rf"warn: 404 GET /api/routes{path}x ?$")
    proxy.wait_log(rf"warn: 403 GET /api/routes{path}y ?$")
    proxy.wait_log(rf"warn: 400 POST /api/routes{path}z Must specify 'target' as string$")
    proxy.wait_log(rf"warn: 405 PUT /api/routes{path}w Method not supported$")
    assert "secret" not in proxy.log()


@contract("10", "A proxied request is logged only when it fails: `404 GET /path`, `503 GET /path <reason>`, without its query")
def test_requests(proxy_with, backend, peer):
    proxy = proxy_with("--log-level", "info")
    good, dead = proxy.add(unique(), backend), proxy.add(unique(), "http://127.0.0.1:1")
    missing = unique("/nowhere")
    proxy.get(good + "/ordinary")
    proxy.get(missing + "?secret=1")
    proxy.get(dead + "/x?secret=2")
    # Ours goes on with the id of the page.
    end = " id=[0-9a-f]{16}$" if peer.name == "gatehouse" else " ?$"
    proxy.wait_log(rf"error: 404 GET {missing}{end}")
    proxy.wait_log(rf"error: 503 GET {dead}/x .*ECONNREFUSED.*{end if peer.name == 'gatehouse' else '$'}")
    assert "secret" not in proxy.log()
    assert "/ordinary" not in proxy.log()


@contract("10", "The line of a request that failed names the page that its sender saw", chp="its pages have no id")
@pytest.mark.parametrize("status", [404, 503])
def test_page_and_line(start, differs, status):
    proxy = start()  # No access log: what is there by default.
    path = unique("/nowhere") if status == 404 else proxy.add(unique(), "http://127.0.0.1:1")
    page = proxy.get(path).text
    found = re.search(r"Reference: ([0-9a-f]{16})\b", page)
    proxy.wait_log(rf"error: {status} GET {path}\b")
    if differs:
        assert found is None
        return
    proxy.wait_log(rf"error: {status} GET {path}\b.* id={found[1]}$")
    # Another request has another id.
    assert found[1] not in proxy.get(path).text


@contract("10", "A reset by the target is one line")
def test_reset(proxy_with, backends):
    proxy = proxy_with("--log-level", "info")
    path = proxy.add(unique(), backends(cut))
    before = len(proxy.log().splitlines())
    proxy.get(path)
    proxy.wait_log(rf"error: 503 GET {path} .+$")
    time.sleep(0.1)
    assert len(proxy.log().splitlines()) - before <= 3


@contract("10", "At debug: `PROXY WEB /path to T`, `PROXY WS /path to T`")
def test_debug(proxy, backends):
    backend = backends(echo_tunnel)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path + "/ws?secret=1"))
        connection.answer()
    proxy.wait_log(rf"debug: PROXY WS {path}/ws to {backend.url}/?$")
    other = backends()
    path = proxy.add(unique(), other)
    proxy.get(path + "/web?secret=1")
    proxy.wait_log(rf"debug: PROXY WEB {path}/web to {other.url}/?$")


@contract("10", "At debug: `Not recording activity for status S on P`")
def test_debug_activity(proxy, backends):
    path = proxy.add(unique(), backends(response("418 x")))
    proxy.get(path + "/x")
    proxy.wait_log(rf"debug: Not recording activity for status 418 on {path}$")


@contract("10", "At debug: `Requesting custom error page: U`", gatehouse="without the request's URL",
          why="its query may hold a secret")
def test_debug_error_page(start, backend, differs):
    proxy = start("--error-target", backend.url, "--log-level", "debug")
    proxy.get("/nowhere")
    end = "$" if differs else r"\?url=%2Fnowhere"
    proxy.wait_log(rf"debug: Requesting custom error page: {backend.url}/404{end}")


@contract("10", "A refused request of the API does not put its credential into the log", chp="at debug it does, section 10")
def test_credential(proxy, differs):
    proxy.api("GET", "/api/routes/refused", fields=[("Authorization", "token s3cret-of-someone")])
    proxy.wait_log(r"403 GET /api/routes/refused")
    assert ("s3cret-of-someone" in proxy.log()) == bool(differs)


@contract("10", "`--log-level` is compared without case; `error` shows neither info nor warn")
@pytest.mark.parametrize("level, shown", [("ERROR", False), ("Info", True), ("warn", False)])
def test_levels(start, backend, level, shown):
    proxy = start("--log-level", level)
    path = proxy.add(unique(), backend)
    proxy.get(unique("/nowhere"))
    proxy.wait_log(r"error: 404 GET /nowhere")
    assert ("info: Route added" in proxy.log()) == shown


@contract("10", "An unknown level: nothing is logged and it runs on", gatehouse="it warns, and logs as at info",
          why="a typing error should not blind an operator")
def test_unknown_level(start, backend, differs):
    proxy = start("--log-level", "chatty")
    path = proxy.add(unique(), backend)
    assert proxy.get(path).status == 200
    time.sleep(0.1)
    assert (proxy.log() == "") == (not differs)


@contract("10", "Any output comes within two seconds of the start")
def test_first_output(proxy_with):
    proxy = proxy_with("--log-level", "info")
    assert proxy.log()


@contract("10", "A reader of the log that stalls holds up neither requests nor SIGTERM")
def test_stalled_reader(start, peer, tmp_path):
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    try:
        words = ["sh", "-c", f'exec "$@" >"{pipe}" 2>&1', "sh", *peer.command]
        proxy = start("--log-level", "debug", command=words)
        for _ in range(40):
            assert proxy.get("/" + "q" * 4000).status == 404
        assert proxy.signal(signal.SIGTERM) == 2
        assert os.read(reader, 1 << 16)
    finally:
        os.close(reader)
