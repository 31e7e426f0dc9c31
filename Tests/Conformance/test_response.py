"""Section 5: the answer."""
import time
from threading import Event

import pytest

from backend import cut, response
from basics import unique
from contract import contract
from wire import Closed, request_bytes


def answered(proxy, backends, raw, method="GET", fields=(), **options):
    backend = backends(raw)
    path = proxy.add(unique(), backend)
    return proxy.request(method, path, fields, **options)


@contract("5", "Status code and reason phrase pass, whatever they are")
@pytest.mark.parametrize("status", ["200 OK", "201 Made", "204 No Content", "304 Not Modified", "400 My Own Words", "418 I'm a teapot",
                                    "500 Oops", "503 Busy", "599 x"])
def test_status(proxy, backends, status):
    code = int(status.split()[0])
    raw = response(status, body=b"" if code in (204, 304) else b"text", length=code not in (204, 304))
    answer = answered(proxy, backends, raw)
    assert (answer.status, answer.reason) == (code, status.partition(" ")[2])
    assert answer.body == (b"" if code in (204, 304) else b"text")


@contract("5", "A status beyond 599 passes, too: 999", gatehouse="503", why="no status code goes beyond 599 (RFC 9110, 15)")
def test_status_999(proxy, backends, differs):
    answer = answered(proxy, backends, response("999 Beyond"))
    assert answer.status == (503 if differs else 999)


@contract("5", "The fields of an answer pass")
def test_fields(proxy, backends):
    sent = [("X-One", "1"), ("Content-Type", "text/html; charset=utf-8"), ("ETag", '"e"'), ("Location", "/x"), ("Vary", "Accept"),
            ("Content-Encoding", "br"), ("Server", "Tornado"), ("Date", "Mon, 01 Jan 2024 00:00:00 GMT"), ("X-Empty", ""),
            ("WWW-Authenticate", "Basic"), ("Strict-Transport-Security", "max-age=1"), ("Content-Security-Policy", "frame-ancestors 'self'")]
    answer = answered(proxy, backends, response(fields=sent))
    for name, value in sent:
        assert answer.all(name) == [value], name


@contract("5", "Names of fields are sent in small letters", gatehouse="spelled as they came", why="the bytes received are forwarded")
def test_names(proxy, backends, differs):
    answer = answered(proxy, backends, response(fields=[("X-UPPER", "1")]))
    assert ("X-UPPER" if differs else "x-upper") in [name for name, _ in answer.fields]


@contract("5", "Several Set-Cookie are kept apart and in their order")
def test_set_cookie(proxy, backends):
    cookies = ["a=1; Path=/; HttpOnly", "b=2; Expires=Mon, 01 Jan 2040 00:00:00 GMT", "a=3"]
    answer = answered(proxy, backends, response(fields=[("Set-Cookie", one) for one in cookies]))
    assert answer.all("set-cookie") == cookies


@contract("5", "Other fields given twice reach the client with both values in their order")
def test_duplicates(proxy, backends):
    answer = answered(proxy, backends, response(fields=[("X-Twice", "a"), ("X-Twice", "b")]))
    assert ", ".join(answer.all("x-twice")) == "a, b"


@contract("5", "An answer with a length keeps it; one without is chunked")
def test_framing(proxy, backends):
    answer = answered(proxy, backends, response(body=b"12345"))
    assert (answer.get("content-length"), answer.get("transfer-encoding"), answer.body) == ("5", None, b"12345")
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"
    answer = answered(proxy, backends, raw)
    assert (answer.get("content-length"), answer.get("transfer-encoding"), answer.body) == (None, "chunked", b"abcdefg")


@contract("5", "An answer without a length is read to its end and sent chunked")
def test_read_to_the_end(proxy, backends):
    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil ")
        time.sleep(0.05)
        seen.send(b"the end")
        return "end"
    answer = answered(proxy, backends, script)
    assert (answer.body, answer.get("transfer-encoding")) == (b"until the end", "chunked")


@contract("5", "To a client of HTTP/1.0 an answer without a length is ended by closing")
def test_http10(proxy, backends):
    backend = backends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = connection.answer()
    assert (answer.get("transfer-encoding"), answer.body) == (None, b"abc")


@contract("5", "HEAD: the fields of the answer, its length too, and no body")
def test_head(proxy, backends):
    backend = backends(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: b\r\n\r\n")
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        for _ in range(2):
            connection.send(request_bytes("HEAD", path))
            answer = connection.answer("HEAD")
            assert (answer.status, answer.get("content-length"), answer.get("x-a")) == (200, "12345", "b")
            assert connection.buffer == b""


@contract("5", "The client's connection is kept alive over answers of every kind")
def test_keep_alive(proxy, backends):
    backend = backends(lambda seen: seen.send(
        b"HTTP/1.1 204 No Content\r\n\r\n" if seen.target.endswith("204") else
        b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n" if seen.target.endswith("304") else
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        for code in (204, 200, 304, 200, 404):
            connection.send(request_bytes("GET", f"{path}/{code}" if code != 404 else "/nowhere"))
            assert connection.answer().status == code


@contract("5", "An upstream's `Connection: close` is passed to the client", gatehouse="the client's connection is kept",
          why="it is about the other connection")
def test_connection_close(proxy, backends, differs):
    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        return "end"
    backend = backends(script)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        answer = connection.answer()
        assert answer.body == b"ok"
        assert (answer.get("connection") != "close") == bool(differs)


@contract("5", "`Connection: close` of the client closes after the answer")
def test_client_close(proxy, backend):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path, [("Connection", "close")]))
        answer = connection.answer()
        assert (answer.body, answer.get("connection")) == (b"ok", "close")
        assert connection.is_closed(3)


@contract("5", "Trailers of an answer are dropped", gatehouse="passed", why="they belong to the message (RFC 9110, 6.5)")
def test_trailers(proxy, backends, differs):
    answer = answered(proxy, backends, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n")
    assert (answer.body, answer.trailers) == (b"abc", b"X-Late: 1\r\n" if differs else b"")


@contract("5", "Interim answers (103) are dropped", gatehouse="passed", why="RFC 9110, 15.2: a proxy forwards them")
def test_interim(proxy, backends, differs):
    answer = answered(proxy, backends, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + response())
    assert (answer.status, answer.body) == (200, b"ok")
    assert [one.status for one in answer.interim] == ([103] if differs else [])


@contract("5", "A body streams: each part reaches the client at once")
def test_streaming(proxy, backends):
    go = Event()

    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
        go.wait(5)
        seen.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    backend = backends(script)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        assert connection.head().status == 200
        assert connection.until(b"data: 1\n\n", 2) is not None
        go.set()
        connection.until(b"data: 2\n\n", 2)


@contract("5", "The head reaches the client before the first byte of the body", chp="together with it")
def test_head_first(proxy, backends, differs):
    def script(seen):
        seen.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        seen.more(5)
    backend = backends(script)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        if differs:
            assert connection.is_silent(0.7)
        else:
            assert connection.head(2).status == 200


@contract("5", "A download of 20 MB arrives whole")
def test_large_download(proxy, backends):
    body = b"0123456789abcdef" * (20 << 16)
    assert answered(proxy, backends, response(body=body), timeout=20).body == body


@contract("5", "When the upstream dies in mid-body the client's connection is closed or reset",
          chp="it is left open for ever, defect 13.2")
@pytest.mark.parametrize("raw", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"])
def test_upstream_dies(proxy, backends, differs, raw):
    def script(seen):
        seen.send(raw)
        time.sleep(0.1)
        return cut(seen)
    backend = backends(script)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path))
        assert connection.head().status == 200
        connection.until(b"half", 2)
        assert connection.is_closed(1) == (not differs)
        assert b"0\r\n\r\n" not in connection.buffer


# Location.

REWRITES = [
    (301, "http://{target}/a", "http://front.test:8000/a"), (302, "http://{target}/a?b", "http://front.test:8000/a?b"),
    (307, "http://{target}/a", "http://front.test:8000/a"), (308, "http://{target}/", "http://front.test:8000/"),
    (201, "http://{target}/a", "http://front.test:8000/a"), (200, "http://{target}/a", "http://{target}/a"),
    (302, "/relative", "/relative"), (302, "http://other.test/a", "http://other.test/a"),
    (302, "http://127.0.0.1:1/a", "http://127.0.0.1:1/a")]


@contract("5", "`--auto-rewrite` puts the client's Host into a Location that names the target, at 201, 301, 302, 307, 308; others stay")
@pytest.mark.parametrize("code, sent, wanted", REWRITES)
def test_auto_rewrite(proxy_with, backends, code, sent, wanted):
    proxy = proxy_with("--auto-rewrite")
    backend = backends()
    target = f"127.0.0.1:{backend.port}"
    backend.script = response(f"{code} Word", [("Location", sent.format(target=target))])
    answer = proxy.get(proxy.add(unique(), backend), host="front.test:8000")
    assert answer.get("location") == wanted.format(target=target)


@contract("5", "`--protocol-rewrite` puts its scheme into a Location that names the target")
@pytest.mark.parametrize("code, sent, wanted", [
    (302, "http://{target}/a", "https://{target}/a"), (201, "http://{target}/a", "https://{target}/a"),
    (302, "http://other.test/a", "http://other.test/a"), (302, "/r", "/r")])
def test_protocol_rewrite(proxy_with, backends, code, sent, wanted):
    proxy = proxy_with("--protocol-rewrite", "https")
    backend = backends()
    target = f"127.0.0.1:{backend.port}"
    backend.script = response(f"{code} Word", [("Location", sent.format(target=target))])
    answer = proxy.get(proxy.add(unique(), backend), host="front.test:8000")
    assert answer.get("location") == wanted.format(target=target)


@contract("5", "Neither rewrites at 303", gatehouse="both do", why="a 303 that names the target leads the browser past the proxy")
@pytest.mark.parametrize("flag, authority", [("--auto-rewrite", "http://front.test:8000"),
                                             ("--protocol-rewrite=https", "https://127.0.0.1:{port}")])
def test_303(proxy_with, backends, flag, authority, differs):
    proxy = proxy_with(flag)
    backend = backends()
    location = f"http://127.0.0.1:{backend.port}/a"
    backend.script = response("303 See Other", [("Location", location)])
    answer = proxy.get(proxy.add(unique(), backend), host="front.test:8000")
    assert answer.status == 303
    assert answer.get("location") == (authority.format(port=backend.port) + "/a" if differs else location)


@contract("5", "Both rewrite together, and lines of the log say so")
def test_both_rewrites(proxy_with, backends):
    proxy = proxy_with("--auto-rewrite", "--protocol-rewrite=https")
    backend = backends()
    backend.script = response("302 Found", [("Location", f"http://127.0.0.1:{backend.port}/a")])
    assert proxy.get(proxy.add(unique(), backend), host="front.test:99").get("location") == "https://front.test:99/a"
    proxy.wait_log(r"info: AutoRewrite of Location headers enabled\.")
    proxy.wait_log(r"info: ProtocolRewrite enabled\. Rewriting to https")


@contract("5", "`--auto-rewrite` with a Host without a port leaves none", chp53="leaves the target's port")
def test_auto_rewrite_without_port(proxy_with, backends, differs):
    proxy = proxy_with("--auto-rewrite")
    backend = backends()
    backend.script = response("302 Found", [("Location", f"http://127.0.0.1:{backend.port}/a")])
    location = proxy.get(proxy.add(unique(), backend), host="front.test").get("location")
    assert location == (f"http://front.test:{backend.port}/a" if differs else "http://front.test/a")


@contract("5", "Without these flags a Location passes as it came")
def test_no_rewrite(proxy, backends):
    backend = backends()
    location = f"http://127.0.0.1:{backend.port}/a"
    backend.script = response("302 Found", [("Location", location)])
    assert proxy.get(proxy.add(unique(), backend)).get("location") == location
