"""Section 1: the life of the process."""
import os
import re
import signal
import threading
import time

import pytest

from backend import echo_tunnel
from basics import unique, wait_until
from contract import contract
from wire import Connection, request_bytes, upgrade_bytes


@contract("1", "SIGTERM logs `warn: Terminated`, SIGINT `warn: Interrupted`; both exit with rc 2")
@pytest.mark.parametrize("number, word", [(signal.SIGTERM, "Terminated"), (signal.SIGINT, "Interrupted")])
def test_signals(start, number, word):
    proxy = start()
    began = time.monotonic()
    assert proxy.signal(number) == 2
    assert time.monotonic() - began < 1
    assert re.search(rf"warn: {word}$", proxy.log(), re.M)


@contract("1", "They cut requests and WebSockets within 0.8 s: 500 ms, and what a busy machine adds")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_cut(start, backends, number):
    proxy = start()
    slow = proxy.add(unique(), backends(lambda seen: time.sleep(5)))
    tunnel = proxy.add(unique(), backends(echo_tunnel))
    with proxy.connect() as request, proxy.connect() as websocket:
        request.send(request_bytes("GET", slow))
        websocket.send(upgrade_bytes(tunnel))
        assert websocket.answer().status == 101
        began = time.monotonic()
        assert proxy.signal(number) == 2
        assert time.monotonic() - began < 0.8
        assert request.is_closed(0.5) and websocket.is_closed(0.5)


def answering(backends):
    """An upstream whose answer is half there, and goes on when it is told."""
    rest = threading.Event()

    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        if rest.wait(20):
            seen.send(b"more")
        seen.is_closed(2)
        return "end"
    return backends(script), rest


@contract("13.9", "SIGTERM can let an answer that is under way come to its end", chp="no drain: it is cut",
          gatehouse="with `--drain 5s`, rc 2 as ever", why="JupyterHub waits for no proxy unless it is told to")
def test_drain(start, backends, peer):
    backend, rest = answering(backends)
    proxy = start(*([] if peer.is_chp else ["--drain", "5s"]))
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection, proxy.connect() as idle:
        idle.send(request_bytes("GET", "/_chp_healthz"))
        assert idle.answer().status == 200
        connection.send(request_bytes("GET", path))
        assert connection.head().status == 200
        assert connection.exactly(4) == b"half"
        os.kill(proxy.process.pid, signal.SIGTERM)
        if peer.is_chp:
            assert proxy.process.wait(2) == 2
            assert connection.is_closed(1) and connection.buffer == b""
            return
        # Nobody else comes in, and whoever idles goes.
        assert idle.is_closed(2)
        wait_until(lambda: not accepts(proxy.public), 2, "the public port is closed")
        assert proxy.process.poll() is None
        rest.set()
        assert connection.exactly(4) == b"more"
        assert proxy.process.wait(3) == 2
    proxy.wait_log(r"warn: Terminated$")


def accepts(address):
    try:
        Connection(address).close()
        return True
    except OSError:
        return False


@contract("13.9", "No answer holds up SIGTERM for longer than that", chp="no such option", gatehouse="cut after `--drain 1s`, rc 2",
          why="an endless answer must not keep the process")
def test_drain_has_an_end(start, backends, peer):
    if peer.is_chp:
        assert "unknown option '--drain'" in peer.run("--drain", "1s").stderr
        return
    backend, _ = answering(backends)
    proxy = start("--drain", "1s")
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        connection.head()
        began = time.monotonic()
        assert proxy.signal(signal.SIGTERM) == 2
        assert 0.8 < time.monotonic() - began < 2.5
        assert connection.is_closed(1)


@contract("1", "SIGHUP ends the process", gatehouse="it reads its certificates again and goes on", why="a renewal needs no restart")
def test_hangup(start, backend, differs):
    proxy = start()
    path = proxy.add(unique(), backend)
    os.kill(proxy.process.pid, signal.SIGHUP)
    time.sleep(0.3)
    assert (proxy.process.poll() is None) == bool(differs)
    if differs:
        assert proxy.get(path).status == 200
    else:
        assert proxy.process.returncode == -signal.SIGHUP


@contract("1", "SIGUSR2 ends the process")
def test_usr2(start):
    proxy = start()
    assert proxy.signal(signal.SIGUSR2) == -signal.SIGUSR2


@contract("1", "SIGUSR1 ends nothing")
def test_usr1(start):
    proxy = start()
    proxy.process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    assert proxy.process.poll() is None
    assert proxy.request("GET", "/").status == 404


@contract("1", "`--pid-file` holds the pid as decimal text without a newline, and is gone after SIGTERM and SIGINT")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pid_file(start, number):
    proxy = start("--pid-file", "{folder}/pid")
    file = proxy.folder / "pid"
    assert file.read_text() == str(proxy.process.pid)
    proxy.wait_log(rf"info: Writing pid {proxy.process.pid} to \S+/pid$")
    proxy.signal(number)
    assert not file.exists()


@contract("1", "After SIGKILL the pid file is left behind, and the next start overwrites it")
def test_pid_file_left(start):
    proxy = start("--pid-file", "{folder}/pid")
    proxy.signal(signal.SIGKILL)
    assert (proxy.folder / "pid").exists()
    again = start("--pid-file", str(proxy.folder / "pid"))
    assert (proxy.folder / "pid").read_text() == str(again.process.pid)


@contract("1", "A port that is taken ends the start with an error", chp="it runs on without that listener, defect 13.6")
@pytest.mark.parametrize("which", ["public", "api"])
def test_taken(start, differs, which):
    first = start()
    words = (["--port", first.port, "--api-port", "{api}"] if which == "public" else ["--port", "{port}", "--api-port", first.port + 1])
    second = start("--ip", "127.0.0.1", "--api-ip", "127.0.0.1", *words, addresses=False, ready=False)
    if differs:
        second.wait_log(r"error: Uncaught Exception: listen EADDRINUSE")
        time.sleep(0.2)
        assert second.process.poll() is None
    else:
        assert second.process.wait(5) == 1
        assert str(first.port if which == "public" else first.port + 1) in second.log() + second.errors()
    assert first.get("/_chp_healthz").status == 200


@contract("1", "An address that is none ends the start with an error", chp="it runs on without that listener, defect 13.6")
def test_bad_ip(start, differs):
    proxy = start("--ip", "192.0.2.1", "--port", "{port}", "--api-ip", "127.0.0.1", "--api-port", "{api}", addresses=False, ready=False)
    if differs:
        proxy.wait_log(r"error: Uncaught Exception: listen EADDRNOTAVAIL")
        assert proxy.process.poll() is None
    else:
        assert proxy.process.wait(5) == 1


@contract("1", "The file of a UNIX socket is gone after the exit, and a stale one is replaced at the start",
          chp45="no such flag", chp53="it stays, and the next start does not listen")
def test_stale_socket(start, peer):
    if peer.name == "chp45":
        assert peer.run("--socket", "x").returncode == 1
        return
    words = ["--api-ip", "127.0.0.1", "--api-port", "{api}"]
    first = start("--socket", "{folder}/public.sock", *words, addresses=False, ready=False)
    file = str(first.folder / "public.sock")
    first.await_listening(file)
    first.signal(signal.SIGTERM)
    ours = peer.name == "gatehouse"
    assert os.path.exists(file) == (not ours)
    if ours:
        first = start("--socket", file, *words, addresses=False, ready=False)
        first.await_listening(file)
        first.signal(signal.SIGKILL)
        assert os.path.exists(file)
    again = start("--socket", file, *words, addresses=False, ready=False)
    if ours:
        again.await_listening(file)
        assert again.get("/_chp_healthz", address=file).status == 200
    else:
        again.wait_log(r"error: Uncaught Exception: listen EADDRINUSE")


@contract("1", "A UNIX socket that somebody answers on is never taken away", chp45="no such flag")
def test_live_socket(start, peer, differs):
    if differs:
        assert peer.run("--socket", "x").returncode == 1
        return
    words = ["--api-ip", "127.0.0.1", "--api-port", "{api}"]
    first = start("--socket", "{folder}/public.sock", *words, addresses=False, ready=False)
    file = str(first.folder / "public.sock")
    first.await_listening(file)
    second = start("--socket", file, *words, addresses=False, ready=False)
    time.sleep(1)
    if peer.name == "gatehouse":
        assert second.process.poll() == 1
    assert first.get("/_chp_healthz", address=file).status == 200


@contract("1", "After a restart the routes are gone until they are added again", gatehouse="they are back at once",
          why="users keep working while the Hub comes back; each route ends 15 minutes after the Hub's last confirmation")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_routes_survive(start, backend, differs, number):
    proxy = start()
    path = proxy.add(unique(), backend, jupyterhub=True)
    port, folder = proxy.port, str(proxy.folder)
    proxy.signal(number)
    again = start("--ip", "127.0.0.1", "--port", port, "--api-ip", "127.0.0.1", "--api-port", port + 1, addresses=False, ready=False,
                  environment={"XDG_STATE_HOME": folder, "HOME": folder})
    again.public, again.api_address = ("127.0.0.1", port), ("127.0.0.1", port + 1)
    again.await_listening(again.public)
    assert again.get(path).status == (200 if differs else 404)
    again.await_listening(again.api_address)
    assert (path in again.routes()) == bool(differs)


@contract("1", "Directly after a start a path below `/user/` without a route goes to the route `/`",
          gatehouse="503 with Retry-After until the table is complete",
          why="the Hub would answer that the server is not running, and the page would give up")
def test_before_synchronisation(start, backend, differs):
    proxy = start("--default-target", backend.url)
    answer = proxy.get("/user/alice/lab")
    assert proxy.get("/hub/home").status == 200
    if differs:
        assert answer.status == 503
        assert answer.get("retry-after") == "2"
        assert [seen.target for seen in backend.requests] == ["/hub/home"]
        proxy.routes()
        time.sleep(2.5)
        assert proxy.get("/user/alice/lab").status == 200
    else:
        assert answer.status == 200


@contract("12", "JupyterHub looks whether it is ready by a bare TCP connection, without a byte")
def test_bare_connection(proxy):
    for _ in range(20):
        Connection(proxy.public).close()
        Connection(proxy.api_address).close()
    assert proxy.get("/_chp_healthz").status == 200
    assert proxy.api("GET", "/api/routes").status == 200


@contract("1", "A link named `configurable-http-proxy` to the executable is the same command")
def test_link(start, peer, tmp_path, backend):
    if peer.is_chp:
        command = peer.command
    else:
        link = tmp_path / "configurable-http-proxy"
        link.symlink_to(os.path.realpath(peer.command[0]))
        command = [str(link)]
    proxy = start("--default-target", backend.url, command=command)
    assert proxy.get("/x").status == 200
    assert proxy.routes()["/"]["target"] == backend.url


@contract("13", "Servers that each were asked once leave descriptors for the next one")
def test_many_servers_with_few_descriptors(start, backend, peer):
    few = ["sh", "-c", 'ulimit -n 128; exec "$0" "$@"', *peer.command]
    proxy = start(command=few)
    proxy.add("/", backend)
    for number in range(200):
        path = proxy.add(f"/user/{number}", f"{backend.url}/{number}")
        assert proxy.request("GET", path, [("Connection", "close")]).status == 200, number


@contract("1", "Started without standard input, output and error it serves")
def test_closed_descriptors(start, backend, peer):
    closed = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *peer.command]
    proxy = start(command=closed)
    proxy.add("/", backend)
    assert proxy.request("GET", "/x").status == 200
    # Nobody's socket has their numbers.
    for number in range(3):
        assert os.readlink(f"/proc/{proxy.process.pid}/fd/{number}") == "/dev/null"
