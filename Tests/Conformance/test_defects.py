"""Section 13: defects of configurable-http-proxy, seen there and not here."""
import json
import os
import pathlib
import sys
import threading
import time

import pytest

from backend import Backend, cut, echo_tunnel, response
from basics import unique, wait_until
from certificates import sign
from contract import PEERS, contract
from proxy import Peer, Proxy, find_peer
from wire import Closed, chunked, frame, read_frame, request_bytes, upgrade_bytes


@contract("13.1", "A chunked body of DELETE or OPTIONS stays a body: the next user gets his own answer",
          chp53="it follows a `content-length: 0` on a shared connection: the next user gets the answer of what was smuggled in it",
          chp45="it follows a `content-length: 0`, on a connection that nobody else uses")
@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
def test_smuggling(proxy, backends, peer, method):
    def script(seen):
        if seen.target.endswith("smuggled"):
            time.sleep(0.4)  # A slow answer, which the next request overtakes.
        seen.send(response(body=f"{seen.method} {seen.target}"))
    backend = backends(script)
    path = proxy.add(unique(), backend)
    smuggled = f"GET {path}/smuggled HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    answer = proxy.request(method, path + "/first", [("Transfer-Encoding", "chunked")], chunked(smuggled))
    assert answer.text == f"{method} {path}/first"
    after = proxy.get(path + "/next").text
    targets = [seen.target for seen in backend.requests]
    first = backend.requests[0]
    if peer.name == "gatehouse":
        assert targets == [path + "/first", path + "/next"]
        assert first.body == smuggled and first.get("content-length") is None
        assert after == f"GET {path}/next"
    else:
        assert first.get("content-length") == "0" and first.body == b""
        assert path + "/smuggled" in targets
        assert after == (f"GET {path}/smuggled" if peer.name == "chp53" else f"GET {path}/next")


@contract("13.2", "A client is told when the upstream dies in mid-body", chp="it waits for ever")
@pytest.mark.parametrize("end", ["reset", "close"])
def test_death_in_mid_body(proxy, backends, differs, end):
    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(0.1)
        return cut(seen) if end == "reset" else "end"
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        assert connection.head().status == 200
        assert connection.is_closed(1.0) == (not differs)


@contract("13.3", "Descriptors do not grow with WebSockets that fail: no route, a dead target, one that refuses or resets, clients that vanish",
          chp45="each stays open until the client closes", chp53="without a route it stays open even when the client has closed")
@pytest.mark.parametrize("kind", ["no route", "dead", "refuses", "resets", "vanishes"])
def test_descriptors(proxy, backends, peer, kind):
    target = {"dead": "http://127.0.0.1:1", "refuses": backends(response("403 Forbidden")).url,
              "resets": backends(cut).url, "vanishes": backends(echo_tunnel).url}
    path = unique("/nowhere") if kind == "no route" else proxy.add(unique(), target[kind])
    before = proxy.descriptors()
    held = []
    for _ in range(30):
        connection = proxy.connect()
        connection.send(upgrade_bytes(path))
        if kind == "vanishes":
            connection.answer()
            connection.reset()
        else:
            # The client waits for the proxy's end and does not close by itself.
            held.append(connection)
            if kind == "refuses" and peer.name == "gatehouse":
                # An answer like any other: the connection is the client's to close.
                assert connection.answer().status == 403
                connection.close()
    for connection in held:
        try:
            connection.more(3)  # Its first word; only now it is known to have been accepted.
        except (Closed, OSError):
            pass
    def settles(within):
        try:
            return wait_until(lambda: proxy.descriptors() <= before + 8, within, "")
        except AssertionError:
            return False
    while_open = settles(4)  # Ours reads on for 2 s, or a reset could overtake its answer.
    for connection in held:
        connection.close()
    after = settles(3)
    if kind == "refuses" and peer.name == "chp53":
        return  # What it keeps towards the target depends on the time.
    assert (while_open, after) == {
        "chp45": (kind == "vanishes", True), "chp53": (kind != "no route",) * 2,
        "gatehouse": (True, True)}[peer.name]


def keeps_descriptors(proxy, backends):
    """Whether their number settles after requests to targets that fail and by clients that vanish."""
    dead = proxy.add(unique(), "http://127.0.0.1:1")
    resets = proxy.add(unique(), backends(cut))
    silent = proxy.add(unique(), backends(lambda seen: seen.is_closed(1) and "end" or "end"))
    before = proxy.descriptors()
    for _ in range(20):
        assert proxy.get(dead).status == proxy.get(resets).status == 503
        with proxy.connect() as connection:
            connection.send(request_bytes("GET", silent))
            time.sleep(0.01)
            connection.reset()
    try:
        return wait_until(lambda: proxy.descriptors() <= before + 8, 7, "")
    except AssertionError:
        return False


@contract("13.3", "Descriptors do not grow with requests to dead, resetting and silent targets and with clients that vanish")
def test_descriptors_of_requests(proxy, backends):
    assert keeps_descriptors(proxy, backends)


@pytest.fixture
def stand_in():
    """A proxy that has these defects when it is told to: both versions pass the tests of them."""
    made = []

    def begin(*flags):
        program = [sys.executable, str(pathlib.Path(__file__).with_name("stand_in.py"))]
        made.append(Proxy(Peer("stand-in", "a stand-in", program, {}), *flags))
        return made[-1]
    yield begin
    for one in made:
        one.stop()


def test_leaked_descriptors_are_found(stand_in, backends):
    assert keeps_descriptors(stand_in(), backends)
    assert not keeps_descriptors(stand_in("--leak", "descriptors"), backends)


@contract("13.5", "`--insecure` works", chp53="no effect")
def test_insecure(proxy_with, backends, certificates, differs):
    proxy = proxy_with("--insecure")
    backend = backends(tls=certificates.serving())
    assert proxy.get(proxy.add(unique(), backend)).status == (503 if differs else 200)


@contract("13.5", "The client's Host does not choose the name that a target's certificate is compared with", chp="it does")
def test_host_and_certificate(proxy_with, backends, certificates, differs):
    # The certificate is one for `localhost`; the target's address is 127.0.0.1, which it does not name.
    folder = certificates.folder
    if not (folder / "named.crt").exists():
        sign(folder, "named", "DNS:localhost")
    proxy = proxy_with("--client-ssl-ca", certificates["ca.crt"])
    path = proxy.add(unique(), backends(tls=certificates.serving("named")))
    assert proxy.get(path, host="localhost").status == (200 if differs else 503)


@contract("13.6", "No request to the API is left without an answer", chp="`DELETE /api/routes` and bad escapes are")
def test_api_always_answers(proxy, backend, differs):
    proxy.add("/", backend)
    silent = 0
    for target in ("/api/routes", "/api/routes/%", "/api/routes/%ff"):
        with proxy.api_connect() as connection:
            connection.send(request_bytes("DELETE", target, [("Authorization", f"token {proxy.token}")]))
            silent += connection.is_silent(0.4)
    assert ("/" in proxy.routes()) == bool(differs)
    proxy.api("DELETE", "/api/routes/")
    assert silent == (3 if differs else 0)


@contract("13.6", "A route below a segment like `constructor` can be added, found and removed", chp="500 for its siblings")
def test_constructor(proxy, backend, differs):
    base = unique()
    proxy.add(base + "/constructor/deep", backend)
    assert proxy.get(base + "/constructor/deep").status == 200
    proxy.add(base + "/x", backend)
    proxy.add(base, backend)
    assert proxy.get(base + "/toString").status == (500 if differs else 200)
    assert proxy.api("DELETE", f"/api/routes{base}/constructor/deep").status == 204


@contract("13.6", "The host of `//host/path` is no host", chp53="routed as `/path`, forwarded as it came")
def test_route_confusion(proxy, backends, peer):
    private, public = backends(), backends()
    base = unique()
    proxy.add(base, private)
    proxy.add("/public" + base, public)
    proxy.get(f"//public{base}/x")
    assert len(private.requests) + len(public.requests) == 1
    went = "private" if private.requests else "public"
    assert went == ("private" if peer.name == "chp53" else "public")


@contract("13.8", "By default the activity is that of the contract: WebSocket data from the server do not count")
def test_activity_by_default(proxy, backends):
    def script(seen):
        seen.accept(early=frame("x", masked=False))
        for _ in range(5):
            time.sleep(0.05)
            seen.send(frame("x", masked=False))
        seen.is_closed(2)
        return "end"
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        connection.answer()
        before = proxy.activity(path)
        time.sleep(0.4)
        assert proxy.activity(path) == before


@contract("13.8", "WebSocket data from the server count where an option says so", chp="there is none, and they do not",
          gatehouse="with `--activity traffic`", why="what a server writes is not always somebody at work")
def test_traffic_of_websocket(start, backends, peer):
    def script(seen):
        seen.accept()
        seen.more(30)  # A word of the client, whose time is known.
        time.sleep(0.5)
        seen.send(frame("x", masked=False))
        seen.is_closed(5)
        return "end"
    proxy = start(*([] if peer.is_chp else ["--activity", "traffic"]))
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        connection.answer()
        connection.send(frame("go"))
        time.sleep(0.25)
        before = proxy.activity(path)
        read_frame(connection)
        time.sleep(0.1)
        assert (proxy.activity(path) > before) == (not peer.is_chp)


@contract("13.8", "A running download counts where an option says so", chp="there is none, and it does not",
          gatehouse="with `--activity traffic`", why="what a server writes is not always somebody at work")
def test_traffic_of_download(start, backends, peer):
    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(0.4)
        seen.send(b"more")
        seen.is_closed(5)
        return "end"
    proxy = start(*([] if peer.is_chp else ["--activity", "traffic"]))
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        assert connection.head().status == 200
        connection.exactly(4)
        time.sleep(0.1)
        before = proxy.activity(path)
        connection.exactly(4)
        time.sleep(0.1)
        assert (proxy.activity(path) > before) == (not peer.is_chp)


def kilobytes_grown(proxy, backend):
    """What the process has more after 1,500 routes that came and went than after 500."""
    def resident():
        for line in open(f"/proc/{proxy.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    # A route that is kept costs its data at least: 15 MB in all.
    body = json.dumps({"target": backend.url, "blob": "x" * 10_000}).encode()
    fields = [("Authorization", f"token {proxy.token}")]

    def cycle(count):
        with proxy.api_connect() as connection:
            for index in range(count):
                path = f"/api/routes/m/{index}"
                connection.send(request_bytes("POST", path, fields, body))
                assert connection.answer("POST").status == 201
                connection.send(request_bytes("DELETE", path, fields))
                assert connection.answer("DELETE").status == 204
    cycle(500)
    before = resident()
    cycle(1500)
    return resident() - before


GROWTH = 4_000


@contract("13.9", "Memory does not grow with routes that come and go",
          chp="not measured: node collects its rubbish when it likes, more than a leak would be")
def test_memory_of_routes(proxy, backend, differs):
    assert kilobytes_grown(proxy, backend) < (200_000 if differs else GROWTH)


def test_leaked_routes_are_found(stand_in, backend):
    assert kilobytes_grown(stand_in(), backend) < GROWTH
    assert kilobytes_grown(stand_in("--leak", "routes"), backend) > 2 * GROWTH


SIZE, PART = 340, 500


@pytest.fixture(scope="session")
def slow_uploads(request):
    """A part every second for almost six minutes, at all chosen peers at the same time."""
    chosen = request.config.getoption("--peer") or ["gatehouse"]
    found = {}

    def upload(name):
        proxy, backend = Proxy(find_peer(name)), Backend()
        try:
            proxy.add("/slow", backend)
            with proxy.connect() as connection:
                connection.send(f"PUT /slow HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE * PART}\r\n\r\n")
                for _ in range(SIZE):
                    connection.send(b"x" * PART)
                    if connection.is_closed(1):
                        break
                found[name] = (connection.buffer, len(backend.last.body))
        finally:
            backend.close()
            proxy.stop()
    names = PEERS if "all" in chosen else chosen
    threads = {name: threading.Thread(target=upload, args=(name,)) for name in names}
    for thread in threads.values():
        thread.start()

    def wait(name):
        threads[name].join()
        return found[name]
    yield wait
    for thread in threads.values():
        thread.join()


@contract("13.4", "An upload of six minutes goes on while bytes flow", chp="408 after 300 s")
@pytest.mark.skipif(os.environ.get("CONFORMANCE_SLOW") != "1", reason="takes six minutes: CONFORMANCE_SLOW=1")
@pytest.mark.timeout(480)
def test_slow_upload(slow_uploads, peer, differs):
    answer, arrived = slow_uploads(peer.name)
    if differs:
        assert b" 408 " in answer
    else:
        assert b" 200 " in answer
        assert arrived == SIZE * PART
