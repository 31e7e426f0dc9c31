"""Section 6: WebSockets and other upgrades."""
import os
import socket
import time

import pytest

from backend import cut, echo_tunnel, response
from basics import unique, wait_until
from contract import contract
from wire import Closed, frame, read_frame, request_bytes, upgrade_bytes


def opened(proxy, path, fields=()):
    connection = proxy.connect()
    connection.send(upgrade_bytes(path, fields))
    answer = connection.answer()
    assert answer.status == 101, answer
    connection.handshake = answer
    return connection


@contract("6", "After 101 bytes pass both ways as they come")
def test_tunnel(proxy, backends):
    path = proxy.add(unique(), backends(echo_tunnel))
    with opened(proxy, path) as connection:
        for payload in ("hello", "x" * 70, "y" * 5000, "z"):
            sent = frame(payload)
            connection.send(sent)
            assert connection.exactly(len(sent)) == sent
        connection.send(frame("", opcode=9))
        assert read_frame(connection) == (9, b"")


@contract("6", "The handshake reaches the target with its Sec-WebSocket and other fields")
def test_handshake_fields(proxy, backends):
    backend = backends(echo_tunnel)
    path = proxy.add(unique(), backend)
    with opened(proxy, path, [("Sec-WebSocket-Protocol", "v1.kernel.websocket.jupyter.org"), ("Cookie", "a=b"),
                              ("Origin", "http://localhost"), ("Sec-WebSocket-Extensions", "permessage-deflate")]):
        seen = backend.last
    assert seen.target == path
    assert seen.get("upgrade").lower() == "websocket"
    assert seen.get("connection").lower() == "upgrade"
    assert seen.get("sec-websocket-protocol") == "v1.kernel.websocket.jupyter.org"
    assert seen.get("sec-websocket-extensions") == "permessage-deflate"
    assert (seen.get("cookie"), seen.get("origin"), seen.get("host")) == ("a=b", "http://localhost", "localhost")


@contract("6", "The fields of the 101 pass, two Set-Cookie apart")
def test_101_fields(proxy, backends):
    def script(seen):
        seen.accept(fields=[("Sec-WebSocket-Protocol", "p"), ("X-One", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        seen.more(5)
    path = proxy.add(unique(), backends(script))
    with opened(proxy, path) as connection:
        answer = connection.handshake
    assert (answer.get("sec-websocket-protocol"), answer.get("x-one")) == ("p", "1")
    assert answer.all("set-cookie") == ["a=1", "b=2"]
    assert answer.get("upgrade").lower() == "websocket"
    assert answer.get("sec-websocket-accept")


@contract("6", "`Upgrade: WebSocket` in any case opens one")
@pytest.mark.parametrize("word", ["WebSocket", "WEBSOCKET"])
def test_case(proxy, backends, word):
    path = proxy.add(unique(), backends(echo_tunnel))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path, upgrade=word))
        assert connection.answer().status == 101


@contract("6", "An upgrade by another method, or to another protocol, closes the connection without a word",
          gatehouse="answered over HTTP/1.1", why="a server may ignore an Upgrade (RFC 9110, 7.8)")
@pytest.mark.parametrize("method, word", [("POST", "websocket"), ("GET", "tcp")])
def test_other_upgrades(proxy, backend, differs, method, word):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path, method=method, upgrade=word))
        if differs:
            assert connection.answer().status in (200, 400)
        else:
            assert connection.to_the_end() == b""
            assert backend.requests == []


@contract("6", "Bytes that follow the target's 101 in the same write are passed")
def test_early_from_target(proxy, backends):
    def script(seen):
        seen.accept(early=frame("early", masked=False))
        seen.more(5)
    path = proxy.add(unique(), backends(script))
    with opened(proxy, path) as connection:
        assert read_frame(connection) == (1, b"early")


@contract("6", "Bytes that the client sends before the 101 reach the target", chp="lost, defect 13.7")
def test_early_from_client(proxy, backends, differs):
    came = []

    def script(seen):
        time.sleep(0.3)
        seen.accept()
        try:
            came.append(read_frame(seen, 1))
        except (Closed, TimeoutError):
            came.append(None)
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path) + frame("early"))
        assert connection.answer().status == 101
        wait_until(lambda: came, 3, "an end upstream")
    assert came == [None if differs else (1, b"early")]


@contract("6", "An answer other than 101 is relayed with its fields and body, and the connection closed",
          gatehouse="relayed, and the connection kept", why="it is an answer like any other")
@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "302 Found", "503 Busy"])
def test_refused_by_target(proxy, backends, status, differs):
    path = proxy.add(unique(), backends(response(status, [("X-One", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], "no tunnel")))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        answer = connection.answer()
        assert (answer.status, answer.body, answer.get("x-one")) == (int(status[:3]), b"no tunnel", "1")
        assert answer.all("set-cookie") == ["a=1", "b=2"]
        if differs:
            connection.send(request_bytes("GET", "/_chp_healthz"))
            assert connection.answer().status == 200
        else:
            assert connection.is_closed(3)


@contract("6", "The body of such an answer is relayed when it has no length", chp45="as it is, to the end of the connection")
def test_refused_without_length(proxy, backends, differs):
    def script(seen):
        seen.send(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno tunnel")
        return "end"
    path = proxy.add(unique(), backends(script))
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        answer = connection.answer()
        assert (answer.status, answer.body) == (403, b"no tunnel")


@contract("6", "Without a route: 404 with an empty body, and the connection is closed",
          chp45="an HTML page without a status line", chp53="404, but the connection stays open, defect 13.3")
def test_no_route(proxy, peer):
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(unique("/nowhere")))
        if peer.name == "chp45":
            assert not connection.to_the_end(2).startswith(b"HTTP/")
            return
        answer = connection.answer()
        assert (answer.status, answer.body) == (404, b"")
        assert connection.is_closed(1) == (peer.name == "gatehouse")


@contract("6", "A target that is down or resets: 503 with an empty body, and the connection is closed",
          chp45="an HTML page without a status line")
@pytest.mark.parametrize("kind", ["down", "resets"])
def test_dead_target(proxy, backends, peer, kind):
    path = proxy.add(unique(), backends(cut) if kind == "resets" else "http://127.0.0.1:1")
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        if peer.name == "chp45":
            assert not connection.to_the_end(2).startswith(b"HTTP/")
            return
        answer = connection.answer()
        assert (answer.status, answer.body) == (503, b"")
        assert connection.is_closed(3)


@contract("6", "A bad URL: 500 with an empty body, and the connection is closed", chp45="an HTML page without a status line",
          chp53="500, but the connection stays open, defect 13.3", gatehouse="400",
          why="the client's mistake is no failure of the server")
def test_bad_url(proxy, backend, peer):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path + "/%zz"))
        if peer.name == "chp45":
            assert not connection.to_the_end(2).startswith(b"HTTP/")
            return
        assert connection.answer().status == (400 if peer.name == "gatehouse" else 500)
        if peer.name == "gatehouse":
            assert backend.requests == []
        else:
            assert not connection.is_closed(1)


@contract("6", "A target that cannot be read: 500 with an empty body, and the connection is closed",
          chp45="an HTML page without a status line", chp53="500, but the connection stays open, defect 13.3")
def test_bad_target(proxy, peer):
    path = proxy.add(unique(), "ftp://127.0.0.1:1")
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        if peer.name == "chp45":
            assert not connection.to_the_end(2).startswith(b"HTTP/")
            return
        answer = connection.answer()
        assert (answer.status, answer.body) == (500, b"")
        assert connection.is_closed(1) == (peer.name == "gatehouse")


@contract("6", "A failed WebSocket never asks the error target", chp45="it does, and writes the page without a status line")
def test_no_error_page(proxy_with, backends, peer):
    errors = backends(response(body="page"))
    proxy = proxy_with("--error-target", errors.url)
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(unique("/nowhere")))
        connection.is_closed(0.7)
        if peer.name != "chp45":
            assert connection.buffer.startswith(b"HTTP/1.1 404")
    assert len(errors.requests) == (1 if peer.name == "chp45" else 0)


@contract("6", "The end of one side ends the other")
def test_ends(proxy, backends):
    ended = []

    def script(seen):
        seen.accept()
        if seen.target.endswith("target"):
            return "end"
        ended.append(seen.is_closed(3))
        return "end"
    path = proxy.add(unique(), backends(script))
    with opened(proxy, path + "/target") as connection:
        assert connection.is_closed(3)
    opened(proxy, path + "/client").close()
    wait_until(lambda: ended, 5, "the end upstream")
    assert ended == [True]


@contract("6", "A tunnel outlives the change and the DELETE of its route")
def test_outlives_route(proxy, backends):
    backend = backends(echo_tunnel)
    path = proxy.add(unique(), backend)
    with opened(proxy, path) as connection:
        proxy.add(path, "http://127.0.0.1:1")
        connection.send(frame("one"))
        read_frame(connection)
        assert proxy.api("DELETE", "/api/routes" + path).status == 204
        time.sleep(0.1)
        connection.send(frame("two"))
        assert read_frame(connection) == (1, b"two")


@contract("6", "`--timeout`, `--proxy-timeout` and `--keep-alive-timeout` do not end a tunnel")
def test_no_timeouts(proxy_with, backends):
    proxy = proxy_with("--timeout", "300", "--proxy-timeout", "300", *(
        () if proxy_with("--log-level", "error").peer.name == "chp45" else ("--keep-alive-timeout", "300")))
    path = proxy.add(unique(), backends(echo_tunnel))
    with opened(proxy, path) as connection:
        time.sleep(1.6)
        connection.send(frame("still here"))
        assert read_frame(connection) == (1, b"still here")


def far_ends(port):
    """Of each socket that is connected to this port, the seconds to its keep-alive probe; None
    where it has none."""
    found = []
    for name in ("tcp", "tcp6"):
        for line in open(f"/proc/net/{name}").read().splitlines()[1:]:
            fields = line.split()
            # 01: established; of the timers 02 is that of keep-alive, in hundredths of a second.
            if int(fields[2].split(":")[1], 16) == port and fields[3] == "01":
                timer, due = fields[5].split(":")
                found.append(int(due, 16) / os.sysconf("SC_CLK_TCK") if timer == "02" else None)
    return found


@contract("6", "TCP keep-alive is set on both sockets of a tunnel")
def test_keep_alive(proxy, backends, peer):
    backend = backends(echo_tunnel)
    path = proxy.add(unique(), backend)
    with opened(proxy, path) as connection:
        connection.send(frame("x"))
        read_frame(connection)
        time.sleep(0.3)  # Until all is acknowledged: a socket shows one timer only.
        here = connection.socket.getsockname()[1]
        for end in (here, backend.port):
            timer, = far_ends(end)
            assert timer is not None
            if peer.name == "gatehouse":
                assert timer <= 15  # The kernel's own time is two hours.


@contract("6", "No delay is set on both sockets of a tunnel")
def test_socket_options(proxy, backends):
    # Seen from outside: a frame of one byte is not held back for the acknowledgement of another.
    path = proxy.add(unique(), backends(echo_tunnel))
    with opened(proxy, path) as connection:
        began = time.monotonic()
        for _ in range(50):
            connection.send(b"\x81")
            connection.send(b"\x80\x00\x00\x00\x00")
            connection.exactly(6)
        assert time.monotonic() - began < 1.5


@contract("6", "A tunnel to a UNIX socket works", chp45="not supported")
def test_unix_target(proxy, backends, tmp_path, differs):
    backend = backends(echo_tunnel, path=str(tmp_path / "back.sock"))
    path = proxy.add(unique(), backend)
    if differs:
        return
    with opened(proxy, path) as connection:
        connection.send(frame("unix"))
        assert read_frame(connection) == (1, b"unix")


@contract("6", "Paths, queries and flags apply to a WebSocket as to any request")
def test_prefix_flags(proxy_with, backends):
    backend = backends(echo_tunnel)
    proxy = proxy_with("--no-include-prefix")
    proxy.add("/bar", backend.url + "/foo")
    opened(proxy, "/bar/x?q=1").close()
    assert backend.last.target == "/foo/x?q=1"
