"""Section 7: error pages."""
import time
from urllib.parse import quote

import pytest

from backend import cut, response
from basics import unique
from contract import contract
from wire import chunked, request_bytes

DEAD = "http://127.0.0.1:1"


# Which status.

@contract("7", "A target that refuses, resets, closes without an answer or answers no HTTP is 503")
@pytest.mark.parametrize("kind", ["refuses", "resets", "closes", "garbage", "half a head"])
def test_503(proxy, backends, kind):
    scripts = {"resets": cut, "closes": lambda seen: "end",
               "garbage": lambda seen: seen.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n") or "end",
               "half a head": lambda seen: seen.send(b"HTTP/1.1 200 OK\r\nContent-") or "end"}
    path = proxy.add(unique(), DEAD if kind == "refuses" else backends(scripts[kind]))
    answer = proxy.get(path)
    assert answer.status == 503
    assert b"503:" in answer.body


@contract("7", "The connection of the client stays usable after an error page")
def test_connection_stays(proxy, backend):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        for target, code in [("/nowhere/at/all", 404), (path, 200), (proxy.add(unique(), DEAD), 503), (path, 200)]:
            connection.send(request_bytes("GET", target))
            assert connection.answer().status == code


@contract("7", "A target behind a name that does not exist is 503")
def test_unknown_name(proxy):
    assert proxy.get(proxy.add(unique(), "http://no-such-host.invalid:80"), timeout=15).status == 503


# The built-in pages.

@contract("7", "The built-in pages are `text/html`; the one for 404 has `404:` in its text, that for 503 `503:`")
def test_built_in(proxy):
    answer = proxy.get(unique("/nowhere"))
    assert (answer.status, answer.get("content-type").split(";")[0]) == (404, "text/html")
    assert "404:" in answer.text
    answer = proxy.get(proxy.add(unique(), DEAD))
    assert (answer.status, answer.get("content-type").split(";")[0]) == (503, "text/html")
    assert "503:" in answer.text


@contract("7", "The pages' words are `404: Not Found`, `No service is registered at this URL`, `503: Proxy Target Missing`",
          gatehouse="its own words, with an id that stands in the log", why="a person shall understand them")
def test_words(proxy, differs):
    texts = [proxy.get(unique("/nowhere")).text, proxy.get(proxy.add(unique(), DEAD)).text]
    assert "404:" in texts[0] and "503:" in texts[1]
    old = "No service is registered" in texts[0] and "Proxy Target Missing" in texts[1]
    assert old == (not differs)


@contract("7", "HEAD has the status of the page and no body; POST has the page")
def test_methods(proxy):
    target = unique("/nowhere")
    assert proxy.request("HEAD", target).status == 404
    answer = proxy.request("POST", target, body=b"data")
    assert answer.status == 404 and b"404:" in answer.body


@contract("7", "A page never shows what was asked for in a way that runs as a script")
def test_page_is_inert(proxy):
    answer = proxy.get("/nowhere/%3Cscript%3Ealert(1)%3C/script%3E?%3Cscript%3E")
    assert answer.status == 404
    assert b"<script>alert" not in answer.body


# --error-path.

@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "404.html").write_text("<p>my own 404: {{id}} $1</p>")
    (folder / "error.html").write_text("<p>my own error</p>")
    return folder


@contract("7", "`--error-path D`: `D/{code}.html`, else `D/error.html`, as they are and as `text/html`")
def test_error_path(proxy_with, pages):
    proxy = proxy_with("--error-path", str(pages))
    answer = proxy.get("/nowhere")
    assert (answer.status, answer.text) == (404, "<p>my own 404: {{id}} $1</p>")
    assert answer.get("content-type").split(";")[0] == "text/html"
    answer = proxy.get(proxy.add(unique(), DEAD))
    assert (answer.status, answer.text) == (503, "<p>my own error</p>")


@contract("7", "`--error-path D` without such a file: the reason phrase, without a content type")
def test_error_path_empty(proxy_with, tmp_path_factory):
    proxy = proxy_with("--error-path", str(tmp_path_factory.mktemp("empty")))
    answer = proxy.get("/nowhere")
    assert (answer.status, answer.body, answer.get("content-type")) == (404, b"Not Found", None)
    answer = proxy.get(proxy.add(unique(), DEAD))
    assert (answer.status, answer.body, answer.get("content-type")) == (503, b"Service Unavailable", None)


@contract("7", "A page that is put into the folder later is used")
def test_error_path_later(proxy_with, tmp_path_factory):
    folder = tmp_path_factory.mktemp("later")
    proxy = proxy_with("--error-path", str(folder))
    assert proxy.get("/nowhere").body == b"Not Found"
    (folder / "404.html").write_text("later 404")
    assert proxy.get("/nowhere").body == b"later 404"


GARBAGE = "ftp://127.0.0.1:1"


@contract("7", "A target that cannot be read has the built-in page for 500", chp45="that for 503")
def test_built_in_500(proxy, differs, peer):
    answer = proxy.get(proxy.add(unique(), GARBAGE))
    assert (answer.status, answer.get("content-type").split(";")[0]) == (503 if differs else 500, "text/html")
    if peer.name == "gatehouse":
        assert "500: Something went wrong" in answer.text
    else:
        assert ("503:" in answer.text) == bool(differs) and "Proxy" in answer.text


@contract("7", "With `--error-path D` it has `D/500.html`, else `D/error.html`", chp45="`D/503.html`, else `D/error.html`")
def test_error_path_500(start, tmp_path, differs):
    (tmp_path / "error.html").write_text("<p>my own error</p>")
    proxy = start("--error-path", str(tmp_path))
    path = proxy.add(unique(), GARBAGE)
    status = 503 if differs else 500
    answer = proxy.get(path)
    assert (answer.status, answer.text) == (status, "<p>my own error</p>")
    (tmp_path / f"{status}.html").write_text("<p>the one of this status</p>")
    assert proxy.get(path).text == "<p>the one of this status</p>"


# --error-target.

@pytest.fixture
def errors(backends):
    return backends(response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", "x-none"),
                                        ("Set-Cookie", "a=b"), ("X-Other", "dropped"), ("Cache-Control", "no-cache")],
                             "the hub's page"))


@contract("7", "`--error-target U`: `GET U/{code}?url=` with the raw request URL, query included, percent-encoded")
@pytest.mark.parametrize("slash", ["", "/"])
def test_error_target(start, errors, slash):
    proxy = start("--error-target", errors.url + "/hub/error" + slash)
    answer = proxy.get("/a/b?c=d&e")
    assert (answer.status, answer.text) == (404, "the hub's page")
    assert (errors.last.method, errors.last.target) == ("GET", "/hub/error/404?url=" + quote("/a/b?c=d&e", safe=""))
    answer = proxy.get(proxy.add("/dead", DEAD) + "/x%20y?z=%2F")
    assert (answer.status, answer.text) == (503, "the hub's page")
    assert errors.last.target == "/hub/error/503?url=" + quote("/dead/x%20y?z=%2F", safe="")


@contract("7", "The error target is asked without the client's cookies and fields and without forwarded ones")
def test_error_target_fields(start, errors):
    proxy = start("--error-target", errors.url)
    proxy.get("/x", [("Cookie", "secret=1"), ("Authorization", "token t"), ("X-Other", "1"), ("Accept-Language", "de")])
    names = {name.lower() for name, _ in errors.last.fields}
    assert names <= {"host", "connection"}
    assert errors.last.get("host") == f"127.0.0.1:{errors.port}"


@contract("7", "Of the error target's answer body, `content-type` and `content-encoding` are relayed, nothing else")
def test_error_target_answer(start, errors):
    proxy = start("--error-target", errors.url)
    answer = proxy.get("/x")
    assert answer.get("content-type") == "text/html; charset=utf-8"
    assert answer.get("content-encoding") == "x-none"
    for name in ("set-cookie", "x-other", "cache-control"):
        assert answer.get(name) is None


@contract("7", "The status stays 404 or 503 whatever the error target answers")
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Oops", "302 Found"])
def test_error_target_status(start, errors, status):
    errors.script = response(status, body="page")
    proxy = start("--error-target", errors.url)
    answer = proxy.get("/x")
    assert (answer.status, answer.body) == (404, b"page")


@contract("7", "The error target is asked by GET for HEAD, POST and all other methods, too")
def test_error_target_methods(start, errors):
    proxy = start("--error-target", errors.url)
    for method in ("POST", "HEAD", "DELETE"):
        answer = proxy.request(method, "/x", body=b"data" if method == "POST" else b"")
        assert answer.status == 404
        assert (errors.last.method, errors.last.body) == ("GET", b"")
        if method != "HEAD":
            assert answer.text == "the hub's page"


@contract("7", "A malformed escape is 500 at the error target", gatehouse="400 without asking it",
          why="the client's mistake is no failure of the server")
def test_error_target_500(start, errors, differs):
    proxy = start("--error-target", errors.url)
    answer = proxy.get("/%zz")
    assert answer.status == (400 if differs else 500)
    if not differs:
        assert errors.last.target == "/500?url=%2F%25zz"


@contract("7", "A target that cannot be read is asked for as `U/500?url=`", chp45="as `U/503?url=`")
def test_error_target_bad_target(start, errors, differs):
    proxy = start("--error-target", errors.url + "/hub/error")
    path = proxy.add(unique(), GARBAGE)
    answer = proxy.get(path + "?a=b")
    status = 503 if differs else 500
    assert (answer.status, answer.text) == (status, "the hub's page")
    assert errors.last.target == f"/hub/error/{status}?url=" + quote(path + "?a=b", safe="")


@contract("7", "If the error target fails: the plain reason phrase", gatehouse="our own page", why="a person reads it")
@pytest.mark.parametrize("kind", ["refuses", "resets"])
def test_error_target_fails(start, backends, kind, differs):
    proxy = start("--error-target", DEAD if kind == "refuses" else backends(cut).url)
    answer = proxy.get("/x")
    assert answer.status == 404
    assert answer.get("content-type").startswith("text/html") if differs else answer.body == b"Not Found"


@contract("7", "If the error target fails there is a line `Failed to get custom error page`")
def test_error_target_fails_line(start):
    proxy = start("--error-target", DEAD)
    assert proxy.get("/x").status == 404
    proxy.wait_log(r"error: Failed to get custom error page")


@contract("7", "The error target may be a UNIX socket", chp45="not supported")
def test_error_target_unix(start, backends, tmp_path, differs):
    errors = backends(response(body="page"), path=str(tmp_path / "errors.sock"))
    if differs:
        return
    proxy = start("--error-target", errors.url + "/hub/error")
    assert proxy.get("/x?y").body == b"page"
    assert errors.last.target == "/hub/error/404?url=%2Fx%3Fy"


@contract("7", "An error target that never answers holds the request for ever", gatehouse="our own page after 5 s",
          why="a page is bounded in time and size")
def test_error_target_hangs(start, backends, differs):
    proxy = start("--error-target", backends(lambda seen: time.sleep(30)).url)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", "/x"))
        if not differs:
            assert connection.is_silent(1.5)
            return
        began = time.monotonic()
        answer = connection.answer(timeout=10)
        assert 4 < time.monotonic() - began < 7
    assert answer.status == 404
    assert answer.get("content-type").startswith("text/html") and "404:" in answer.text
    proxy.wait_log(r"error: Failed to get custom error page")


@contract("7", "A page of the error target of 1 MiB is relayed whole")
def test_error_target_large(start, errors):
    body = b"x" * (1 << 20)
    errors.script = response(body=body)
    proxy = start("--error-target", errors.url)
    answer = proxy.get("/x")
    assert (answer.status, answer.body) == (404, body)


@contract("7", "A larger page of the error target is relayed whole", gatehouse="our own page beyond 1 MiB",
          why="a page is bounded in time and size")
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_error_target_oversized(start, errors, differs, framing):
    body = b"x" * (2 << 20)
    errors.script = (response(body=body) if framing == "length" else
                     response(fields=[("Transfer-Encoding", "chunked")], body=chunked(body), length=False))
    proxy = start("--error-target", errors.url)
    answer = proxy.get("/x")
    assert answer.status == 404
    if not differs:
        assert answer.body == body
        return
    assert answer.get("content-type").startswith("text/html") and "404:" in answer.text
    assert len(answer.body) < 20_000
    proxy.wait_log(r"error: Failed to get custom error page")
    # The next one is asked for again, and relayed.
    errors.script = response(body="the hub's page")
    assert proxy.get("/x").text == "the hub's page"
