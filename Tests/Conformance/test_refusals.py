"""Section 1: flags that configurable-http-proxy takes, or seems to take, and that end our start."""
import ssl
import subprocess

import pytest

from backend import OK, response
from basics import unique
from contract import contract
from wire import Closed, Connection, request_bytes

LATER = "an error at the start is seen, one at a request is not"
SHAM = "what cannot work should not look as if it ran"


@pytest.fixture
def pair(certificates):
    return ("--ssl-key", certificates["server.key"], "--ssl-cert", certificates["server.crt"])


def ends(peer, *words):
    """Whether the start ends with 1; the flag or its value must be named."""
    ended = peer.run(*words)
    assert ended.returncode == 1
    assert words[-2] in ended.stdout + ended.stderr or words[-1] in ended.stdout + ended.stderr
    return True


def status(proxy, tls, target="/_chp_healthz"):
    """None if no request gets through."""
    try:
        with Connection(proxy.public, tls=tls) as connection:
            connection.send(request_bytes("GET", target))
            return connection.answer().status
    except (OSError, Closed):
        return None


# TLS.

@contract("1", "`--ssl-protocol TLSv1` and `TLSv1_1` are accepted, and no client of today gets in", gatehouse="the start ends with 1",
          why=SHAM)
@pytest.mark.parametrize("word", ["TLSv1", "TLSv1_1"])
def test_old_protocol(start, peer, pair, certificates, differs, word):
    if differs:
        assert ends(peer, *pair, "--ssl-protocol", word)
    else:
        assert status(start(*pair, "--ssl-protocol", word), certificates.trusting()) is None


@contract("1", "`--ssl-protocol TLSv1_3` ends the start with 1: node has no such method", gatehouse="it is TLS 1.3 only",
          why="it says what is wanted")
def test_protocol_13(start, peer, pair, certificates, differs):
    if not differs:
        assert peer.run(*pair, "--ssl-protocol", "TLSv1_3").returncode == 1
        return
    proxy = start(*pair, "--ssl-protocol", "TLSv1_3")
    assert status(proxy, certificates.trusting(minimum=ssl.TLSVersion.TLSv1_3)) == 200
    assert status(proxy, certificates.trusting(maximum=ssl.TLSVersion.TLSv1_2)) is None


@contract("1", "`--ssl-protocol TLS` is both versions; a word that is none ends the start with 1")
@pytest.mark.parametrize("word", ["TLS", "SSLv3", "tlsv1_2", "nonsense"])
def test_other_protocols(start, peer, pair, certificates, word):
    if word != "TLS":
        assert peer.run(*pair, "--ssl-protocol", word).returncode == 1
        return
    proxy = start(*pair, "--ssl-protocol", word)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert status(proxy, certificates.trusting(minimum=version, maximum=version)) == 200


@contract("1", "`--ssl-protocol SSLv23` is TLS 1.2 at most", gatehouse="it is what `TLS` is", why="OpenSSL means both by it")
def test_protocol_23(start, peer, pair, certificates, differs):
    proxy = start(*pair, "--ssl-protocol", "SSLv23")
    assert status(proxy, certificates.trusting(maximum=ssl.TLSVersion.TLSv1_2)) == 200
    assert status(proxy, certificates.trusting(minimum=ssl.TLSVersion.TLSv1_3)) == (200 if differs else None)


@contract("1", "A certificate without its key starts, and every handshake fails", gatehouse="the start ends with 1", why=SHAM)
def test_certificate_alone(start, peer, certificates, differs):
    words = ("--ssl-cert", certificates["server.crt"])
    if differs:
        assert ends(peer, *words)
    else:
        assert status(start(*words), certificates.trusting()) is None


@contract("1", "Half a pair for the API or towards targets starts", gatehouse="the start ends with 1", why=SHAM)
@pytest.mark.parametrize("flag, file", [("--api-ssl-key", "server.key"), ("--api-ssl-cert", "server.crt"),
                                        ("--client-ssl-key", "client.key"), ("--client-ssl-cert", "client.crt")])
def test_half_a_pair(start, peer, certificates, differs, flag, file):
    if differs:
        assert ends(peer, flag, certificates[file])
    else:
        assert start(flag, certificates[file]).get("/_chp_healthz").status == 200


@contract("1", "`--ssl-request-cert` without `--ssl-ca` starts, and lets nobody in whom no public authority vouches for",
          gatehouse="the start ends with 1", why=SHAM)
def test_request_without_authority(start, peer, pair, certificates, differs):
    if differs:
        assert ends(peer, *pair, "--ssl-request-cert")
        return
    proxy = start(*pair, "--ssl-request-cert")
    assert status(proxy, certificates.trusting("client")) is None
    assert status(proxy, certificates.trusting()) is None


@contract("1", "`--ssl-dhparam` takes a file of `openssl dhparam -dsaparam`", gatehouse="the start ends with 1",
          why="without that word it makes a safe prime, which this is not")
def test_dsaparam(start, peer, pair, certificates, differs, tmp_path):
    file = str(tmp_path / "dsa.pem")
    subprocess.run(["openssl", "dhparam", "-dsaparam", "-out", file, "2048"], check=True, capture_output=True)
    if differs:
        assert ends(peer, *pair, "--ssl-dhparam", file)
    else:
        client = certificates.trusting(maximum=ssl.TLSVersion.TLSv1_2, ciphers="DHE-RSA-AES128-GCM-SHA256")
        assert status(start(*pair, "--ssl-dhparam", file), client) == 200


# Ports.

@contract("1", "`--metrics-port` that is no number ends the start with 1", chp45="it starts")
def test_metrics_port(start, peer, differs):
    if differs:
        assert start("--metrics-ip", "127.0.0.1", "--metrics-port", "x").get("/_chp_healthz").status == 200
    else:
        assert peer.run("--metrics-ip", "127.0.0.1", "--metrics-port", "x").returncode == 1


@contract("1", "`--redirect-to` that is no number is put into the redirect as it is", gatehouse="the start ends with 1", why=LATER)
def test_redirect_to(start, peer, pair, differs):
    if differs:
        assert ends(peer, *pair, "--redirect-port", "8080", "--redirect-to", "x")
        return
    proxy = start(*pair, "--redirect-port", "{metrics}", "--redirect-to", "x")
    with Connection(proxy.metrics) as connection:
        connection.send(request_bytes("GET", "/a", host="hub.test"))
        assert connection.answer().get("location") == "https://hub.test:x/a"


@contract("1", "`--redirect-port` that is no number starts without the redirect", gatehouse="the start ends with 1", why=LATER)
def test_redirect_port(start, peer, pair, certificates, differs):
    if differs:
        assert ends(peer, *pair, "--redirect-port", "x")
    else:
        assert status(start(*pair, "--redirect-port", "x"), certificates.trusting()) == 200


@contract("1", "A port beyond 65535 ends the start with 1")
@pytest.mark.parametrize("flag", ["--port", "--api-port", "--metrics-port"])
def test_port_too_large(peer, flag):
    assert peer.run("--ip", "127.0.0.1", "--api-ip", "127.0.0.1", "--metrics-ip", "127.0.0.1", flag, "99999").returncode == 1


# What is done to requests and answers.

@contract("1", "`--protocol-rewrite` with a word other than http and https puts that into Locations", gatehouse="the start ends with 1",
          why="a browser cannot go there")
def test_protocol_rewrite(start, peer, backend, differs):
    if differs:
        assert ends(peer, "--protocol-rewrite", "ftp")
        return
    proxy = start("--protocol-rewrite", "ftp")
    backend.script = response("302 Found", [("Location", backend.url + "/x")])
    assert proxy.get(proxy.add(unique(), backend)).get("location") == f"ftp://127.0.0.1:{backend.port}/x"


@contract("1", "`--custom-header` sets fields of the connection, too", gatehouse="the start ends with 1",
          why="they frame the message: whoever sets them breaks it")
@pytest.mark.parametrize("field", ["Connection: close", "Transfer-Encoding: chunked", "Content-Length: 5", "Upgrade: x",
                                   "TE: trailers", "Keep-Alive: 5"])
def test_custom_header(start, peer, backends, differs, field):
    if differs:
        assert ends(peer, "--custom-header", field)
        return
    backend = backends(OK, bodies=False)
    name, _, value = field.partition(": ")
    proxy = start("--custom-header", field)
    proxy.get(proxy.add(unique(), backend))
    assert backend.last.get(name) == value


@contract("1", "An error target that cannot be asked starts, and a request that needs a page is never answered",
          gatehouse="the start ends with 1", why=LATER)
@pytest.mark.parametrize("target", ["127.0.0.1:1/hub/error", "ftp://127.0.0.1:1/hub/error"])
def test_error_target(start, peer, differs, target):
    if differs:
        assert ends(peer, "--error-target", target)
        return
    with start("--error-target", target).connect() as connection:
        connection.send(request_bytes("GET", "/nowhere"))
        assert connection.is_silent(1)
