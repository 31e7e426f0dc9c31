"""Section 9: metrics."""
import re
import time

import pytest

from backend import OK, echo_tunnel, response
from basics import unique, wait_until
from contract import contract
from wire import Connection, request_bytes, upgrade_bytes


def asked(proxy, method, target):
    with Connection(proxy.metrics) as connection:
        connection.send(request_bytes(method, target))
        return connection.answer(method)


def grows(proxy, name, by, action):
    before = proxy.metric(name)
    action()
    wait_until(lambda: proxy.metric(name) >= before + by, 2, f"{name} + {by}")
    time.sleep(0.05)
    assert proxy.metric(name) == before + by


@contract("9", "`/metrics` answers any method with `text/plain; version=0.0.4; charset=utf-8`")
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_metrics(proxy, method):
    answer = asked(proxy, method, "/metrics")
    assert answer.status == 200
    assert answer.get("content-type") == "text/plain; version=0.0.4; charset=utf-8"


@contract("9", "Any other path is 404 `Not Found`")
@pytest.mark.parametrize("target", ["/", "/metrics/", "/metrics?x", "/api/routes"])
def test_other_paths(proxy, target):
    answer = asked(proxy, "GET", target)
    assert (answer.status, answer.body) == (404, b"Not Found")


@contract("9", "Nobody reads or changes routes by the metrics' listener")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_routes(proxy, backend, method):
    kept, added = proxy.add(unique(), backend), unique()
    path = "" if method == "GET" else added if method == "POST" else kept
    body = b'{"target": "http://127.0.0.1:1"}' if method == "POST" else b""
    with Connection(proxy.metrics) as connection:
        connection.send(request_bytes(method, "/api/routes" + path, body=body))
        assert connection.answer(method).status == 404
    routes = proxy.routes()
    assert kept in routes and added not in routes


@contract("9", "`/metrics` of the public side is an ordinary path")
def test_public(proxy):
    assert proxy.get("/metrics").status == 404


NAMES = {
    "counter": ["api_route_get", "api_route_add", "api_route_delete", "requests_ws", "requests_web", "requests_proxy",
                "requests_api", "process_cpu_user_seconds_total", "process_cpu_system_seconds_total", "process_cpu_seconds_total"],
    "summary": ["find_target_for_req", "last_activity_updating"],
    "gauge": ["process_start_time_seconds", "process_resident_memory_bytes", "process_virtual_memory_bytes",
              "process_open_fds", "process_max_fds"]}


@contract("9", "The names and kinds of the metrics, without `_total` where they have none")
@pytest.mark.parametrize("kind, name", [(kind, name) for kind, names in NAMES.items() for name in names])
def test_names(proxy, kind, name):
    assert re.search(rf"^# TYPE {name} {kind}$", asked(proxy, "GET", "/metrics").text, re.M)


@contract("9", "`process_heap_bytes` and `nodejs_…` are there", gatehouse="they are not", why="there is no such heap and no node")
def test_node_names(proxy, differs):
    text = asked(proxy, "GET", "/metrics").text
    assert "process_open_fds" in text
    assert ("nodejs_" in text) == (not differs)


@contract("9", "`api_route_get` counts listings only")
def test_api_route_get(proxy, backend):
    path = proxy.add(unique(), backend)
    grows(proxy, "api_route_get", 1, lambda: (proxy.routes(), proxy.api("GET", "/api/routes" + path)))


@contract("9", "`api_route_add` counts additions")
def test_api_route_add(proxy, backend):
    grows(proxy, "api_route_add", 1, lambda: (proxy.add(unique(), backend), proxy.api("POST", "/api/routes/x", "{}")))


@contract("9", "`api_route_delete` counts removals, also those that find nothing")
def test_api_route_delete(proxy, backend):
    path = proxy.add(unique(), backend)
    grows(proxy, "api_route_delete", 2, lambda: [proxy.api("DELETE", "/api/routes" + path) for _ in range(2)])


@contract("9", "`requests_web` counts requests without health checks")
def test_requests_web(proxy, backend):
    path = proxy.add(unique(), backend)
    grows(proxy, "requests_web", 2, lambda: (proxy.get(path), proxy.get("/_chp_healthz"), proxy.get("/nowhere")))


@contract("9", "`requests_ws` counts handshakes")
def test_requests_ws(proxy, backends):
    path = proxy.add(unique(), backends(echo_tunnel))

    def open_one():
        with proxy.connect() as connection:
            connection.send(upgrade_bytes(path))
            assert connection.answer().status == 101
    grows(proxy, "requests_ws", 1, open_one)


@contract("9", "`requests_proxy{status}` counts answers of targets and the proxy's own pages")
@pytest.mark.parametrize("status", ["200", "302", "418", "404", "503"])
def test_requests_proxy(proxy, backends, status):
    path = "/nowhere" if status == "404" else proxy.add(
        unique(), "http://127.0.0.1:1" if status == "503" else backends(response(status + " x")))
    grows(proxy, f'requests_proxy{{status="{status}"}}', 1, lambda: proxy.get(path))


@contract("9", "A 101 is not counted in `requests_proxy`")
def test_requests_proxy_101(proxy, backends):
    path = proxy.add(unique(), backends(echo_tunnel))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        assert connection.answer().status == 101
    time.sleep(0.1)
    assert proxy.metric('requests_proxy{status="101"}') == 0


@contract("9", "`requests_api{status}` counts answers of the API")
def test_requests_api(proxy, backend):
    path = proxy.add(unique(), backend)
    grows(proxy, 'requests_api{status="403"}', 1, lambda: proxy.api("GET", "/api/routes", fields=[]))
    grows(proxy, 'requests_api{status="204"}', 1, lambda: proxy.api("DELETE", "/api/routes" + path))
    grows(proxy, 'requests_api{status="404"}', 1, lambda: proxy.api("GET", "/other"))


@contract("9", "The summaries have the quantiles .01 .05 .5 .9 .95 .99 .999, a sum in seconds and a count")
@pytest.mark.parametrize("name", ["find_target_for_req", "last_activity_updating"])
def test_summaries(proxy, backend, name):
    path = proxy.add(unique(), backend)
    grows(proxy, f"{name}_count", 1, lambda: proxy.get(path))
    text = asked(proxy, "GET", "/metrics").text
    for quantile in ("0.01", "0.05", "0.5", "0.9", "0.95", "0.99", "0.999"):
        assert re.search(rf'^{name}{{quantile="{quantile}"}} [0-9.e-]+$', text, re.M), quantile
    assert 0 < proxy.metric(f"{name}_sum") < 10


@contract("9", "Without `--metrics-port` and `--metrics-socket` there is no such listener")
def test_none(proxy_with):
    proxy = proxy_with("--log-level", "info")
    with pytest.raises(OSError):
        Connection(proxy.metrics)


@contract("9", "`--metrics-socket` serves them on a UNIX socket", chp45="no such flag")
def test_socket(start, peer, differs):
    if differs:
        assert peer.run("--metrics-socket", "x").returncode == 1
        return
    proxy = start("--metrics-socket", "{folder}/metrics.sock")
    proxy.await_listening(str(proxy.folder / "metrics.sock"))
    with Connection(str(proxy.folder / "metrics.sock")) as connection:
        connection.send(request_bytes("GET", "/metrics"))
        assert "requests_web" in connection.answer().text
    proxy.wait_log(r"Serve metrics at ")
