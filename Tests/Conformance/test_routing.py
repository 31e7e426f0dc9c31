"""Section 3: choosing the target."""
from urllib.parse import quote

import pytest

from backend import response
from basics import unique
from contract import contract
from wire import upgrade_bytes

REFUSED = "a path that backends may read in two ways is refused, never repaired"


# The health check.

@contract("3.1", "`/_chp_healthz` answers 200 `{\"status\":\"OK\"}` as `application/json` to any method, never routed")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_health(proxy, backend, method):
    proxy.add("/_chp_healthz", backend)
    answer = proxy.request(method, "/_chp_healthz")
    assert answer.status == 200
    assert answer.get("content-type") == "application/json"
    if method != "HEAD":
        assert answer.json() == {"status": "OK"}
    assert backend.requests == []
    proxy.api("DELETE", "/api/routes/_chp_healthz")


@contract("3.1", "`/_chp_healthz?x` and `/_chp_healthz/` are ordinary paths")
@pytest.mark.parametrize("target", ["/_chp_healthz?x", "/_chp_healthz/", "/_chp_healthzz"])
def test_health_exactly(proxy, backend, target):
    assert proxy.get(target).status == 404
    proxy.add("/", backend)
    try:
        assert proxy.get(target).body == b"ok"
        assert backend.last.target == target
    finally:
        proxy.api("DELETE", "/api/routes/")


@contract("3.1", "An upgrade request for `/_chp_healthz` is an ordinary path")
def test_health_upgrade(proxy, backends):
    backend = backends(lambda seen: seen.accept())
    proxy.add("/_chp_healthz", backend)
    try:
        with proxy.connect() as connection:
            connection.send(upgrade_bytes("/_chp_healthz"))
            assert connection.answer().status == 101
    finally:
        proxy.api("DELETE", "/api/routes/_chp_healthz")


@contract("3.1", "The health check answers whatever the Host is, also with host routing")
def test_health_hosts(proxy_with):
    proxy = proxy_with("--host-routing", "--log-level", "debug")
    for host in ("10.1.2.3:8000", "x.example.org", "[::1]:8000"):
        assert proxy.get("/_chp_healthz", host=host).status == 200


@contract("3.1", "An empty Host is accepted", gatehouse="400", why="every address that is served has a host (RFC 9112, 3.2)")
def test_empty_host(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    assert proxy.get(path, [("Host", "")]).status == (400 if differs else 200)
    assert len(backend.requests) == (0 if differs else 1)


# Reading the path.

@contract("3.2", "The path is percent-decoded once as UTF-8 before the look-up")
@pytest.mark.parametrize("route, target", [("/秀樹", "/%E7%A7%80%E6%A8%B9/x"), ("/a@b", "/a%40b/x"), ("/a b", "/a%20b"),
                                           ("/one", "/%6Fne/two"), ("/100%25", "/100%2525")])
def test_decoding(proxy, backend, route, target):
    base = unique()
    proxy.add(base + quote(route), backend)
    assert proxy.get(base + target).status == 200
    assert backend.last.target == base + target


@contract("3.2", "Dot segments, plain or encoded, are resolved before the look-up", chp45="plain ones are matched as they stand",
          gatehouse="400", why=REFUSED)
@pytest.mark.parametrize("middle", ["/x/../b", "/./b", "/x/%2e%2e/b", "/x/.%2E/b"])
def test_dot_segments(proxy, backends, peer, middle):
    base, inner, outer = unique(), backends(), backends()
    proxy.add(base + "/b", inner)
    proxy.add(base, outer)
    answer = proxy.get(base + middle)
    if peer.name == "gatehouse":
        assert answer.status == 400
        assert inner.requests == outer.requests == []
        assert proxy.get(base + "/b").status == 200
        return
    assert answer.status == 200
    resolved = peer.name == "chp53"
    assert (len(inner.requests), len(outer.requests)) == ((1, 0) if resolved else (0, 1))


@contract("3.2", "A backslash is read as a slash", chp45="matched as it stands")
def test_backslash(proxy, backends, peer):
    base, inner, outer = unique(), backends(), backends()
    proxy.add(base + "/b", inner)
    proxy.add(base, outer)
    answer = proxy.get(base + "\\b")
    assert answer.status == 200
    assert len(inner.requests) == 1


@contract("3.2", "What follows a raw `#` is dropped", gatehouse="400", why=REFUSED)
def test_number_sign(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    answer = proxy.get(path + "/x#y")
    if differs:
        assert answer.status == 400 and backend.requests == []
        assert proxy.get(path + "/x%23y").status == 200
    else:
        assert answer.status == 200
        assert backend.last.target in (path + "/x", path + "/x#y")


@contract("3.2", "A malformed escape is 500", gatehouse="400", why="the client's mistake is no failure of the server")
@pytest.mark.parametrize("escape", ["%zz", "%", "%4", "%ff", "%c3%28"])
def test_bad_escape(proxy, backend, differs, escape):
    path = proxy.add(unique(), backend)
    answer = proxy.get(f"{path}/{escape}/x")
    assert answer.status == (400 if differs else 500)
    assert backend.requests == []
    assert proxy.get(path + "/%41").status == 200


# Host routing.

@contract("3.3", "With host routing the path is `/`, the Host without its port, and the path")
def test_host_routing(proxy_with, backends):
    proxy = proxy_with("--host-routing", "--log-level", "debug")
    one, two, root = backends(response(body="one")), backends(response(body="two")), backends(response(body="root"))
    proxy.add("/one.example", one)
    proxy.add("/two.example/deep", two)
    proxy.add("/", root)
    for host, target, wanted in [("one.example", "/", "one"), ("one.example:8000", "/a/b", "one"),
                                 ("two.example", "/deep/x", "two"), ("two.example", "/x", "root"),
                                 ("other.example", "/deep", "root"), ("sub.one.example", "/", "root")]:
        assert proxy.get(target, host=host).text == wanted, (host, target)
    assert one.requests[0].target == "/"


@contract("3.3", "A route in capitals matches only a Host in capitals", gatehouse="matches both",
          why="hosts are the same in every spelling (RFC 9110, 4.2.3)")
def test_host_case(proxy_with, backend, differs):
    proxy = proxy_with("--host-routing")
    proxy.add("/Upper.Example", backend)
    assert proxy.get("/", host="Upper.Example").status == 200
    assert proxy.get("/", host="upper.example").status == (200 if differs else 404)


@contract("3.3", "A route in small letters matches no Host in capitals", gatehouse="matches",
          why="hosts are the same in every spelling (RFC 9110, 4.2.3)")
def test_host_small(proxy_with, backend, differs):
    proxy = proxy_with("--host-routing")
    proxy.add("/lower.example", backend)
    assert proxy.get("/", host="LOWER.example").status == (200 if differs else 404)


# The look-up.

@contract("3.4", "The deepest route of whole segments wins")
def test_deepest(proxy, backends):
    base = unique()
    made = {path: backends(response(body=path)) for path in (base, base + "/a/b", base + "/a/b/c/d")}
    for path, backend in made.items():
        proxy.add(path, backend)
    for target, wanted in [(base, base), (base + "/", base), (base + "/a", base), (base + "/a/b", base + "/a/b"),
                           (base + "/a/b/c", base + "/a/b"), (base + "/a/b/c/d/e", base + "/a/b/c/d"),
                           (base + "/a/b?x=/c/d", base + "/a/b")]:
        assert proxy.get(target).text == wanted, target


@contract("3.4", "`/foo` matches `/foo`, `/foo/` and `/foo?x`, not `/foobar` nor `/fo`")
def test_whole_segments(proxy, backend):
    path = proxy.add(unique(), backend)
    for target in (path, path + "/", path + "?x", path + "/?x"):
        assert proxy.get(target).status == 200, target
    for target in (path + "bar", path[:-1], path + "-", path + ";x"):
        assert proxy.get(target).status == 404, target
    assert len(backend.requests) == 4


@contract("3.4", "Paths are compared with their case")
def test_case(proxy, backend):
    path = proxy.add(unique() + "/Upper", backend)
    assert proxy.get(path).status == 200
    assert proxy.get(path.lower()).status == 404
    assert proxy.get(path.upper()).status == 404


@contract("3.4", "An empty inner segment counts: `/foo//bar` matches `/foo`, not `/foo/bar`, and goes on as it came",
          chp45="matched so, but forwarded as `/foo/bar`")
def test_empty_segments(proxy, backends, differs):
    base, outer, inner = unique(), backends(), backends()
    proxy.add(base, outer)
    proxy.add(base + "/bar", inner)
    assert proxy.get(base + "//bar").status == 200
    assert (len(outer.requests), len(inner.requests)) == (1, 0)
    assert outer.last.target == base + ("/bar" if differs else "//bar")


@contract("3.4", "`%2F` splits like `/`")
def test_encoded_slash(proxy, backend):
    base = unique()
    proxy.add(base + "/a/b", backend)
    assert proxy.get(base + "%2Fa%2Fb/c").status == 200
    assert backend.last.target == base + "%2Fa%2Fb/c"


@contract("3.4", "`+` is no blank")
def test_plus(proxy, backend):
    base = unique()
    proxy.add(base + "/a%20b", backend)
    assert proxy.get(base + "/a+b").status == 404
    assert proxy.get(base + "/a%20b").status == 200


@contract("3.4", "Decoding is single: `%2525` is `%25`")
def test_single_decoding(proxy, backend):
    base = unique()
    proxy.add(base + "/a%2525", backend)
    assert proxy.get(base + "/a%25").status == 404
    assert proxy.get(base + "/a%2525").status == 200


@contract("3.5", "Where no route matches there is a 404 page")
def test_no_route(proxy):
    answer = proxy.get(unique("/nowhere"))
    assert answer.status == 404
    assert b"404:" in answer.body


@contract("3.5", "The route `/` takes what no other matches")
def test_root(proxy, backend):
    proxy.add("/", backend)
    for target in ("/", "/x", "/x/y?z"):
        assert proxy.get(target).status == 200
        assert backend.last.target == target
    proxy.api("DELETE", "/api/routes/")
    assert proxy.get("/x").status == 404


@contract("3", "`//foo/bar` is looked up and forwarded as the same path", chp45="looked up and forwarded as `/foo/bar`",
          chp53="looked up as `/bar`, forwarded as `//foo/bar`, defect 13.6")
def test_double_slash(proxy, backends, peer):
    base, other, backend = unique(), unique(), backends()
    elsewhere = backends()
    proxy.add(base + other, backend)
    proxy.add(other, elsewhere)
    answer = proxy.get("/" + base + other)
    assert answer.status == 200
    wrong = peer.name == "chp53"
    assert (len(backend.requests), len(elsewhere.requests)) == ((0, 1) if wrong else (1, 0))
    seen = (elsewhere if wrong else backend).last.target
    assert seen == (base + other if peer.name == "chp45" else "/" + base + other)


@contract("3", "A segment named like a member of a JavaScript object is an ordinary one", chp="500, defect 13.6")
@pytest.mark.parametrize("word", ["constructor", "toString", "hasOwnProperty", "valueOf", "__proto__"])
def test_object_members(proxy, backend, peer, word):
    path = proxy.add(unique(), backend)
    proxy.add(path + "/child", backend)
    answer = proxy.get(f"{path}/{word}/x")
    assert answer.status == (500 if peer.is_chp else 200)


@contract("3", "A path below `/.gatehouse` is an ordinary one", gatehouse="404, never forwarded",
          why="that prefix is ours, in every reading of the path")
@pytest.mark.parametrize("target", ["/.gatehouse/x", "/%2Egatehouse/x", "//.gatehouse", "/.gatehouse;a/x"])
def test_our_prefix(proxy, backend, differs, target):
    proxy.add("/", backend)
    try:
        answer = proxy.get(target)
        assert answer.status == (404 if differs else 200)
        assert len(backend.requests) == (0 if differs else 1)
        assert proxy.get("/gatehouse").status == 200
    finally:
        proxy.api("DELETE", "/api/routes/")
