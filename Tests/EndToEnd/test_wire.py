"""curl, and raw sockets for what it cannot say."""
import json
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest

from lab.basics import program, wait_until


@pytest.fixture(scope="module")
def curl(gateway):
    binary = program("curl", "curl")

    def run(*words, url="/pub/curl", check=True):
        done = subprocess.run(
            [binary, "-sS", "--cacert", str(gateway.authority), "--max-time", "30", *words,
             url if "://" in url else gateway.url + url], capture_output=True)
        if check:
            assert done.returncode == 0, done.stderr.decode()
        return done
    return run


@pytest.fixture
def signed(gateway, client):
    """curl's words for a signed-in user."""
    client.sign_in("alice", "/hello")
    return ["-H", "Cookie: " + client.cookie_field()]


@pytest.fixture
def raw(client, gateway):
    """Sends bytes over TLS and returns everything that comes back until the end or a silence."""
    def run(data, host="localhost", silence=2.0):
        with client.connect(f"https://{host}:{gateway.port}/") as connection:
            connection.sendall(data)
            return receive(connection, silence)
    return run


def receive(connection, silence=2.0):
    connection.settimeout(silence)
    found = b""
    try:
        while chunk := connection.recv(65536):
            found += chunk
    except (TimeoutError, ConnectionResetError, ssl.SSLError):
        pass
    return found


def head(text):
    return text.stdout.decode().split("\r\n\r\n")[0]


def test_get_head_and_http_1_0(curl):
    assert head(curl("-i")).startswith("HTTP/1.1 200")
    answer = curl("-I").stdout.decode()
    assert answer.startswith("HTTP/1.1 200") and re.search(r"(?i)content-length: [1-9]", answer)
    assert answer.endswith("\r\n\r\n")
    old = curl("-i", "--http1.0").stdout.decode()
    assert " 200" in old.splitlines()[0] and "transfer-encoding" not in old.lower()
    chunked_to_old = curl("-i", "--http1.0", url="/pub/trailers").stdout.decode()
    assert chunked_to_old.endswith("hello") and "transfer-encoding" not in chunked_to_old.lower()


def test_ranges(curl):
    part = curl("-i", "-r", "10-19", url="/pub/range").stdout
    top, _, body = part.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 206") and body == bytes(range(10, 20))
    assert b"bytes 10-19/1024" in top


def test_expect_and_chunked_upload(curl, signed, upstream, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 3_000_000)
    done = json.loads(curl(*signed, "-H", "Expect: 100-continue", "--data-binary", f"@{body}",
                           url="/expect").stdout)
    assert done["bytes"] == 3_000_000
    done = json.loads(curl(*signed, "-H", "Transfer-Encoding: chunked", "-T", str(body), "-X",
                           "POST", url="/chunked").stdout)
    assert done["bytes"] == 3_000_000
    assert any(name.lower() == "transfer-encoding" for name, _ in done["fields"])


def test_a_stranger_gets_no_100(curl, upstream, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 300_000)
    before = len(upstream.requests)
    done = curl("-v", "-H", "Expect: 100-continue", "-H", "Accept: */*", "--data-binary",
                f"@{body}", url="/private")
    assert b"HTTP/1.1 401" in done.stderr and b"HTTP/1.1 100" not in done.stderr
    assert len(upstream.requests) == before


def test_trailers(curl, gateway, raw, upstream, client):
    answer = raw(b"GET /pub/trailers HTTP/1.1\r\nHost: localhost:%d\r\nTE: trailers\r\n"
                 b"Connection: close, TE\r\n\r\n" % gateway.port)
    assert b"hello" in answer and re.search(rb"(?i)x-sum: 5", answer), answer
    client.sign_in("alice", "/hello")
    answer = raw(b"POST /with-trailers HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\n"
                 b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                 b"3\r\nabc\r\n0\r\nX-After: yes\r\nX-Forwarded-User: carol\r\n\r\n"
                 % (gateway.port, client.cookie_field().encode()))
    assert b" 200" in answer.splitlines()[0], answer[:200]
    trailers = {name.lower(): value for name, value in upstream.last("/with-trailers").trailers}
    assert "x-forwarded-user" not in trailers
    assert trailers.get("x-after") == "yes"


def test_pipelining_judges_each_request(raw, gateway, upstream):
    host = f"localhost:{gateway.port}".encode()
    answer = raw(b"".join(
        b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, host)
        for target in (b"/pub/one", b"/private-two", b"/pub/three")))
    statuses = re.findall(rb"HTTP/1\.1 (\d\d\d)", answer)
    assert statuses == [b"200", b"401", b"200"], answer
    assert answer.index(b"/pub/one") < answer.index(b"/pub/three")
    assert "/private-two" not in upstream.targets()


def test_absolute_form(raw, gateway, upstream):
    host = f"localhost:{gateway.port}".encode()
    good = raw(b"GET https://%s/pub/absolute HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
               % (host, host))
    assert b" 200" in good.splitlines()[0]
    assert upstream.last("/pub/absolute")
    bad = raw(b"GET https://evil.example/pub/absolute2 HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
    assert re.match(rb"HTTP/1\.1 (400|421)", bad)
    assert "/pub/absolute2" not in upstream.targets()


# The name of a case, and the request; HOST stands for our authority.
BROKEN_FRAMING = {
    "no host": b"GET /pub/x HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /pub/x HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
    "blank before the colon": b"GET /pub/x HTTP/1.1\r\nHost: HOST\r\nX : y\r\n\r\n",
    "folded line": b"GET /pub/x HTTP/1.1\r\nHost: HOST\r\nX: y\r\n folded\r\n\r\n",
    "bare line feeds": b"GET /pub/x HTTP/1.1\nHost: HOST\n\n",
    "two blanks": b"GET  /pub/x HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "length and chunked": b"POST /pub/x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /pub/x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n"
                   b"Content-Length: 4\r\n\r\nabcd",
    "signed length": b"POST /pub/x HTTP/1.1\r\nHost: HOST\r\nContent-Length: +3\r\n\r\nabc",
    "odd coding": b"POST /pub/x HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n"
                  b"0\r\n\r\n",
}
REFUSED = {
    "raw hash": b"GET /pub/x#y HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "dots": b"GET /pub/../private HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "encoded dots": b"GET /pub/%2e%2e/private HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "encoded slash": b"GET /pub/..%2fprivate HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "twice encoded": b"GET /pub/%252e%252e%252fprivate HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "NUL": b"GET /pub/%00 HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "broken escape": b"GET /pub/%zz HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "Host nominated": b"GET /pub/x HTTP/1.1\r\nHost: HOST\r\nConnection: Host\r\n\r\n",
    "identity nominated": b"GET /pub/x HTTP/1.1\r\nHost: HOST\r\n"
                          b"Connection: x-forwarded-user\r\n\r\n",
}


@pytest.mark.parametrize("case", BROKEN_FRAMING)
def test_broken_framing_ends_the_connection(raw, gateway, upstream, curl, case):
    before = len(upstream.requests)
    host = b"localhost:%d" % gateway.port
    answer = raw(BROKEN_FRAMING[case].replace(b"HOST", host)
                 + b"GET /pub/smuggled HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
    assert re.match(rb"HTTP/1\.1 (4|5)\d\d", answer), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, "nothing after such a request is a request"
    assert len(upstream.requests) == before
    assert curl("-o", "/dev/null", "-w", "%{http_code}").stdout == b"200", "a good one passes"


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_read_in_two_ways_is_400(raw, gateway, upstream, curl, case):
    before = len(upstream.requests)
    answer = raw(REFUSED[case].replace(b"HOST", b"localhost:%d" % gateway.port), silence=0.5)
    assert re.match(rb"HTTP/1\.1 400", answer), answer[:200]
    assert len(upstream.requests) == before
    assert curl("-o", "/dev/null", "-w", "%{http_code}").stdout == b"200", "a good one passes"


def test_methods_and_hosts(curl, gateway):
    def status(*words, url="/pub/x"):
        return curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "Accept: */*", *words,
                    url=url).stdout.decode()
    assert status("-X", "TRACE") == "405"
    assert status("-X", "get") in ("401", "404", "403"), "a method in lower case is another one"
    assert status("-X", "POST") == "401"
    assert status("-H", "Host: evil.example") == "421"
    assert status("-H", f"Host: LOCALHOST:{gateway.port}") == "200"
    assert status("-H", f"Host: localhost.:{gateway.port}") == "200"


def test_tls_versions_and_names(curl, gateway):
    for words in (["--tls-max", "1.2"], ["--tlsv1.3"]):
        assert head(curl("-i", *words)).startswith("HTTP/1.1 200")
    assert curl("--tls-max", "1.1", check=False).returncode != 0
    # A name that no certificate has, and none at all, get the default one.
    for name in ("odd.example", None):
        context = ssl.create_default_context(cafile=str(gateway.authority))
        context.check_hostname = False
        with context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port)),
                                 server_hostname=name) as connection:
            connection.sendall(b"GET /.gatehouse/healthz HTTP/1.1\r\nHost: x\r\n"
                               b"Connection: close\r\n\r\n")
            assert b" 200" in receive(connection).splitlines()[0]


@pytest.mark.parametrize("offered, chosen", [
    (["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"),
    (["http/1.0", "http/1.1"], "http/1.1"), (["h2", "http/1.0"], "http/1.0"), (None, None)])
def test_alpn(gateway, offered, chosen):
    context = ssl.create_default_context(cafile=str(gateway.authority))
    if offered:
        context.set_alpn_protocols(offered)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port)),
                             server_hostname="localhost") as connection:
        assert connection.selected_alpn_protocol() == chosen
        connection.sendall(b"GET /.gatehouse/healthz HTTP/1.1\r\nHost: x\r\n"
                           b"Connection: close\r\n\r\n")
        assert b" 200" in receive(connection).splitlines()[0]


def test_alpn_with_nothing_in_common(gateway):
    """RFC 7301, 3.2: the handshake ends, and says why."""
    context = ssl.create_default_context(cafile=str(gateway.authority))
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", gateway.port)) as plain, \
            pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        context.wrap_socket(plain, server_hostname="localhost")


def test_resumed_tls(gateway):
    context = ssl.create_default_context(cafile=str(gateway.authority))

    def once(session=None):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port)),
                                 server_hostname="localhost", session=session) as connection:
            connection.sendall(b"GET /pub/resumed HTTP/1.1\r\nHost: localhost:%d\r\n"
                               b"Connection: close\r\n\r\n" % gateway.port)
            assert b" 200" in receive(connection).splitlines()[0]
            return connection.session, connection.session_reused
    # Whether a ticket is taken is the server's choice; what may not happen is a broken connection.
    session, reused = once()
    assert not reused
    for _ in range(3):
        session, reused = once(session)
        print("resumed:", reused)


def test_slow_upload(curl, signed, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"s" * 60_000)
    began = time.monotonic()
    done = json.loads(curl(*signed, "--limit-rate", "15K", "--data-binary", f"@{body}",
                           url="/slow").stdout)
    assert done["bytes"] == 60_000 and time.monotonic() - began > 2


def test_aborted_download_and_upload_end_upstream_within_a_second(
        client, gateway, upstream, signed):
    for request in (b"GET /endless HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\n\r\n",
                    b"POST /aborted HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\n"
                    b"Content-Length: 1000000\r\n\r\nonly this"):
        connection = client.connect(gateway.url + "/")
        broken = len(upstream.broken)
        connection.sendall(request % (gateway.port, client.cookie_field().encode()))
        wait_until(lambda: upstream.targets()[-1] in ("/endless", "/aborted"), 5, "it arrives")
        time.sleep(0.2)
        connection.close()
        wait_until(lambda: len(upstream.broken) > broken, 1.0, "the upstream's side is ended too")


@pytest.mark.parametrize("way", ["close", "half-close", "reset"])
def test_a_stalled_download_ends_upstream_within_a_second(client, gateway, upstream, signed, way):
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", gateway.port))
    connection = gateway.tls().wrap_socket(plain, server_hostname="localhost")
    broken = len(upstream.broken)
    connection.sendall(b"GET /big?bytes=90000000 HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\n\r\n"
                       % (gateway.port, client.cookie_field().encode()))
    wait_until(lambda: upstream.targets()[-1].startswith("/big"), 5, "it arrives")
    time.sleep(0.5)         # by now every buffer on the way is full
    assert len(upstream.broken) == broken
    if way == "half-close":
        connection.shutdown(socket.SHUT_WR)
    elif way == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    else:
        connection.close()
    wait_until(lambda: len(upstream.broken) > broken, 1.0, "the upstream's side is ended too")
    connection.close()


def test_an_upstream_that_dies_in_mid_body_is_a_broken_answer(curl, signed):
    done = curl(*signed, url="/cut", check=False)
    assert done.returncode in (18, 56), (done.returncode, done.stderr)
