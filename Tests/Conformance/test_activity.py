"""Section 8: last_activity."""
import time

import pytest

from backend import OK, cut, echo_tunnel, response
from basics import unique, wait_until
from contract import contract
from wire import chunked, frame, read_frame, request_bytes, upgrade_bytes

STEP = 0.03


class Stamp:
    """The time of a route before something, and whether that something has moved it."""

    def __init__(self, proxy, path):
        self.proxy, self.path = proxy, path
        self.before = proxy.activity(path)
        time.sleep(STEP)

    def moved(self):
        try:
            wait_until(lambda: self.proxy.activity(self.path) != self.before, 0.4, "")
            return True
        except AssertionError:
            return False


def stamped(proxy, target):
    path = proxy.add(unique(), target)
    return path, Stamp(proxy, path)


@contract("8", "POST of the route counts")
def test_post(proxy, backend):
    path, stamp = stamped(proxy, backend)
    proxy.add(path, backend)
    assert stamp.moved()


@contract("8", "The end of an answer below 300 counts, with HEAD and 204, too")
@pytest.mark.parametrize("method, raw", [("GET", OK), ("HEAD", OK), ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
                                         ("DELETE", response("200 OK")), ("GET", response("299 x"))])
def test_success(proxy, backends, method, raw):
    path, stamp = stamped(proxy, backends(raw))
    proxy.request(method, path)
    assert stamp.moved()


@contract("8", "3xx, 4xx and 5xx to requests without a body do not count")
@pytest.mark.parametrize("status", ["301 Moved", "304 Not Modified", "400 Bad", "403 Forbidden", "404 Not Found", "500 Oops", "503 Busy"])
def test_failure(proxy, backends, status):
    path, stamp = stamped(proxy, backends(response(status, body=b"" if "304" in status else b"x", length="304" not in status)))
    proxy.get(path)
    assert not stamp.moved()


@contract("8", "A dead target does not count")
def test_dead(proxy):
    path, stamp = stamped(proxy, "http://127.0.0.1:1")
    assert proxy.get(path).status == 503
    assert not stamp.moved()


@contract("8", "Every part of a request's body counts, also when the answer is 4xx or 5xx or the target is dead")
@pytest.mark.parametrize("kind", ["404", "500", "dead"])
def test_body(proxy, backends, kind):
    path, stamp = stamped(proxy, "http://127.0.0.1:1" if kind == "dead" else backends(response(kind + " x")))
    proxy.request("POST", path, body=b"data")
    assert stamp.moved()


@contract("8", "The body counts while it arrives, before there is an answer")
def test_body_while_it_arrives(proxy, backends):
    path = proxy.add(unique(), backends(lambda seen: time.sleep(5), bodies=False))
    with proxy.connect() as connection:
        connection.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n")
        for _ in range(2):
            stamp = Stamp(proxy, path)
            connection.send("part")
            assert stamp.moved()


@contract("8", "The start of a request and the bytes of a running answer do not count, its end does")
def test_running_answer(proxy, backends):
    parts = []

    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
        wait_until(lambda: parts, 5, "")
        seen.send(b"4\r\npart\r\n")
        wait_until(lambda: len(parts) == 2, 5, "")
        seen.send(b"0\r\n\r\n")
    path, stamp = stamped(proxy, backends(script))
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        connection.head()
        connection.until(b"part\r\n")
        assert not stamp.moved()
        parts.append(1)
        connection.until(b"part\r\n")
        assert not stamp.moved()
        parts.append(2)
        connection.until(b"0\r\n\r\n")
        assert stamp.moved()


@contract("8", "An answer that the client aborts never counts")
def test_aborted_answer(proxy, backends):
    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
        seen.is_closed(2)
    path, stamp = stamped(proxy, backends(script))
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        connection.head()
        connection.until(b"part\r\n")
        connection.reset()
    assert not stamp.moved()


@contract("8", "Only the matched route is touched, not the one above it")
def test_parents(proxy, backend):
    path, stamp = stamped(proxy, backend)
    proxy.add(path + "/deep", backend)
    deep = Stamp(proxy, path + "/deep")
    proxy.get(path + "/deep/x")
    assert deep.moved()
    assert proxy.activity(path) == stamp.before


@contract("8", "Reading the API and the health check do not count")
def test_reading(proxy, backend):
    path, stamp = stamped(proxy, backend)
    proxy.routes()
    proxy.api("GET", "/api/routes" + path)
    proxy.get("/_chp_healthz")
    assert not stamp.moved()


# WebSockets.

@contract("8", "Opening a WebSocket alone does not count, nor does its end")
def test_websocket_open(proxy, backends):
    path, stamp = stamped(proxy, backends(echo_tunnel))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        assert connection.answer().status == 101
        assert not stamp.moved()
    assert not stamp.moved()


@contract("8", "Every bytes of a WebSocket from the client count, a pong's too")
@pytest.mark.parametrize("opcode", [1, 2, 9, 10])
def test_websocket_from_client(proxy, backends, opcode):
    path = proxy.add(unique(), backends(echo_tunnel))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        assert connection.answer().status == 101
        for _ in range(2):
            stamp = Stamp(proxy, path)
            connection.send(frame("x", opcode))
            read_frame(connection)
            assert stamp.moved()


@contract("8", "Bytes of a WebSocket from the server do not count")
def test_websocket_from_server(proxy, backends):
    def script(seen):
        seen.accept()
        for _ in range(5):
            time.sleep(0.1)
            seen.send(frame("tick", masked=False))
        seen.is_closed(3)
        return "end"
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        assert connection.answer().status == 101
        stamp = Stamp(proxy, path)
        for _ in range(5):
            assert read_frame(connection) == (1, b"tick")
        assert not stamp.moved()


@contract("8", "A WebSocket that fails or is refused does not count")
@pytest.mark.parametrize("kind", ["403", "dead", "resets"])
def test_websocket_fails(proxy, backends, kind):
    target = "http://127.0.0.1:1" if kind == "dead" else backends(cut if kind == "resets" else response("403 Forbidden"))
    path, stamp = stamped(proxy, target)
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        connection.is_closed(1)
    assert not stamp.moved()
