"""Section 4: the request towards the target."""
import socket
import time

import pytest

from backend import OK, response
from basics import unique, wait_until
from contract import contract
from wire import Closed, Connection, chunked, request_bytes, upgrade_bytes

REFUSED = "a path that backends may read in two ways is refused, never repaired"
UNTOUCHED = "the bytes received are forwarded"


# The URL.

@contract("4", "A target with the scheme `http+unix` or `unix+http` is a UNIX socket, and may have a path", chp45="not supported: 503")
@pytest.mark.parametrize("scheme", ["http+unix", "unix+http"])
def test_unix_target(proxy, backends, tmp_path, scheme, differs):
    backend = backends(path=str(tmp_path / "back.sock"))
    url = backend.url.replace("http+unix", scheme)
    path, deep = proxy.add(unique(), url), proxy.add(unique(), url + "/deep")
    if differs:
        assert proxy.get(path).status == 503
        return
    assert proxy.get(path + "/x").status == 200
    assert backend.last.target == path + "/x"
    assert proxy.get(deep + "/x").status == 200
    assert backend.last.target == "/deep" + deep + "/x"


@contract("4", "A target that cannot be read or has another scheme is 500", chp45="503")
@pytest.mark.parametrize("target", ["garbage", "ftp://127.0.0.1:1", "", "//127.0.0.1", "http://"])
def test_bad_target(proxy, peer, differs, target):
    path = proxy.add(unique(), target)
    # An `http:` URL without a host reads to 4.5 as a host named nothing.
    assert proxy.get(path).status == (503 if differs else 500)


@contract("4", "A target is read as a browser reads an address: an address in short, blanks around it, a number of any form",
          gatehouse="500", why="a target is an RFC 3986 URL, or nobody knows where it leads")
@pytest.mark.parametrize("form", ["http://127.1:{}", " http://127.0.0.1:{}", "http://127.0.0.1:{} ", "http://127.0.0.1:{}\t",
                                  "http://2130706433:{}", "http://127.0.0.1:0{}", "http:\\\\127.0.0.1:{}"])
def test_loose_target(proxy, backend, differs, form):
    path = proxy.add(unique(), form.format(backend.port))
    assert proxy.get(path).status == (500 if differs else 200)
    assert len(backend.requests) == (not differs)


@contract("4", "A target with one slash, none or three before its host is read all the same", chp45="503", gatehouse="500",
          why="a target is an RFC 3986 URL, or nobody knows where it leads")
@pytest.mark.parametrize("form", ["http:/127.0.0.1:{}", "http:127.0.0.1:{}", "http:///127.0.0.1:{}"])
def test_target_slashes(proxy, backend, peer, form):
    path = proxy.add(unique(), form.format(backend.port))
    assert proxy.get(path).status == {"chp45": 503, "chp53": 200, "gatehouse": 500}[peer.name]
    assert len(backend.requests) == (peer.name == "chp53")


@contract("4", "User-info in the target is ignored")
def test_user_info(proxy, backend):
    path = proxy.add(unique(), backend.url.replace("http://", "http://user:secret@"))
    assert proxy.get(path).status == 200
    assert backend.last.get("authorization") is None


@contract("4", "The path of the target and that of the request are joined with one slash")
@pytest.mark.parametrize("path", ["/foo", "/foo/"])
def test_join(proxy, backend, path):
    route = proxy.add(unique(), backend.url + path)
    proxy.get(route + "/x")
    assert backend.last.target == "/foo" + route + "/x"


@contract("4", "The query of the target comes before that of the request", chp45="`/t?k=v/x?a=b`")
def test_target_query(proxy, backend, differs):
    route = proxy.add(unique(), backend.url + "/t?k=v")
    assert proxy.get(route + "/x?a=b").status == 200
    assert backend.last.target == (f"/t?k=v{route}/x?a=b" if differs else f"/t{route}/x?k=v&a=b")
    assert proxy.get(route + "/x").status == 200
    assert backend.last.target == (f"/t?k=v{route}/x" if differs else f"/t{route}/x?k=v")


FORMS = [((), "/foo/bar/x?q=1"), (("--no-include-prefix",), "/foo/x?q=1"),
         (("--no-prepend-path",), "/bar/x?q=1"), (("--no-include-prefix", "--no-prepend-path"), "/x?q=1")]


@contract("4", "Target `/foo`, route `/bar`, request `/bar/x?q=1`: `/foo/bar/x?q=1`; with `--no-include-prefix` `/foo/x?q=1`; "
               "with `--no-prepend-path` `/bar/x?q=1`; with both `/x?q=1`")
@pytest.mark.parametrize("flags, wanted", FORMS)
def test_prefix_flags(proxy_with, backend, flags, wanted):
    proxy = proxy_with(*flags)
    proxy.add("/bar", backend.url + "/foo")
    assert proxy.get("/bar/x?q=1").status == 200
    assert backend.last.target == wanted


@contract("4", "With `--no-include-prefix` the prefix itself becomes `/`")
@pytest.mark.parametrize("target, wanted", [("/bar", "/"), ("/bar/", "/")])
def test_prefix_itself(proxy_with, backend, target, wanted):
    proxy = proxy_with("--no-include-prefix")
    proxy.add("/bar", backend)
    assert proxy.get(target).status == 200
    assert backend.last.target == wanted


@contract("4", "`--no-include-prefix` cuts what the prefix was in the URL, also an escaped one", chp="cuts by the decoded length, defect 13.7")
def test_escaped_prefix(proxy_with, backend, differs):
    proxy = proxy_with("--no-include-prefix")
    proxy.add("/b@r", backend)
    assert proxy.get("/b%40r/x").status == 200
    assert backend.last.target == ("/0r/x" if differs else "/x")


@contract("4", "With host routing `--no-include-prefix` does not count the host", chp="counts the host, defect 13.7")
def test_host_prefix(proxy_with, backend, differs):
    proxy = proxy_with("--no-include-prefix", "--host-routing")
    proxy.add("/h.test/bar", backend)
    proxy.get("/bar/some/longer/path", host="h.test")
    assert (backend.last.target == "/some/longer/path") == (not differs)


@contract("4", "Escapes and reserved characters of the path and query go on as they came")
@pytest.mark.parametrize("rest", ["/%41%2f%7e", "/a;b=c,d", "/it's", "/~!$&()*+,=:@", "/x?a=%2F&b=/?c", "/x?%zz", "/x?a=b?c", "/%E7%A7%80"])
def test_bytes_of_the_target(proxy, backend, rest):
    path = proxy.add(unique(), backend)
    assert proxy.get(path + rest).status == 200
    assert backend.last.target == path + rest


@contract("4", "`\"`, `<`, `>` in a path are percent-encoded", chp45="forwarded as they came", gatehouse="forwarded as they came", why=UNTOUCHED)
def test_odd_characters(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(path + "/a\"b<c>d").status == 200
    assert backend.last.target == path + ("/a\"b<c>d" if differs else "/a%22b%3Cc%3Ed")


@contract("4", "`\\` in a path is forwarded as `/`", gatehouse="forwarded as it came", why=UNTOUCHED)
def test_backslash(proxy, backend, peer, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(path + "/a\\b").status == 200
    assert backend.last.target == path + ("/a\\b" if differs else "/a/b")


@contract("4", "A lone trailing `?` is lost", chp45="kept", gatehouse="kept", why=UNTOUCHED)
def test_lone_question_mark(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(path + "/x?").status == 200
    assert backend.last.target == path + ("/x?" if differs else "/x")


@contract("4", "Raw bytes beyond ASCII in the request line are 400")
def test_raw_bytes(proxy, backend):
    path = proxy.add(unique(), backend)
    assert proxy.get(path + "/é").status == 400
    assert backend.requests == []
    assert proxy.get(path + "/e").status == 200


@contract("4", "An absolute-form target is accepted and sent in origin-form", chp45="sent on with the URL as a path")
def test_absolute_form(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(f"http://h.test{path}/x", host="h.test").status == 200
    assert backend.last.get("host") == "h.test"
    if not differs:
        assert backend.last.target == path + "/x"


@contract("4", "An absolute-form target may have another host than Host, which goes on", gatehouse="400",
          why="two readers would take it for two sites")
def test_absolute_form_and_host(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    answer = proxy.get(f"http://other.test{path}", host="h.test")
    assert answer.status == (400 if differs else 200)
    if differs:
        assert backend.requests == []
    else:
        assert backend.last.get("host") == "h.test"


@contract("4", "`OPTIONS *` becomes `/*`", gatehouse="400", why="it asks about the proxy, not about a path")
def test_options_star(proxy, backend, differs):
    proxy.add("/", backend)
    try:
        answer = proxy.request("OPTIONS", "*")
        if differs:
            assert answer.status == 400 and backend.requests == []
        else:
            assert answer.status == 200 and backend.last.target == "/*"
    finally:
        proxy.api("DELETE", "/api/routes/")


@contract("4", "CONNECT closes the connection without an answer", gatehouse="405", why="a client may know why")
def test_connect(proxy, differs):
    with proxy.connect() as connection:
        connection.send(request_bytes("CONNECT", "a.test:443", host="a.test:443"))
        if differs:
            assert connection.answer().status == 405
        else:
            assert connection.to_the_end() == b""


@contract("4", "TRACE is forwarded", gatehouse="405", why="it would show cookies to scripts")
def test_trace(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    answer = proxy.request("TRACE", path)
    assert answer.status == (405 if differs else 200)
    assert len(backend.requests) == (0 if differs else 1)


# The fields.

@contract("4", "All fields of the client pass")
def test_fields_pass(proxy, backend):
    path = proxy.add(unique(), backend)
    sent = [("X-One", "1"), ("Accept", "*/*"), ("User-Agent", "test"), ("Authorization", "token abc"), ("Cookie", "a=b; c=d"),
            ("X-XSRFToken", "xyz"), ("Referer", "http://x/"), ("X_Under", "score"), ("X-Empty", ""), ("Range", "bytes=0-1"),
            ("If-None-Match", '"e"'), ("Accept-Encoding", "gzip, br")]
    proxy.get(path, sent)
    for name, value in sent:
        assert backend.last.all(name) == [value], name


@contract("4", "Names of fields are sent in small letters", gatehouse="spelled as they came", why=UNTOUCHED)
def test_names(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    proxy.get(path, [("X-UPPER", "1")])
    assert ("X-UPPER" if differs else "x-upper") in [name for name, _ in backend.last.fields]


@contract("4", "The order of the fields is kept", chp45="reversed")
def test_field_order(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    names = ["x-c", "x-a", "x-b", "accept", "x-d"]
    proxy.get(path, [(name, "1") for name in names])
    assert [name.lower() for name, _ in backend.last.fields if name.lower() in names] == (
        names[::-1] if differs else names)


@contract("4", "Bytes beyond ASCII in a value pass as they came")
def test_field_bytes(proxy, backend):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Name: ".encode() + b"caf\xe9 \xe7\xa7\x80\r\n\r\n")
        assert connection.answer().status == 200
    assert b"caf\xe9 \xe7\xa7\x80" in backend.last.raw


@contract("4", "Host is the client's")
def test_host(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.get(path, host="hub.example.org:1234")
    assert backend.last.all("host") == ["hub.example.org:1234"]


@contract("4", "With `--change-origin` Host is that of the target, with its port, and a line says so")
def test_change_origin(proxy_with, backend):
    proxy = proxy_with("--change-origin")
    path = proxy.add(unique(), backend)
    proxy.get(path, host="hub.example.org")
    assert backend.last.all("host") == [f"127.0.0.1:{backend.port}"]
    proxy.wait_log(r"Change Origin of host headers enabled\.")


@contract("4", "A field given twice reaches the target with both values in their order")
def test_duplicates(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.get(path, [("X-Twice", "a"), ("X-Twice", "b")])
    assert ", ".join(backend.last.all("x-twice")) == "a, b"


@contract("4", "Two Cookie fields reach the target joined with `; `", gatehouse="as two fields", why=UNTOUCHED)
def test_cookies(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    proxy.get(path, [("Cookie", "a=1"), ("Cookie", "b=2")])
    assert backend.last.all("cookie") == (["a=1", "b=2"] if differs else ["a=1; b=2"])


@contract("4", "Of several Content-Type, User-Agent or Authorization the first is kept", gatehouse="all are", why=UNTOUCHED)
@pytest.mark.parametrize("name", ["Content-Type", "User-Agent", "Authorization"])
def test_singletons(proxy, backend, name, differs):
    path = proxy.add(unique(), backend)
    proxy.get(path, [(name, "first"), (name, "second")])
    assert backend.last.all(name) == (["first", "second"] if differs else ["first"])


@contract("4", "Hop-by-hop fields end at the proxy", chp="forwarded, defect 13.7")
@pytest.mark.parametrize("name, value", [("Keep-Alive", "timeout=5"), ("TE", "trailers"),
                                         ("Proxy-Authorization", "Basic eA=="), ("Proxy-Connection", "keep-alive")])
def test_hop_by_hop(proxy, backend, differs, name, value):
    path = proxy.add(unique(), backend)
    assert proxy.get(path, [(name, value), ("X-Other", "stays")]).status == 200
    assert backend.last.all(name) == ([value] if differs else [])
    assert backend.last.all("x-other") == ["stays"]


@contract("4", "A field that Connection names ends at the proxy", chp="forwarded, defect 13.7")
def test_nominated(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(path, [("Connection", "X-Hop, keep-alive"), ("X-Hop", "secret"), ("X-Other", "stays")]).status == 200
    assert backend.last.all("x-hop") == (["secret"] if differs else [])
    assert backend.last.all("x-other") == ["stays"]


@contract("4", "A request may nominate any field by Connection", gatehouse="400",
          why="to cut out such a field changes what the target decides")
@pytest.mark.parametrize("name", ["Host", "Cookie", "Authorization", "Content-Length", "X-Forwarded-For"])
def test_nominated_dangerous(proxy, backend, differs, name):
    path = proxy.add(unique(), backend)
    fields = [("Connection", name)] + ([("Content-Length", "0")] if name == "Content-Length" else [])
    answer = proxy.get(path, fields)
    assert answer.status == (400 if differs else 200)
    if differs:
        assert backend.requests == []
        assert proxy.get(path).status == 200


@contract("4", "`Expect: 100-continue` is answered with 100 and forwarded")
@pytest.mark.parametrize("says_it", [False, True])
def test_expect(proxy, backends, says_it):
    def script(seen):
        # A target need not say it: many servers do not.
        if says_it:
            seen.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        seen.read_body()
        seen.send(OK)
    backend = backends(script, bodies=False)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.head().status == 100
        connection.send("body")
        answer = connection.answer()
        assert (answer.status, answer.interim) == (200, [])
    assert backend.last.get("expect") == "100-continue"
    assert backend.last.body == b"body"


# The body.

@contract("4", "A body with Content-Length arrives with the same")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "GET"])
def test_body_with_length(proxy, backend, method):
    path = proxy.add(unique(), backend)
    assert proxy.request(method, path, body=b"x" * 1000).status == 200
    assert (backend.last.method, backend.last.body) == (method, b"x" * 1000)
    assert backend.last.all("content-length") == ["1000"]
    assert backend.last.get("transfer-encoding") is None


@contract("4", "A chunked body arrives chunked")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "GET"])
def test_chunked_body(proxy, backend, method):
    path = proxy.add(unique(), backend)
    assert proxy.request(method, path, [("Transfer-Encoding", "chunked")], chunked(b"one", b"two" * 100)).status == 200
    assert backend.last.body == b"one" + b"two" * 100
    assert backend.last.all("transfer-encoding") == ["chunked"]
    assert backend.last.get("content-length") is None


@contract("4", "DELETE and OPTIONS without a body arrive with `Content-Length: 0`", gatehouse="without a length",
          why="a request without a body needs none (RFC 9110, 8.6)")
@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
def test_no_body(proxy, backend, method, differs):
    path = proxy.add(unique(), backend)
    assert proxy.request(method, path).status == 200
    assert backend.last.all("content-length") in ([["0"], []] if differs else [["0"]])


@contract("4", "The body streams: the target has its beginning before the client has sent its end")
def test_body_streams(proxy, backends):
    began = []

    def script(seen):
        began.append(seen.exactly(5))
        seen.exactly(5)
        seen.send(OK)
    backend = backends(script, bodies=False)
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst")
        wait_until(lambda: began == [b"first"], 2, "the first half upstream")
        connection.send("again")
        assert connection.answer().status == 200


@contract("4", "Trailers of a request are dropped, and so is the field Trailer", chp45="the field Trailer stays",
          gatehouse="trailers pass", why="they belong to the message (RFC 9110, 6.5)")
def test_trailers(proxy, backend, peer):
    path = proxy.add(unique(), backend)
    body = chunked(b"data", trailers=b"X-Late: 1\r\n")
    assert proxy.request("POST", path, [("Transfer-Encoding", "chunked"), ("Trailer", "X-Late")], body).status == 200
    assert backend.last.body == b"data"
    assert backend.last.trailers == (b"X-Late: 1\r\n" if peer.name == "gatehouse" else b"")
    if peer.is_chp:
        assert backend.last.get("trailer") == ("X-Late" if peer.name == "chp45" else None)


@contract("4", "When the client goes away the request upstream is aborted", chp45="it goes on")
def test_client_aborts(proxy, backends, differs):
    ends = []

    def script(seen):
        ends.append(seen.is_closed(3))
        return "end"
    backend = backends(script)
    path = proxy.add(unique(), backend)
    connection = proxy.connect()
    connection.send(request_bytes("GET", path))
    backend.wait()
    connection.close()
    wait_until(lambda: ends, 5, "the end upstream")
    assert ends == [not differs]


@contract("4", "An upload of 20 MB arrives whole")
def test_large_upload(proxy, backend):
    path = proxy.add(unique(), backend)
    body = b"0123456789abcdef" * (20 << 16)
    assert proxy.request("PUT", path, body=body, timeout=20).status == 200
    assert backend.last.body == body


# Forwarded fields.

@contract("4", "Without forwarded fields of the client: `x-forwarded-for` its address, `-port` that of Host, `-proto` http, `-host` Host")
def test_forwarded(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.get(path, host="hub.test:8443")
    seen = backend.last
    assert seen.all("x-forwarded-for") == ["127.0.0.1"]
    assert seen.all("x-forwarded-port") == ["8443"]
    assert seen.all("x-forwarded-proto") == ["http"]
    assert seen.all("x-forwarded-host") == ["hub.test:8443"]


@contract("4", "Without a port in Host `x-forwarded-port` is 80 in clear")
def test_forwarded_port(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.get(path, host="hub.test")
    assert backend.last.all("x-forwarded-port") == ["80"]


@contract("4", "The client's forwarded fields are kept and ours appended with a comma and no blank; `x-forwarded-host` is kept")
def test_forwarded_append(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.get(path, [("X-Forwarded-For", "10.0.0.1, 10.0.0.2"), ("X-Forwarded-Port", "443"),
                     ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "outer.test")], host="inner.test:8000")
    seen = backend.last
    assert seen.all("x-forwarded-for") == ["10.0.0.1, 10.0.0.2,127.0.0.1"]
    assert seen.all("x-forwarded-port") == ["443,8000"]
    assert seen.all("x-forwarded-proto") == ["https,http"]
    assert seen.all("x-forwarded-host") == ["outer.test"]


@contract("4", "Empty forwarded fields of the client count for nothing")
def test_empty_forwarded(proxy, backend):
    path = proxy.add("/empty-forwarded", backend)
    proxy.get(path, [("X-Forwarded-For", ""), ("X-Forwarded-Port", ""),
                     ("X-Forwarded-Proto", ""), ("X-Forwarded-Host", "")], host="hub.test:8443")
    seen = backend.last
    assert seen.all("x-forwarded-for") == ["127.0.0.1"]
    assert seen.all("x-forwarded-port") == ["8443"]
    assert seen.all("x-forwarded-proto") == ["http"]
    assert seen.all("x-forwarded-host") == ["hub.test:8443"]


@contract("4", "`x-forwarded-for` is the address that the client came from")
def test_forwarded_peer(proxy, backend):
    path = proxy.add(unique(), backend)
    with proxy.connect(source=("127.0.0.9", 0)) as connection:
        connection.send(request_bytes("GET", path))
        connection.answer()
    assert backend.last.all("x-forwarded-for") == ["127.0.0.9"]


@contract("4", "`x-real-ip`, `x-scheme` and `forwarded` pass untouched")
@pytest.mark.parametrize("name, value", [("X-Real-IP", "10.0.0.1"), ("X-Scheme", "https"), ("Forwarded", "for=10.0.0.1;proto=https")])
def test_forwarded_others(proxy, backend, name, value):
    path = proxy.add(unique(), backend)
    proxy.get(path, [(name, value)])
    assert backend.last.all(name) == [value]


@contract("4", "With `--no-x-forward` nothing is added and the client's own pass through untouched")
def test_no_x_forward(proxy_with, backend):
    proxy = proxy_with("--no-x-forward")
    path = proxy.add(unique(), backend)
    proxy.get(path)
    assert not [name for name, _ in backend.last.fields if name.lower().startswith("x-forwarded")]
    proxy.get(path, [("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Proto", "https")])
    assert backend.last.all("x-forwarded-for") == ["10.0.0.1"]
    assert backend.last.all("x-forwarded-proto") == ["https"]
    assert backend.last.get("x-forwarded-host") is None


@contract("4", "A WebSocket has `for`, `port` and `proto` with `ws`, and no `x-forwarded-host`")
def test_forwarded_websocket(proxy, backends):
    backend = backends(lambda seen: seen.accept())
    path = proxy.add(unique(), backend)
    for fields, wanted in [([], ("127.0.0.1", "8000", "ws")),
                           ([("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443")],
                            ("10.0.0.1,127.0.0.1", "443,8000", "https,ws"))]:
        with proxy.connect() as connection:
            connection.send(upgrade_bytes(path, fields, host="hub.test:8000"))
            assert connection.answer().status == 101
        seen = backend.last
        assert tuple(seen.get("x-forwarded-" + name) for name in ("for", "port", "proto")) == wanted
        assert seen.get("x-forwarded-host") is None


@contract("4", "`x-forwarded-for` of a client of a UNIX socket is no address", chp53="the text `undefined`, defect 13.5",
          chp45="no `--socket`")
def test_forwarded_unix(start, backend, peer):
    if peer.name == "chp45":
        assert peer.run("--socket", "x", environment={}, seconds=5).returncode == 1
        return
    proxy = start("--socket", "{folder}/public.sock", "--api-ip", "127.0.0.1", "--api-port", "{api}", addresses=False, ready=False)
    proxy.await_listening(proxy.api_address)
    proxy.await_listening(str(proxy.folder / "public.sock"))
    path = proxy.add(unique(), backend)
    assert proxy.get(path, address=str(proxy.folder / "public.sock")).status == 200
    assert ("undefined" in (backend.last.get("x-forwarded-for") or "")) == (peer.name == "chp53")


# Custom fields.

@contract("4", "`--custom-header` adds a field to every request, and wins over the client's, over Host and over the forwarded ones")
def test_custom_headers(proxy_with, backend):
    proxy = proxy_with("--custom-header", "X-Mine: one: two", "--custom-header", "  X-Second :  b ", "--custom-header",
                       "Host: fixed.test", "--custom-header", "X-Forwarded-Proto: https")
    path = proxy.add(unique(), backend)
    proxy.get(path, [("X-Mine", "theirs"), ("X-Other", "stays"), ("X-Forwarded-Proto", "gopher")], host="client.test")
    seen = backend.last
    assert seen.all("x-mine") == ["one: two"]
    assert seen.all("x-second") == ["b"]
    assert seen.all("host") == ["fixed.test"]
    assert seen.all("x-forwarded-proto") == ["https"]
    assert seen.all("x-other") == ["stays"]


@contract("4", "`--custom-header` is added to WebSocket handshakes, too, and not to answers")
def test_custom_headers_websocket(proxy_with, backends):
    proxy = proxy_with("--custom-header", "X-Mine: 1")
    backend = backends(lambda seen: seen.accept())
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(upgrade_bytes(path))
        answer = connection.answer()
    assert answer.status == 101 and answer.get("x-mine") is None
    assert backend.last.all("x-mine") == ["1"]


# Connections.

REQUESTS, LOOPS = 16, 8


@contract("4", "Connections to a target are kept and used again", chp45="one per request, with `connection: close`")
def test_pool(proxy, backend, peer):
    path = proxy.add(unique(), backend)
    for _ in range(REQUESTS):
        assert proxy.get(path).status == 200
        time.sleep(0.02)
    # Each of Gatehouse's loops, eight at most, has a pool of its own.
    assert backend.connections <= {"chp45": REQUESTS, "chp53": 1, "gatehouse": LOOPS}[peer.name]
    assert (backend.connections == REQUESTS) == (peer.name == "chp45")
    assert (backend.last.get("connection") == "close") == (peer.name == "chp45")


@contract("4", "Each request to a UNIX socket has its own connection", chp45="not supported", gatehouse="kept and used again",
          why="a connection costs no less there")
def test_pool_unix(proxy, backends, tmp_path, peer):
    backend = backends(path=str(tmp_path / "back.sock"))
    path = proxy.add(unique(), backend)
    if peer.name == "chp45":
        assert proxy.get(path).status == 503
        return
    for _ in range(REQUESTS):
        assert proxy.get(path).status == 200
        time.sleep(0.02)
    assert backend.connections <= LOOPS if peer.name == "gatehouse" else backend.connections == REQUESTS


@contract("4", "A request without a body on a pooled connection that the target has closed meanwhile succeeds",
          chp53="it may be 503, when the close is noticed too late")
def test_stale_pool(proxy, backends):
    def script(seen):
        seen.send(OK)
        return "end"  # closes after each answer, without having said so
    backend = backends(script)
    path = proxy.add(unique(), backend)
    answers = []
    for _ in range(5):
        answers.append(proxy.get(path).status)
        time.sleep(0.1)
    assert answers == [200] * 5


# Limits and the grammar.

@contract("4", "A head of more than 16 KiB is 431", gatehouse="431 beyond 32 KiB", why="cookies of JupyterHub with many servers grow beyond 16 KiB")
def test_large_head(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(path, [("X-Large", "x" * 14_000)]).status == 200
    large = [(f"X-Large-{index}", "x" * 7_000) for index in range(5)]
    assert proxy.get(path, large).status == 431
    if differs:
        assert proxy.get(path, large[:4]).status == 200
    assert len(backend.requests) == (2 if differs else 1)


@contract("4", "Invalid HTTP, Content-Length beside Transfer-Encoding and HTTP/1.1 without Host are 400 and the connection is closed")
@pytest.mark.parametrize("raw", [
    b"GARBAGE\r\n\r\n", b"GET PATH HTTP/1.1\r\n\r\n", b"GET PATH HTTP/1.1\r\nHost: x\r\nbad line\r\n\r\n",
    b"POST PATH HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST PATH HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST PATH HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"GET PATH HTTP/1.1\r\nHost : x\r\n\r\n"])
def test_invalid(proxy, backend, raw):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(raw.replace(b"PATH", path.encode()))
        assert connection.answer().status == 400
        assert connection.is_closed(3)
    assert backend.requests == []
    assert proxy.get(path).status == 200


@contract("4", "A method that nobody knows is 400", gatehouse="forwarded", why="any token is a method (RFC 9110, 9.1)")
def test_unknown_method(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    answer = proxy.request("FROB", path)
    assert answer.status == (200 if differs else 400)
    assert len(backend.requests) == (1 if differs else 0)


@contract("4", "HTTP/1.0 is accepted, and the connection closed after the answer")
def test_http10(proxy, backend):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n")
        assert connection.answer().body == b"ok"
        assert connection.is_closed(3)


@contract("4", "`Upgrade: h2c` is ignored and answered over HTTP/1.1", chp="the connection is dropped")
def test_h2c(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(request_bytes("GET", path, [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                                                    ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")]))
        if differs:
            assert connection.to_the_end() == b""
        else:
            assert connection.answer().status == 200
            assert backend.last.get("upgrade") is None


@contract("4", "Requests may be pipelined, and their answers come in their order")
def test_pipelining(proxy, backends):
    backend = backends(lambda seen: seen.send(response(body=seen.target)))
    path = proxy.add(unique(), backend)
    with proxy.connect() as connection:
        connection.send(b"".join(request_bytes("GET", f"{path}/{index}") for index in range(3)))
        assert [connection.answer().text for _ in range(3)] == [f"{path}/{index}" for index in range(3)]
