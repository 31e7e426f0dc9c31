"""Section 1: words and environment."""
import os
import re
import socket
import time

import pytest

from basics import free_port, unique
from contract import contract
from wire import Connection, request_bytes


# Words.

@contract("1", "`-V` and `--version` print only the version, rc 0")
@pytest.mark.parametrize("word", ["-V", "--version"])
def test_version(peer, word):
    ended = peer.run(word)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", ended.stdout)


@contract("1", "`-h` and `--help` print the usage, rc 0")
@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help(peer, word):
    ended = peer.run(word)
    assert (ended.returncode, ended.stderr) == (0, "")
    for flag in ("--ip", "--port", "--api-port", "--default-target", "--error-target", "--host-routing"):
        assert flag in ended.stdout


FLAGS = """--ip --port --ssl-key --ssl-cert --ssl-ca --ssl-request-cert --ssl-reject-unauthorized --ssl-protocol --ssl-ciphers
--ssl-allow-rc4 --ssl-dhparam --api-ip --api-port --api-ssl-key --api-ssl-cert --api-ssl-ca --api-ssl-request-cert
--api-ssl-reject-unauthorized --client-ssl-key --client-ssl-cert --client-ssl-ca --client-ssl-request-cert
--client-ssl-reject-unauthorized --default-target --error-target --error-path --redirect-port --redirect-to --pid-file
--no-x-forward --no-prepend-path --no-include-prefix --auto-rewrite --change-origin --protocol-rewrite --custom-header --insecure
--host-routing --metrics-ip --metrics-port --log-level --timeout --proxy-timeout --storage-backend""".split()


@contract("1", "The usage names every flag")
@pytest.mark.parametrize("flag", FLAGS)
def test_help_names(peer, flag):
    assert re.search(rf"{flag}\b", help_of(peer))


@contract("1", "The usage names the flags of later versions: `--socket`, `--api-socket`, `--metrics-socket`, `--keep-alive-timeout`",
          chp45="it has none of them")
@pytest.mark.parametrize("flag", ["--socket", "--api-socket", "--metrics-socket", "--keep-alive-timeout"])
def test_help_names_new(peer, differs, flag):
    assert bool(re.search(rf"{flag}\b", help_of(peer))) == (not differs)


texts = {}


def help_of(peer):
    if peer.name not in texts:
        texts[peer.name] = peer.run("--help").stdout
    return texts[peer.name]


@contract("1", "An unknown flag: `error: unknown option '--x'` on stderr, rc 1")
def test_unknown_flag(peer):
    ended = peer.run("--no-such-flag")
    assert ended.returncode == 1
    assert "error: unknown option '--no-such-flag'" in ended.stderr


@contract("1", "A flag without its value: `error: option '--ip …' argument missing` on stderr, rc 1")
@pytest.mark.parametrize("flag", ["--ip", "--port", "--ssl-key", "--log-level"])
def test_missing_value(peer, flag):
    ended = peer.run(flag)
    assert ended.returncode == 1
    assert re.search(rf"error: option '{flag} <.*' argument missing", ended.stderr)


@contract("1", "A word too many is an error, rc 1", chp45="ignored")
def test_positional(start, peer, differs):
    if differs:
        proxy = start("surplus")
        assert proxy.get("/_chp_healthz").status == 200
    else:
        ended = peer.run("surplus")
        assert ended.returncode == 1
        assert "too many arguments" in ended.stderr


@contract("1", "`--flag value` and `--flag=value` are the same")
def test_equals_sign(start, backend):
    proxy = start(f"--default-target={backend.url}", "--custom-header=X-A: b=c")
    assert proxy.get("/x").status == 200
    assert backend.last.get("x-a") == "b=c"


@contract("1", "Of a flag given twice the last one wins")
def test_twice(start, backends):
    first, second = backends(), backends()
    proxy = start("--default-target", first.url, "--default-target", second.url)
    assert proxy.get("/x").status == 200
    assert (len(first.requests), len(second.requests)) == (0, 1)


@contract("1", "A custom header without a name before a colon: `A colon was expected in custom header: X` on stderr, rc 1")
@pytest.mark.parametrize("value", ["nocolon", ": value", "  :x"])
def test_custom_header_error(peer, value):
    ended = peer.run("--custom-header", value)
    assert ended.returncode == 1
    assert f"A colon was expected in custom header: {value.strip()}" in ended.stderr


@contract("1", "`--error-target` together with `--error-path`: an error line, rc 1")
def test_error_both(peer, tmp_path):
    ended = peer.run("--error-target", "http://127.0.0.1:1", "--error-path", str(tmp_path))
    assert ended.returncode == 1
    assert "error-target" in ended.stdout + ended.stderr and "error-path" in ended.stdout + ended.stderr


@contract("1", "`--socket` together with `--port` or `--ip`: `error: option '--socket <path>' cannot be used with option '--port …'`, rc 1",
          chp45="no such flag")
@pytest.mark.parametrize("words", [("--port", "8000"), ("--ip", "127.0.0.1")])
def test_socket_conflict(peer, differs, words):
    ended = peer.run("--socket", "/nowhere/x.sock", *words)
    assert ended.returncode == 1
    wanted = "unknown option '--socket'" if differs else f"error: option '--socket <path>' cannot be used with option '{words[0]}"
    assert wanted in ended.stderr


@contract("1", "A storage module that does not exist ends the start with 1")
def test_storage(peer):
    assert peer.run("--storage-backend", "no-such-module").returncode == 1


@contract("1", "A storage module in JavaScript is loaded", gatehouse="rc 1, with the name of what takes its place",
          why="it has no JavaScript engine; its state directory keeps routes")
def test_storage_module(start, peer, tmp_path, differs):
    module = tmp_path / "store.cjs"
    module.write_text("""module.exports = class { constructor() { this.r = {}; } cleanPath(p) { return p; }
        getTarget() { return Promise.resolve(undefined); } get(p) { return Promise.resolve(this.r[p]); }
        getAll() { return Promise.resolve(this.r); } add(p, d) { this.r[p] = d; return Promise.resolve(); }
        update() { return Promise.resolve(); } remove() { return Promise.resolve(); } };""")
    if differs:
        ended = peer.run("--storage-backend", str(module))
        assert ended.returncode == 1
        assert "state_dir" in ended.stderr
    else:
        proxy = start("--storage-backend", str(module))
        proxy.add("/x", "http://127.0.0.1:1")
        assert proxy.get("/x").status == 404


# Addresses.

@contract("1", "`--ip=` is all interfaces, IPv4 and IPv6")
@pytest.mark.parametrize("word", ["--ip=", None])
def test_all_interfaces(start, word):
    port = free_port(2)
    proxy = start(*([word] if word else []), "--port", port, "--api-port", port + 1, "--api-ip", "127.0.0.1", addresses=False, ready=False)
    for host in ("127.0.0.1", "127.0.0.5", "::1"):
        proxy.await_listening((host, port))
        assert proxy.get("/_chp_healthz", address=(host, port)).status == 200


@contract("1", "`--ip *` is an alias of it, with a warning")
def test_star(start):
    port = free_port(2)
    proxy = start("--ip", "*", "--port", port, "--api-port", port + 1, "--api-ip", "127.0.0.1", addresses=False, ready=False)
    proxy.await_listening(("127.0.0.5", port))
    proxy.wait_log(r"warn: Interpreting ip='\*' as all-interfaces\.")


@contract("1", "The API binds to localhost only by default")
def test_api_ip(start):
    port = free_port(2)
    proxy = start("--ip", "127.0.0.1", "--port", port, addresses=False, ready=False)
    proxy.await_listening(("localhost", port + 1))
    with pytest.raises(OSError):
        Connection(("127.0.0.5", port + 1))


@contract("1", "The API's port is the public one plus 1 by default; `--api-ip=` is all interfaces")
def test_api_port(start):
    port = free_port(2)
    proxy = start("--ip=", "--port", port, "--api-ip=", addresses=False, ready=False)
    proxy.await_listening(("127.0.0.5", port + 1))
    proxy.api_address = ("127.0.0.1", port + 1)
    assert proxy.routes() == {}


@contract("1", "`--api-port` that cannot be read falls back silently", gatehouse="with a warning",
          why="a typing error should not go unseen")
def test_bad_api_port(start, differs):
    port = free_port(2)
    proxy = start("--ip", "127.0.0.1", "--port", port, "--api-port", "x1", "--api-ip", "127.0.0.1", addresses=False, ready=False)
    proxy.await_listening(("127.0.0.1", port + 1))
    if differs:
        proxy.wait_log("warn: 'x1' of --api-port is no number")
    else:
        assert "warn" not in proxy.log() and "x1" not in proxy.log()


@contract("1", "A number is read up to its first other character: `--port 8000x` is 8000")
def test_port_with_rest(start):
    port = free_port(2)
    proxy = start("--ip", "127.0.0.1", "--port", f"{port}x", "--api-ip", "127.0.0.1", addresses=False, ready=False)
    proxy.await_listening(("127.0.0.1", port))


@contract("1", "A port of the public side that cannot be read is 8000")
def test_bad_port(peer, start):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8000))
        except OSError:
            pytest.skip("port 8000 is taken")
    proxy = start("--ip", "127.0.0.1", "--port", "eight", "--api-ip", "127.0.0.1", "--api-port", free_port(), addresses=False, ready=False)
    proxy.await_listening(("127.0.0.1", 8000))


@contract("1", "`--socket` and `--api-socket` listen on UNIX sockets, with a mode by the umask", chp45="no such flags")
def test_sockets(start, backend, peer, differs):
    if differs:
        assert peer.run("--socket", "x").returncode == 1
        return
    proxy = start("--socket", "{folder}/public.sock", "--api-socket", "{folder}/api.sock", addresses=False, ready=False, umask=0o007)
    public, api = str(proxy.folder / "public.sock"), str(proxy.folder / "api.sock")
    proxy.await_listening(public)
    proxy.await_listening(api)
    proxy.api_address = api
    path = proxy.add(unique(), backend)
    assert proxy.get(path, address=public).status == 200
    for name in (public, api):
        assert os.stat(name).st_mode & 0o777 == 0o770


@contract("1", "With `--socket` the API's port is 8001 by default", chp45="no such flag")
def test_socket_api_port(start, peer, differs):
    if differs:
        assert peer.run("--socket", "x").returncode == 1
        return
    try:
        Connection(("127.0.0.1", 8001)).close()
        pytest.skip("port 8001 is taken")
    except OSError:
        pass
    proxy = start("--socket", "{folder}/public.sock", addresses=False, ready=False)
    proxy.await_listening(("localhost", 8001))


@contract("1", "`--api-socket` beside `--api-port`: the socket wins", chp45="no such flag")
def test_api_socket_wins(start, peer, differs):
    if differs:
        assert peer.run("--api-socket", "x").returncode == 1
        return
    proxy = start("--api-socket", "{folder}/api.sock", "--api-ip", "127.0.0.1", "--api-port", "{api}", "--ip", "127.0.0.1", "--port",
                  "{port}", addresses=False, ready=False)
    proxy.await_listening(str(proxy.folder / "api.sock"))
    with pytest.raises(OSError):
        Connection(proxy.api_address)


# Targets of the command line.

@contract("1", "`--default-target` is the route `/`, and it is listed")
def test_default_target(start, backend):
    proxy = start("--default-target", backend.url)
    assert proxy.routes()["/"]["target"] == backend.url
    assert proxy.get("/x/y").status == 200


@contract("1", "`--default-target` is not checked")
def test_bad_default_target(start):
    proxy = start("--default-target", "garbage")
    assert proxy.routes()["/"]["target"] == "garbage"
    assert proxy.get("/x").status in (500, 503)


# Timeouts.

@contract("1", "`--timeout`: while a request runs an idle client is closed without an answer and without a line")
def test_timeout(proxy_with, backends):
    proxy = proxy_with("--timeout", "500", "--log-level", "debug")
    path = proxy.add(unique(), backends(lambda seen: time.sleep(5)))
    began = time.monotonic()
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        assert connection.to_the_end() == b""
    assert 0.4 < time.monotonic() - began < 2.5
    assert not re.search(rf"(error|warn): .*{path}", proxy.log())


@contract("1", "`--proxy-timeout`: a target that is idle before its answer is 503")
def test_proxy_timeout(proxy_with, backends):
    proxy = proxy_with("--proxy-timeout", "500")
    path = proxy.add(unique(), backends(lambda seen: time.sleep(5)))
    began = time.monotonic()
    assert proxy.get(path).status == 503
    assert 0.4 < time.monotonic() - began < 2.5
    proxy.wait_log(rf"error: 503 GET {path} .*$")


@contract("1", "`--proxy-timeout` counts idle time: a slow target that goes on is not cut")
def test_proxy_timeout_idle(proxy_with, backends):
    proxy = proxy_with("--proxy-timeout", "500")

    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            time.sleep(0.25)
            seen.send(b"x")
    assert proxy.get(proxy.add(unique(), backends(script))).body == b"xxxxx"


@contract("1", "`--keep-alive-timeout <ms>`: an idle client is closed after it", chp45="no such flag; 5 s",
          chp53="about a second after it")
def test_keep_alive(start, peer, backend):
    if peer.name == "chp45":
        assert peer.run("--keep-alive-timeout", "500").returncode == 1
        return
    proxy = start("--keep-alive-timeout", "500")
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        connection.answer()
        assert not connection.is_closed(0.3)
        assert connection.is_closed(2.5)


IDLE = 16.0


@pytest.fixture(scope="module")
def idle(proxy_with):
    """Connections that say nothing more; all wait at the same time. Asked for one, it says whether
    the peer has closed it by the end, and what it said."""
    proxy = proxy_with("--log-level", "info")
    made = {"public": proxy.connect(), "api": proxy.api_connect(), "fresh": proxy.connect(),
            "fresh api": proxy.api_connect(), "half a head": proxy.connect()}
    made["public"].send(request_bytes("GET", "/_chp_healthz"))
    made["api"].send(request_bytes("GET", "/api/routes", [("Authorization", f"token {proxy.token}")]))
    assert made["public"].answer().status == made["api"].answer().status == 200
    made["half a head"].send("GET / HTTP/1.1\r\nHost: x\r\n")
    ends = time.monotonic() + IDLE

    def closed(name):
        one = made[name]
        return one.is_closed(max(0.01, ends - time.monotonic())), one.buffer
    yield closed
    for one in made.values():
        one.close()


@contract("1", "Without it an idle client is closed after 5 s", gatehouse="after 120 s",
          why="clients keep connections longer than 5 s, and meet a reset")
def test_keep_alive_default(idle, differs):
    assert idle("public") == (not differs, b"")


@contract("12", "The API keeps an idle connection longer than the 15 s of JupyterHub's pool", chp="5 s: its clients meet resets")
def test_api_keep_alive(idle, differs):
    assert idle("api") == (bool(differs), b"")


@contract("4", "A new connection may wait for 15 s before its first byte", gatehouse="it is closed after 10 s, without a word",
          why="who opens many and says nothing must not hold them; `limits: head_time` sets it")
@pytest.mark.parametrize("which", ["fresh", "fresh api"])
def test_first_byte(idle, differs, which):
    assert idle(which) == (bool(differs), b"")


@contract("4", "The head of a request may take 15 s", gatehouse="408 after 10 s",
          why="who begins many and ends none must not hold them; `limits: head_time` sets it")
def test_slow_head(idle, differs):
    closed, said = idle("half a head")
    assert closed == bool(differs)
    assert said.startswith(b"HTTP/1.1 408 ") if differs else said == b""


@contract("12", "The API keeps an idle connection for 75 s at least", chp="5 s")
@pytest.mark.skipif(os.environ.get("CONFORMANCE_SLOW") != "1", reason="takes 76 s: CONFORMANCE_SLOW=1")
@pytest.mark.timeout(120)
def test_api_keep_alive_slow(proxy_with, differs):
    with proxy_with("--log-level", "info").api_connect() as connection:
        connection.send(request_bytes("GET", "/api/routes"))
        connection.answer()
        assert connection.is_closed(76) == bool(differs)


@contract("4", "A target that does not take a connection is waited for until the kernel gives up, about two minutes",
          gatehouse="503 after 5 s", why="nobody waits that long; `limits: connect_time` sets it")
def test_connect_time(proxy_with, differs):
    proxy = proxy_with("--log-level", "info")
    # A queue that is full: the kernel drops whoever comes.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        held = []
        try:
            while len(held) < 20:
                held.append(socket.create_connection(listener.getsockname(), 0.3))
        except TimeoutError:
            pass
        assert 0 < len(held) < 20
        path = proxy.add(unique(), f"http://127.0.0.1:{listener.getsockname()[1]}")
        with proxy.connect() as connection:
            began = time.monotonic()
            connection.send(request_bytes("GET", path))
            if differs:
                assert connection.answer(timeout=8).status == 503
                assert 4 < time.monotonic() - began < 7
            else:
                assert connection.is_silent(7)
        for one in held:
            one.close()
