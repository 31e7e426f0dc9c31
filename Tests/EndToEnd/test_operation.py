"""What an operator does to a running gateway: SIGHUP, new certificates, SIGTERM. No provider."""
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed

from lab.basics import TOP, free_port, wait_until
from lab.client import Client
from lab.gateway import Gateway, binary

PUBLIC = [{"path": "/**", "allow": "public"}]


@pytest.fixture
def own_certificates(folder, certificates):
    """A copy that a test may change."""
    made = folder / f"own-certs-{free_port()}"
    shutil.copytree(certificates, made)
    return made


@pytest.fixture
def running(folder, own_certificates, upstream):
    port = free_port()
    gateway = Gateway(
        folder / f"operation-{port}", port, own_certificates, hosts=["localhost"], oidc=None,
        routes=[{"path": "/", "upstream": upstream.url}], access=PUBLIC,
        limits={"certificate_check": "1s"})
    yield gateway
    if gateway.process.poll() is None:
        assert gateway.stop() == 0


def hang_up(gateway, said):
    """Sends SIGHUP and waits for the log to say so."""
    mark = gateway.mark()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any(said in line for _, line in list(gateway.lines)[mark:]), 5, said)
    return [line for _, line in list(gateway.lines)[mark:]]


def shown_certificate(gateway):
    """What a new client is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as tls:
        return tls.getpeercert(binary_form=True)


def renew(own_certificates, folder):
    """Another certificate in place of the one in use, as a renewal writes it."""
    made = folder / f"renewed-{free_port()}"
    subprocess.run([str(TOP / "certs/make-certs.sh"), str(made)], check=True)
    for name in ("server.pem", "server.key", "ca.pem"):
        shutil.copy(made / name, own_certificates / name)


def test_sighup_changes_rules_under_running_connections(running, upstream):
    client = Client(running)
    with client.web_socket("/socket", cookie=False) as kept:
        running.configuration["access"] = [{"path": "/closed/**", "allow": "deny"}, *PUBLIC]
        running.configuration["routes"].insert(
            0, {"path": "/new", "upstream": upstream.url.replace("127.0.0.1", "localhost")})
        running.write()
        hang_up(running, "configuration reloaded")
        before = len(upstream.requests)
        assert client.get("/closed/x").status == 403
        assert len(upstream.requests) == before
        assert client.get("/new/x").status == 200
        kept.send("alive")
        assert kept.recv(timeout=5) == "alive"


def test_sighup_changes_the_log_and_the_listeners(running):
    client = Client(running)
    running.configuration["log"] = {"access": False, "level": "info", "format": "json"}
    other = free_port()
    running.configuration["listeners"].append(
        {"address": f"127.0.0.1:{other}", "role": "metrics"})
    running.write()
    mark = running.mark()
    hang_up(running, f"listening on http://127.0.0.1:{other}")
    assert client.get("/quiet").status == 200
    running.configuration["log"]["access"] = True
    del running.configuration["listeners"][1]
    running.write()
    hang_up(running, f"no longer listening on http://127.0.0.1:{other}")
    assert client.get("/loud").status == 200
    found = running.wait_for_log(lambda log: '"path":"/loud"' in log, "an access line in JSON")
    assert "/quiet" not in str([line for _, line in list(running.lines)[mark:]]), found
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", other), 5)


def test_sighup_with_a_new_state_directory_says_restart_and_changes_nothing(running, folder):
    running.configuration["loops"] = 1
    running.configuration["state_dir"] = str(folder / "elsewhere")
    running.configuration["access"] = [{"path": "/**", "allow": "deny"}]
    running.write()
    hang_up(running, "only a restart takes up what has changed: 'state_dir', 'loops'")
    assert Client(running).get("/x").status == 200


def test_sighup_with_a_mistake_changes_nothing_and_says_where(running, upstream):
    client = Client(running)
    good = running.file.read_text()
    running.file.write_text(good + "acess: []\n")
    lines = hang_up(running, "acess")
    said = next(line for line in lines if "acess" in line)
    assert f"{running.file.name}:{good.count(chr(10)) + 1}" in said, said
    assert "did you mean 'access'?" in said
    assert client.get("/x").status == 200
    running.file.write_text(good)
    hang_up(running, "configuration reloaded")


@pytest.mark.parametrize("how", ["by SIGHUP", "by itself"])
def test_renewed_certificates_are_taken_up(running, own_certificates, folder, how):
    old = shown_certificate(running)
    with Client(running).web_socket("/socket", cookie=False) as kept:
        renew(own_certificates, folder)
        if how == "by SIGHUP":
            hang_up(running, "configuration reloaded")
            assert shown_certificate(running) != old
        else:
            wait_until(lambda: shown_certificate(running) != old, 10, "the new certificate")
        assert Client(running).get("/x").status == 200
        kept.send("alive")
        assert kept.recv(timeout=5) == "alive"


def test_a_broken_certificate_leaves_the_old_one_in_use(running, own_certificates):
    old = shown_certificate(running)
    (own_certificates / "server.pem").write_text("no certificate")
    running.wait_for_log(lambda log: "changed certificates cannot be used" in log, "a warning")
    hang_up(running, "not reloaded")
    assert shown_certificate(running) == old
    assert Client(running).get("/x").status == 200


def test_sigterm_lets_an_answer_finish_and_tells_sockets(running):
    client = Client(running)
    told = []

    def wait_for_the_end(connection):
        try:
            connection.recv(timeout=20)
        except ConnectionClosed as closed:
            told.append(closed.rcvd.code if closed.rcvd else None)

    opened = client.web_socket("/socket", cookie=False)
    watcher = threading.Thread(target=wait_for_the_end, args=[opened])
    watcher.start()
    idle = client.connect(running.url)
    busy = client.connect(running.url)
    busy.sendall(f"GET /big?bytes=30000000 HTTP/1.1\r\nHost: localhost:{running.port}\r\n\r\n"
                 .encode())
    received = len(busy.recv(1000))
    running.process.send_signal(signal.SIGTERM)
    running.wait_for_log(lambda log: "stopping" in log, "stopping")
    assert idle.recv(100) == b""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", running.port), 5).recv(1)
    time.sleep(0.3)
    while (piece := busy.recv(1 << 20)):
        received += len(piece)
    assert received > 30_000_000
    watcher.join(10)
    assert told == [1001]
    assert running.process.wait(10) == 0


@pytest.mark.parametrize("files", [4, 100])
def test_a_process_that_may_open_too_few_files_says_so(files):
    words = [binary(), "proxy", "--port", str(free_port()), "--api-port", str(free_port())]
    ended = subprocess.run(
        ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *words], timeout=20, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 1 and "LimitNOFILE" in ended.stdout, ended
