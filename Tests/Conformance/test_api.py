"""Section 2: the routes API."""
import calendar
import json
import re
import time

import pytest

from basics import unique
from contract import contract
from wire import chunked, request_bytes

HANGS = 0.7


def hangs(proxy, data):
    with proxy.api_connect() as connection:
        connection.send(data)
        return connection.is_silent(HANGS)


def authorized(proxy, method, target, body=b""):
    return request_bytes(method, target, [("Authorization", f"token {proxy.token}")], body)


# What is served, and to whom.

@contract("2", "Any other path of the API is 404 `Not Found`, without asking for a token")
@pytest.mark.parametrize("target", ["/", "/api", "/api/", "/metrics", "/_chp_healthz", "/api/routesx", "/x"])
def test_unknown_path(proxy, target):
    answer = proxy.api("GET", target, fields=[])
    assert (answer.status, answer.body) == (404, b"Not Found")


@contract("2", "The texts of the API have no content type", gatehouse="`text/plain`", why="nobody has to guess")
def test_type_of_texts(proxy, differs):
    for answer in (proxy.api("GET", "/x"), proxy.api("POST", "/api/routes/x", "{}")):
        kind = answer.get("content-type")
        assert kind.startswith("text/plain") if differs else kind is None


@contract("2", "Another method on a matching path is 405 `Method not supported`, without asking for a token")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
def test_unknown_method(proxy, method):
    answer = proxy.api(method, "/api/routes/x", fields=[])
    assert (answer.status, answer.text) == (405, "Method not supported")


@contract("2", "HEAD on a matching path is 405, too")
def test_head(proxy):
    assert proxy.api("HEAD", "/api/routes").status == 405


@contract("2", "Bad JSON is 400 even without a token", gatehouse="403", why="a stranger's body is not read")
def test_bad_json_comes_before_the_token(proxy, differs):
    answer = proxy.api("POST", "/api/routes/x", "{no", fields=[])
    if differs:
        assert (answer.status, answer.body) == (403, b"")
    else:
        assert answer.status == 400
        assert answer.text.startswith("Body not valid JSON: ")


@contract("2", "`Authorization: token T` is accepted; nothing and a wrong token are 403 with an empty body")
def test_token(proxy):
    assert proxy.api("GET", "/api/routes").status == 200
    for fields in ([], [("Authorization", "token wrong")], [("Authorization", f"token {proxy.token}x")],
                   [("Authorization", "token")], [("Authorization", f"token {proxy.token[:-1]}")],
                   [("Authorization", "")]):
        answer = proxy.api("GET", "/api/routes", fields=fields)
        assert (answer.status, answer.body) == (403, b""), fields


@contract("2", "A refused request changes nothing")
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_refused_writes(proxy, backend, method):
    kept, other = proxy.add(unique(), backend), unique()
    path = other if method == "POST" else kept
    answer = proxy.api(method, "/api/routes" + path, {"target": "http://127.0.0.1:1"} if method == "POST" else None,
                       fields=[("Authorization", "token wrong")])
    assert answer.status == 403
    routes = proxy.routes()
    assert kept in routes and other not in routes


@contract("2", "`token    T` with several blanks is accepted")
def test_token_blanks(proxy):
    assert proxy.api("GET", "/api/routes", fields=[("Authorization", f"token    {proxy.token}")]).status == 200


@contract("2", "`Token T`, with a capital, is 403")
def test_token_case(proxy):
    assert proxy.api("GET", "/api/routes", fields=[("Authorization", f"Token {proxy.token}")]).status == 403


@contract("2", "The word `token` is found anywhere in the value: `xtoken T`, `Bearer token T`, `token T extra`",
          gatehouse="403", why="the value must be the scheme and the token, nothing else")
@pytest.mark.parametrize("form", ["xtoken {}", "Bearer token {}", "token {} extra"])
def test_token_anywhere(proxy, differs, form):
    answer = proxy.api("GET", "/api/routes", fields=[("Authorization", form.format(proxy.token))])
    assert answer.status == (403 if differs else 200)


@contract("2", "`Bearer T` is 403", gatehouse="accepted", why="it is what other clients send")
def test_bearer(proxy, differs):
    answer = proxy.api("GET", "/api/routes", fields=[("Authorization", f"Bearer {proxy.token}")])
    assert answer.status == (200 if differs else 403)
    assert proxy.api("GET", "/api/routes", fields=[("Authorization", "Bearer wrong")]).status == 403


@contract("2", "Without `CONFIGPROXY_AUTH_TOKEN` the API is open and a line warns `REST API is not authenticated.`")
@pytest.mark.parametrize("value", [None, ""])
def test_without_token(start, value):
    proxy = start(environment={"CONFIGPROXY_AUTH_TOKEN": value})
    proxy.token = None
    assert proxy.api("GET", "/api/routes", fields=[]).status == 200
    assert proxy.api("POST", "/api/routes/x", {"target": "http://127.0.0.1:1"}, fields=[]).status == 201
    proxy.wait_log(r"warn: REST API is not authenticated\.")


# The path.

@contract("2", "The path is percent-decoded once as UTF-8, and the listing shows it unescaped")
def test_decoding(proxy, backend):
    base = unique()
    for sent, stored in [("/%E7%A7%80%E6%A8%B9", "/秀樹"), ("/has%20space", "/has space"),
                         ("/a@b~c", "/a@b~c"), ("/a%40b", "/a@b"), ("/x%2Fy", "/x/y"),
                         ("/twice%2525", "/twice%25"), ("/plus+sign", "/plus+sign")]:
        proxy.add(base + sent, backend)
        assert base + stored in proxy.routes(), sent


@contract("2", "One trailing slash of a path is dropped")
def test_trailing_slash(proxy, backend):
    path = unique()
    proxy.add(path + "/", backend)
    assert path in proxy.routes() and path + "/" not in proxy.routes()
    assert proxy.api("GET", f"/api/routes{path}/").json()["target"] == backend.url
    assert proxy.api("DELETE", f"/api/routes{path}/").status == 204


@contract("2", "Dot segments of the API's path are resolved", chp45="stored as they stand", gatehouse="400",
          why="a path with dot segments is refused everywhere")
def test_dot_segments(proxy, backend, peer):
    path = unique()
    answer = proxy.api("POST", f"/api/routes/d/..{path}", {"target": backend.url})
    routes = proxy.routes()
    if peer.name == "gatehouse":
        assert answer.status == 400
        assert not [one for one in routes if one.endswith(path)]
    else:
        assert answer.status == 201
        assert (path if peer.name == "chp53" else "/d/.." + path) in routes


@contract("2", "Dot segments behind an encoded slash are stored as they stand")
def test_hidden_dot_segments(proxy, backend):
    path = unique()
    assert proxy.api("POST", f"/api/routes{path}%2F..%2Fb", {"target": backend.url}).status == 201
    # No request reaches it at Gatehouse, which refuses these, nor at 5.3, which resolves them.
    assert path + "/../b" in proxy.routes()
    assert proxy.api("DELETE", f"/api/routes{path}%2F..%2Fb").status == 204
    assert path + "/../b" not in proxy.routes()


@contract("2", "Slashes before a path stay in the listing, those after it go", gatehouse="one stays before it",
          why="they are the same route")
def test_outer_slashes(proxy, backend, differs):
    path = unique()
    assert proxy.api("POST", f"/api/routes/{path}//y//", {"target": backend.url}).status == 201
    assert (path if differs else "/" + path) + "//y" in proxy.routes()


@contract("2", "With host routing the listing has a host in the capitals that it was told in", gatehouse="in small letters",
          why="hosts are the same in every spelling (RFC 9110, 4.2.3)")
def test_capitals_of_host(proxy_with, backend, differs):
    proxy = proxy_with("--host-routing", "--log-level", "debug")
    path = unique("/User")
    assert proxy.api("POST", f"/api/routes/Hub.Test{path}", {"target": backend.url}).status == 201
    assert ("/hub.test" if differs else "/Hub.Test") + path in proxy.routes()


@contract("2", "A query on POST and DELETE is ignored")
def test_query_is_ignored(proxy, backend):
    path = unique()
    proxy.add(path + "?a=b", backend)
    assert path in proxy.routes()
    assert proxy.api("DELETE", f"/api/routes{path}?x=y").status == 204


@contract("2", "A bad percent escape is 400", chp="no answer at all, defect 13.6")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_bad_escape(proxy, differs, method):
    data = authorized(proxy, method, "/api/routes/%zz", b'{"target": "http://127.0.0.1:1"}' if method == "POST" else b"")
    if differs:
        assert hangs(proxy, data)
        return
    with proxy.api_connect() as connection:
        connection.send(data)
        assert connection.answer().status == 400
    assert not [path for path in proxy.routes() if "zz" in path]


# GET.

@contract("2", "`GET /api/routes` and `GET /api/routes/` are 200 `application/json`, an object of paths and their data")
@pytest.mark.parametrize("target", ["/api/routes", "/api/routes/"])
def test_listing(proxy, backend, target):
    base = unique()
    wanted = {f"{base}/{word}" for word in ("zebra", "ape", "mouse")}
    for path in wanted:
        proxy.add(path, backend)
    answer = proxy.api("GET", target)
    assert answer.status == 200
    assert answer.get("content-type") == "application/json"
    listed = {path: data for path, data in answer.json().items() if path.startswith(base + "/")}
    assert set(listed) == wanted
    assert all(data["target"] == backend.url for data in listed.values())


@contract("2", "The listing is in the order of insertion", gatehouse="in no order", why="a JSON object has none")
def test_listing_order(proxy, backend, differs):
    base = unique()
    wanted = [f"{base}/{index * 7 % 31}" for index in range(31)]
    for path in wanted:
        proxy.add(path, backend)
    listed = [path for path in proxy.routes() if path.startswith(base + "/")]
    assert sorted(listed) == sorted(wanted) if differs else listed == wanted


@contract("2", "The listing includes the route `/`")
def test_listing_has_root(proxy_with, backend):
    proxy = proxy_with("--host-routing", "--log-level", "debug")
    proxy.add("/", backend)
    assert proxy.routes()["/"]["target"] == backend.url


@contract("2", "`last_activity` stands last, as ISO 8601 with milliseconds and `Z`, and is the time of the POST whatever the body says")
def test_last_activity(proxy, backend):
    path = unique()
    before = time.time()
    proxy.add(path, backend, extra=1, last_activity="2001-01-01T00:00:00.000Z")
    data = proxy.routes()[path]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["last_activity"])
    stamp = time.strptime(data["last_activity"][:19], "%Y-%m-%dT%H:%M:%S")
    assert before - 2 <= calendar.timegm(stamp) <= time.time() + 1
    path = unique()
    proxy.add(path, backend, extra=1)
    assert list(proxy.routes()[path])[-1] == "last_activity"


@contract("2", "`inactive_since` and `inactiveSince` show only routes with an older `last_activity`")
@pytest.mark.parametrize("name", ["inactive_since", "inactiveSince"])
def test_inactive_since(proxy, backend, name):
    path = proxy.add(unique(), backend)
    assert path in proxy.routes(f"?{name}=2099-01-01T00:00:00.000Z")
    assert path not in proxy.routes(f"?{name}=2001-01-01T00:00:00.000Z")
    stamp = proxy.activity(path)
    assert path not in proxy.routes(f"?{name}={stamp}")


@contract("2", "`inactiveSince` wins over `inactive_since`", chp45="`inactive_since` wins")
def test_inactive_since_twice(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    found = path in proxy.routes("?inactiveSince=2099-01-01&inactive_since=2001-01-01")
    assert found == (not differs)


@contract("2", "The time is read like JavaScript's `Date.parse`: a date, an offset (`%2B`), a year, a date with a time")
@pytest.mark.parametrize("text", ["2050-03-01", "2099", "2050-03", "2050-03-01T10:00:00", "2050-03-01T10:00:00Z",
                                  "2050-03-01T10:00:00%2B00:00", "2050-03-01T10:00:00.5-07:00",
                                  "2050-03-01T10:00:00.123456Z", "2050-03-01T10:00Z"])
def test_inactive_since_forms(proxy, backend, text):
    path = proxy.add(unique(), backend)
    assert path in proxy.routes(f"?inactive_since={text}")


@contract("2", "The time may also be the long form of a browser: `Tue Mar 1 2050`", gatehouse="400", why="it must be ISO 8601, as the text of the error says")
def test_inactive_since_long_form(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    if differs:
        assert proxy.api("GET", "/api/routes?inactive_since=Tue%20Mar%201%202050").status == 400
    else:
        assert path in proxy.routes("?inactive_since=Tue%20Mar%201%202050")


@contract("2", "Other texts that `Date.parse` takes: numbers like `0`, `2050/03/01`, `2050-3-1`, `Tue, 01 Mar 2050 10:00:00 GMT`",
          gatehouse="400", why="it must be ISO 8601, as the text of the error says")
@pytest.mark.parametrize("text", ["0", "-1", "2050/03/01", "2050-3-1", "Tue,%2001%20Mar%202050%2010:00:00%20GMT"])
def test_inactive_since_other_forms(proxy, differs, text):
    answer = proxy.api("GET", "/api/routes?inactive_since=" + text)
    assert answer.status == (400 if differs else 200)


@contract("2", "A raw `+` in the time is a blank, so it is no offset: 400")
def test_inactive_since_raw_plus(proxy):
    assert proxy.api("GET", "/api/routes?inactive_since=2050-03-01T10:00:00+00:00").status == 400


@contract("2", "A time that cannot be read is 400 `Invalid datestamp 'T' must be ISO8601.`")
def test_inactive_since_garbage(proxy):
    answer = proxy.api("GET", "/api/routes?inactive_since=garbage")
    assert (answer.status, answer.text) == (400, "Invalid datestamp 'garbage' must be ISO8601.")


@contract("2", "An empty time is no filter", chp45="400")
def test_inactive_since_empty(proxy, backend, differs):
    path = proxy.add(unique(), backend)
    if differs:
        assert proxy.api("GET", "/api/routes?inactive_since=").status == 400
    else:
        assert path in proxy.routes("?inactive_since=")


@contract("2", "`GET /api/routes/<p>` is the data of exactly that route, with or without a trailing slash; else 404 with an empty body")
def test_single_route(proxy, backend):
    path = proxy.add(unique() + "/deep", backend, color="red")
    for target in (path, path + "/"):
        answer = proxy.api("GET", "/api/routes" + target)
        assert answer.status == 200
        assert answer.get("content-type") == "application/json"
        data = answer.json()
        assert (data["target"], data["color"]) == (backend.url, "red")
        assert "last_activity" in data
    for target in (path.removesuffix("/deep"), path + "/deeper", "/nowhere"):
        answer = proxy.api("GET", "/api/routes" + target)
        assert (answer.status, answer.body) == (404, b"")


# POST.

@contract("2", "POST of a route is 201 with an empty body, and the route is used at once")
def test_post(proxy, backend):
    path = unique()
    answer = proxy.api("POST", "/api/routes" + path, {"target": backend.url})
    assert (answer.status, answer.body) == (201, b"")
    assert proxy.get(path).status == 200
    assert backend.last.target == path


@contract("2", "POST without a path makes the route `/`")
@pytest.mark.parametrize("target", ["/api/routes", "/api/routes/"])
def test_post_root(proxy, backend, target):
    assert proxy.api("POST", target, {"target": backend.url}).status == 201
    assert proxy.routes()["/"]["target"] == backend.url
    assert proxy.get("/whatever").status == 200
    assert proxy.api("DELETE", "/api/routes/").status == 204


@contract("2", "A body without a text `target` is 400 `Must specify 'target' as string`")
@pytest.mark.parametrize("body", ["{}", "[]", "null", '"s"', "17", '{"target": 5}', '{"target": null}',
                                  '{"target": ["http://127.0.0.1:1"]}', '{"Target": "http://127.0.0.1:1"}'])
def test_post_without_target(proxy, body):
    path = unique()
    answer = proxy.api("POST", "/api/routes" + path, body)
    assert (answer.status, answer.text) == (400, "Must specify 'target' as string")
    assert path not in proxy.routes()


@contract("2", "A bad or empty body is 400 `Body not valid JSON: …`")
@pytest.mark.parametrize("body", ["", "{", "{'target': 'x'}", '{"target": "http://a"} x'])
def test_post_bad_json(proxy, body):
    path = unique()
    answer = proxy.api("POST", "/api/routes" + path, body)
    assert answer.status == 400
    assert answer.text.startswith("Body not valid JSON: ")
    assert path not in proxy.routes()


LENIENT = {
    "a name twice": (b'"a": 1, "a": 2', 2), "half of a surrogate pair": (b'"a": "\\ud800"', "\ud800"),
    "bytes that are no UTF-8": (b'"a": "\xff"', "\ufffd"), "a number beyond all": (b'"a": 1e400', None),
    "60 lists in each other": (b'"a": ' + b"[" * 60 + b"]" * 60, ...)}


@contract("2", "JSON that means different things to different readers is taken, and given back as node reads it: a name twice, "
          "half of a surrogate pair, bytes that are no UTF-8, a number beyond all, lists 60 deep",
          gatehouse="400 `Body not valid JSON: …`", why="what is stored must be what the Hub gets back")
@pytest.mark.parametrize("kind", LENIENT)
def test_post_lenient_json(proxy, backend, differs, kind):
    path = unique()
    text, value = LENIENT[kind]
    answer = proxy.api("POST", "/api/routes" + path, b'{"target": "%s", %s}' % (backend.url.encode(), text))
    if differs:
        assert answer.status == 400 and answer.text.startswith("Body not valid JSON: ")
        assert path not in proxy.routes()
        return
    assert answer.status == 201
    found = proxy.routes()[path]["a"]
    assert value is ... or found == value


@contract("2", "After a body of lists 5,000 deep no listing is answered any more", gatehouse="the body is 400", why="what is stored must not break the listing")
def test_post_deep_json(start, backend, differs):
    proxy = start()
    body = b'{"target": "%s", "a": %s}' % (backend.url.encode(), b"[" * 5000 + b"]" * 5000)
    answer = proxy.api("POST", "/api/routes" + unique(), body)
    assert answer.status == (400 if differs else 201)
    if differs:
        assert proxy.routes() == {}
    else:
        assert hangs(proxy, authorized(proxy, "GET", "/api/routes"))


@contract("2", "The text of a target is not checked: it is stored, and fails when a request comes")
def test_post_garbage_target(proxy):
    path = proxy.add(unique(), "garbage")
    assert proxy.routes()[path]["target"] == "garbage"
    assert proxy.get(path).status in (500, 503)


@contract("2", "All other keys are stored and given back")
def test_post_extra_keys(proxy, backend):
    extra = {"jupyterhub": True, "hub": True, "user": "秀樹", "server_name": "", "service": "s",
             "extra": {"deep": [1, 2.5, None, True, "text", {"a": "b"}]}, "large": 9007199254740991,
             "quote\"d": "\u0001\n\\/"}
    path = proxy.add(unique(), backend, **extra)
    data = proxy.routes()[path]
    assert data.pop("last_activity")
    assert data == {"target": backend.url, **extra}


@contract("2", "POST again replaces the whole data")
def test_post_replaces(proxy, backends):
    old, new = backends(), backends()
    path = proxy.add(unique(), old, color="red")
    proxy.add(path, new, size=1)
    data = proxy.routes()[path]
    assert (data["target"], data["size"]) == (new.url, 1)
    assert "color" not in data
    assert proxy.get(path).status == 200
    assert (len(old.requests), len(new.requests)) == (0, 1)


@contract("2", "With host routing the key `host`, the first segment of the path, is added to the data")
def test_post_host(proxy_with, backend):
    proxy = proxy_with("--host-routing", "--log-level", "debug")
    path = proxy.add("/hub.example.org" + unique(), backend)
    assert proxy.routes()[path]["host"] == "hub.example.org"


@contract("2", "Without host routing no key `host` is added")
def test_post_no_host(proxy, backend):
    path = proxy.add(unique(), backend)
    assert "host" not in proxy.routes()[path]


@contract("2", "A body of the API may be chunked, and needs no content type")
def test_post_chunked(proxy, backend):
    path = unique()
    body = json.dumps({"target": backend.url}).encode()
    with proxy.api_connect() as connection:
        connection.send(request_bytes("POST", "/api/routes" + path, [
            ("Authorization", f"token {proxy.token}"), ("Transfer-Encoding", "chunked")],
            chunked(body[:5], body[5:])))
        assert connection.answer().status == 201
    assert path in proxy.routes()


@contract("2", "A body of 60 kB is accepted and given back whole")
def test_post_large(proxy, backend):
    path = proxy.add(unique(), backend, blob="x" * 60_000)
    assert len(proxy.api("GET", "/api/routes" + path).json()["blob"]) == 60_000
    assert proxy.api("DELETE", "/api/routes" + path).status == 204


@contract("2", "The size of a body has no limit", gatehouse="413 beyond 64 KiB", why="the memory of a request is bounded; `limits: route_body` sets it")
def test_post_huge(proxy, backend, differs):
    path = unique()
    body = json.dumps({"target": backend.url, "blob": "x" * 500_000})
    assert proxy.api("POST", "/api/routes" + path, body).status == (413 if differs else 201)
    assert (path in proxy.routes()) == (not differs)
    proxy.api("DELETE", "/api/routes" + path)


# DELETE.

@contract("2", "DELETE of a route is 204 without a body, and 404 with an empty one where there is none")
def test_delete(proxy, backend):
    path = proxy.add(unique(), backend)
    answer = proxy.api("DELETE", "/api/routes" + path)
    assert (answer.status, answer.body) == (204, b"")
    assert path not in proxy.routes()
    assert proxy.get(path).status == 404
    answer = proxy.api("DELETE", "/api/routes" + path)
    assert (answer.status, answer.body) == (404, b"")
    assert backend.requests == []


@contract("2", "`DELETE /api/routes/` removes the route `/`")
def test_delete_root_with_slash(proxy, backend):
    proxy.add("/", backend)
    assert proxy.api("DELETE", "/api/routes/").status == 204
    assert "/" not in proxy.routes()
    assert proxy.api("DELETE", "/api/routes/").status == 404


@contract("2", "`DELETE /api/routes` removes the route `/`", chp="hangs without an answer, defect 13.6")
def test_delete_root_without_slash(proxy, backend, differs):
    proxy.add("/", backend)
    if differs:
        assert hangs(proxy, authorized(proxy, "DELETE", "/api/routes"))
        proxy.api("DELETE", "/api/routes/")
    else:
        assert proxy.api("DELETE", "/api/routes").status == 204
        assert "/" not in proxy.routes()


@contract("2", "Only that node goes, deeper routes stay")
def test_delete_keeps_deeper(proxy, backend):
    path = proxy.add(unique(), backend)
    proxy.add(path + "/a/b", backend)
    assert proxy.api("DELETE", "/api/routes" + path).status == 204
    assert path + "/a/b" in proxy.routes()
    assert proxy.get(path + "/a/b/c").status == 200
    assert proxy.get(path + "/a").status == 404


@contract("2", "DELETE of a path between routes is 404 and removes nothing")
def test_delete_between(proxy, backend):
    path = unique()
    proxy.add(path + "/a/b", backend)
    assert proxy.api("DELETE", f"/api/routes{path}/a").status == 404
    assert proxy.get(path + "/a/b").status == 200


# The connection.

@contract("2", "The API's connection is kept alive, and requests may follow each other")
def test_keep_alive(proxy, backend):
    paths = [unique() for _ in range(3)]
    with proxy.api_connect() as connection:
        for path in paths:
            connection.send(authorized(proxy, "POST", "/api/routes" + path,
                                       json.dumps({"target": backend.url}).encode()))
            assert connection.answer("POST").status == 201
        connection.send(authorized(proxy, "GET", "/api/routes"))
        routes = connection.answer().json()
    assert all(path in routes for path in paths)


@contract("2", "Answers have a `Date` and no `Server`")
def test_date(proxy):
    answer = proxy.api("GET", "/api/routes")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.get("date"))
    assert answer.get("server") is None


@contract("2", "The keys of a route's data keep their order", gatehouse="in no order, `last_activity` last", why="a JSON object has none")
def test_order_of_keys(proxy, backend, differs):
    path = unique()
    proxy.api("POST", "/api/routes" + path, '{"b": 1, "target": "%s", "a": 2}' % backend.url)
    keys = list(proxy.api("GET", "/api/routes" + path).json())
    assert keys[-1] == "last_activity"
    assert sorted(keys[:-1]) == ["a", "b", "target"] if differs else keys[:-1] == ["b", "target", "a"]
