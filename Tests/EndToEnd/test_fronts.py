"""What stands before the gateway: nginx as docs/nginx.md has it, careless ones, and the wire of
cloudflared. One Hub, and before it a `gatehouse serve` for each file of config/."""
import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import re
import threading
import time

import pytest
from websockets.exceptions import InvalidStatus

from lab.basics import MEGABYTE, free_port
from lab.client import NAVIGATION, field
from lab.fronts import Fronted, Tunnelled
from lab.nginx import Nginx
from lab.recipes import RecipeHub, ask, certificate, recipe

NGINX, SOCKET, TUNNEL, NOTHING = "nginx", "a socket", "Cloudflare Tunnel", "nothing"
BUFFERING = "nginx with buffering"
FRONTS = NGINX, BUFFERING, TUNNEL
CLOUDFLARED_IDLE = 90           # seconds for which cloudflared keeps a connection


@pytest.fixture(scope="module")
def hub(folder, certificates, keycloak):
    keycloak.end_all()
    socket = folder / "public.sock"
    hub = RecipeHub(folder / "fronts-hub", certificates, keycloak, {
        NOTHING: ("jupyterhub/gatehouse-serve.yaml", {}),
        NGINX: ("nginx/gatehouse.yaml", {}),
        SOCKET: ("nginx/gatehouse.yaml", {
            "127.0.0.1:8000": f"unix:{socket}", "[127.0.0.1]": "[unix]"}),
        TUNNEL: ("cloudflare-tunnel/gatehouse.yaml", {})})
    hub.front[SOCKET] = f"unix:{socket}"
    yield hub
    left = hub.stop()
    assert not left, left


@pytest.fixture(scope="module")
def start_nginx(folder, certificates, hub):
    started = []

    def start(location="", upstream=None, site=None, port=None):
        started.append(Nginx(
            folder / f"front-nginx-{len(started)}", port or free_port(), certificates,
            upstream or hub.front[NGINX], location, site))
        return started[-1].port
    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def documented(certificates, hub, start_nginx):
    """config/nginx/hub.conf, without one of its lines or before something else."""
    def start(without="", upstream=None, instead=""):
        upstream = upstream or f"127.0.0.1:{hub.front[NGINX]}"
        port = free_port()
        site = recipe("nginx/hub.conf", {
            **certificate("hub.example.org", certificates), "hub.example.org": "localhost",
            "listen 443": f"listen 127.0.0.1:{port}", "listen 80": f"listen 127.0.0.1:{free_port()}",
            "127.0.0.1:8000": upstream})
        assert without in site
        return start_nginx(site=site.replace(without, instead) if without else site, port=port)
    return start


@pytest.fixture(scope="module")
def people(hub, documented):
    """Somebody who has signed in through each front and has a server that runs."""
    known = {}

    def person(front):
        if front not in known:
            if front == TUNNEL:
                one = Tunnelled(hub, "bob", hub.front[TUNNEL])
            elif front == NOTHING:
                one = Fronted(hub, "alice", hub.port)
            else:
                one = Fronted(hub, "alice", documented(
                    "proxy_buffering off;" if front == BUFFERING else "",
                    hub.front[SOCKET] if front == SOCKET else None))
            one.enter()
            one.spawn()
            known[front] = one
        return known[front]
    return person


@pytest.fixture(scope="module")
def parked(people):
    """A connection of cloudflared's that has carried a request, and since when it is idle."""
    bob = people(TUNNEL)
    connection = bob.open()
    assert bob.request("GET", "/hub/home", connection=connection).status == 200
    bob.idle.remove(connection)
    return connection, time.monotonic()


# As it should be.

def test_a_tunnel_s_connection_is_parked(parked):
    assert parked[0].sock is not None


@pytest.mark.parametrize("front", [*FRONTS, SOCKET, NOTHING])
def test_a_cell_and_a_terminal(hub, people, front):
    person = people(front)
    person.work()
    mark = hub.hub_mark()
    assert person.get("/hub/home?from=a-client").status == 200
    # JupyterHub's own log has who asked and from where.
    assert f"({person.user}@{person.address})" in hub.seen(mark, "/hub/home?from=a-client")
    assert_secure(person)
    hub.gateways[NGINX if front == BUFFERING else front].wait_for_log(
        lambda log: f"client={person.address} " in log, "a line with the client")


def assert_secure(person):
    """The Hub and its servers know that the browser speaks TLS."""
    theirs = [one for one in person.set_cookies    # one that is empty is taken away
              if one.startswith("jupyterhub-") and '=""' not in one]
    assert {"jupyterhub-hub-login", "jupyterhub-session-id", f"jupyterhub-user-{person.user}"} \
        <= {one.partition("=")[0] for one in theirs}
    assert not [one for one in theirs if not re.search(r"; *secure *(;|$)", one, re.I)], theirs


@pytest.mark.parametrize("front", FRONTS)
def test_the_progress_of_a_spawn_arrives_event_by_event(people, front):
    found = people(front).events(5)
    print(found)
    # Each 0.4 s after the one before: had somebody gathered them, they would come together.
    assert [text for text, _ in found[1:]] == ["step 1", "step 2", "step 3", "step 4"]
    assert found[4][1] - found[1][1] >= 0.9


def test_an_nginx_that_does_not_heed_the_answer_gathers_events(people, documented):
    """That they arrive is our doing: the same without the field that asks for it."""
    alice = people(BUFFERING).copy()
    alice.front = documented("proxy_buffering off;")
    assert alice.events(3)
    alice.front = documented("proxy_buffering off;",
                             instead="proxy_ignore_headers X-Accel-Buffering;")
    with pytest.raises(TimeoutError):
        alice.events(3, timeout=3)


@pytest.mark.parametrize("front", FRONTS)
def test_200_megabytes_up_and_down(people, front):
    person = people(front)
    block, sent = os.urandom(MEGABYTE), hashlib.sha256()
    for number in range(1, 201):
        piece = number.to_bytes(8, "big") + block[8:]
        sent.update(piece)
        answer = person.put("/api/contents/large.bin", {
            "type": "file", "format": "base64", "chunk": -1 if number == 200 else number,
            "content": base64.b64encode(piece).decode()})
        assert answer.status in (200, 201), answer
    connection, answer = person.ask("GET", f"/user/{person.user}/files/large.bin")
    got, count = hashlib.sha256(), 0
    while chunk := answer.read(262144):
        got.update(chunk)
        count += len(chunk)
    connection.close()
    assert (answer.status, count, got.hexdigest()) == (200, 200 * MEGABYTE, sent.hexdigest())


@pytest.mark.parametrize("front", FRONTS)
def test_200_megabytes_in_one_body(hub, people, upstream, front):
    person, block, sent = people(front), os.urandom(MEGABYTE), hashlib.sha256()

    def body():
        for number in range(200):
            piece = number.to_bytes(8, "big") + block[8:]
            sent.update(piece)
            yield piece
    path = f"/user/{person.user}/counting"
    with route(hub, path, upstream.url):
        answer = person.request(
            "POST", path, {"Origin": hub.url, "Content-Length": str(200 * MEGABYTE)}, body())
    assert answer.status == 200, answer
    seen = upstream.last(path)
    assert (seen.body_bytes, seen.sha256) == (200 * MEGABYTE, sent.hexdigest())


@contextlib.contextmanager
def route(hub, path, target):
    """A server that the Hub did not start."""
    def tell(method, body=None):
        status, text = ask(hub.api_port, method, "/api/routes" + path, body, f"token {hub.token}")
        assert status in (201, 204), text
    tell("POST", json.dumps({"target": target}).encode())
    try:
        yield
    finally:
        tell("DELETE")


def test_while_the_gateway_is_away_nginx_says_try_again(people, documented):
    """JupyterLab takes a 502 for a dead kernel."""
    alice = people(NGINX).copy()
    alice.front = documented(upstream=f"127.0.0.1:{free_port()}")
    answer = alice.get("/user/alice/api/kernels")
    assert (answer.status, field(answer, "Retry-After")) == (503, "2")
    assert people(NGINX).get("/user/alice/api/kernels").status == 200


class NamedServers(http.server.BaseHTTPRequestHandler):
    """Sets what JupyterHub's servers set, each its own."""

    def do_GET(self):
        _, _, user, server, _ = self.path.split("/")
        self.send_response(200)
        self.send_header(
            "Set-Cookie", f"jupyterhub-user-{user}-{server}=x; Path=/user/{user}/{server}/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("without", ["", "proxy_buffer_size 16k;"])
def test_a_log_out_with_the_cookies_of_14_servers_gets_through_nginx(
        hub, keycloak, documented, without):
    """Also where nginx takes no longer heads than it does by default."""
    servers = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NamedServers)
    threading.Thread(target=servers.serve_forever, daemon=True).start()
    alice = Fronted(hub, "alice", documented(without))
    alice.enter()
    with contextlib.ExitStack() as stack:
        stack.callback(servers.shutdown)
        for number in range(14):
            path = f"/user/alice/server-{number}"
            stack.enter_context(route(hub, path, f"http://127.0.0.1:{servers.server_port}"))
            assert alice.get(path + "/").status == 200
    mine = NAVIGATION | {"Sec-Fetch-Site": "same-origin"}
    assert any("server-13" in name for name in alice.cookies["localhost"])
    answer = alice.request("GET", "/hub/logout", mine)
    end = alice.request("GET", field(answer, "Location"), mine)
    assert end.status == 302 and field(end, "Location").startswith(keycloak.issuer), end
    assert alice.get("/hub/home").status == 401
    assert not alice.value("jupyterhub-hub-login", "/hub/home")


# As it should not be: each answer names the cause, and nothing reaches the Hub.

HOST = "proxy_set_header Host $http_host;"
SCHEME = "proxy_set_header X-Forwarded-Proto $scheme;"
CLIENT = "proxy_set_header X-Forwarded-For $remote_addr;"
HTTP11 = 'proxy_http_version 1.1; proxy_set_header Connection "";'
STRANGER = "proxy_bind 127.0.0.3;"

CARELESS = {
    "nothing but proxy_pass": ("", 400, "X-Forwarded-Proto"),
    "nothing but Host": (HOST, 400, "X-Forwarded-Proto"),
    "nothing but Host, with HTTP/1.1": (HOST + HTTP11, 400, "X-Forwarded-Proto"),
    "no scheme": (HOST + CLIENT, 400, "X-Forwarded-Proto"),
    "no Host": (SCHEME + CLIENT, 421, "does not know: 127.0.0.1:{upstream}"),
    "a Host without the port": (
        "proxy_set_header Host $host;" + SCHEME, 421, "does not know: localhost."),
    "two schemes": (HOST + SCHEME + "proxy_set_header X-Scheme http;", 400, "X-Scheme"),
    "an address that is none": (
        HOST + SCHEME + "proxy_set_header X-Forwarded-For $host;", 400, "X-Forwarded-For"),
    "not trusted": (HOST + SCHEME + CLIENT + STRANGER, 400, "front.trusted"),
    "not trusted, nothing but proxy_pass": (STRANGER, 400, "front.trusted"),
    "not trusted, nothing but Host": (STRANGER + HOST, 400, "front.trusted"),
}


@pytest.mark.parametrize("setting", CARELESS)
def test_a_careless_nginx_is_told_what_it_does_not_pass_on(hub, people, start_nginx, setting):
    location, status, words = CARELESS[setting]
    alice, mark = people(NGINX).copy(), hub.hub_mark()
    alice.front = start_nginx(location)
    page = alice.request("GET", "/hub/home?careless", NAVIGATION)
    text = page.body.decode()
    assert page.status == status and field(page, "Location") is None, page
    assert words.format(upstream=hub.front[NGINX]) in text, text
    assert alice.get("/hub/home?careless").status == status     # a script gets no page
    assert people(NGINX).get("/hub/home?careful").status == 200
    hub.seen(mark, "/hub/home?careful")
    assert not [one for one in hub.hub_lines(mark) if "?careless" in one]


def test_an_nginx_that_names_the_scheme_alone(hub, start_nginx):
    """Everything works, the Hub's cookies are Secure, and everybody comes from nginx's address."""
    alice = Fronted(hub, "alice", start_nginx(HOST + "proxy_set_header X-Scheme $scheme;"))
    mark = hub.hub_mark()
    alice.enter()
    assert alice.get("/hub/home?nobody").status == 200
    assert "(alice@127.0.0.1)" in hub.seen(mark, "/hub/home?nobody")
    alice.navigate("/user/alice/lab")
    assert_secure(alice)


def test_an_nginx_that_does_not_pass_upgrade_on(people, start_nginx):
    alice = people(NGINX).copy()
    alice.front = start_nginx(HOST + SCHEME + CLIENT)
    socket = f"/user/{alice.user}/api/events/subscribe"
    with pytest.raises(InvalidStatus) as refused:
        alice.web_socket(socket).__enter__()
    answer = refused.value.response
    assert answer.status_code == 400
    assert b"the proxy in front does not pass Upgrade on" in answer.body
    assert alice.get("/hub/home").status == 200         # everything else works, in HTTP/1.0 too
    with people(NGINX).web_socket(socket):
        pass


def test_what_nginx_answers_by_itself(people, documented):
    """These do not reach us; docs/nginx.md names them."""
    alice = people(NGINX).copy()
    alice.front = documented("client_max_body_size 0;")
    answer = alice.put("/api/contents/big.txt", {
        "type": "file", "format": "text", "content": "x" * 1_100_000})
    assert answer.status == 413 and field(answer, "Server").startswith("nginx")
    assert people(NGINX).put("/api/contents/big.txt", {
        "type": "file", "format": "text", "content": "x" * 1_100_000}).status == 201


# Nobody else's word is taken.

FORGED = {
    "Cf-Connecting-Ip": "203.0.113.66", "X-Forwarded-For": "203.0.113.66",
    "X-Real-Ip": "203.0.113.66", "True-Client-Ip": "203.0.113.66",
    "Forwarded": "for=203.0.113.66;proto=https;host=evil.example",
    "X-Forwarded-Host": "evil.example"}


def test_fields_that_a_client_sends_past_nginx_count_for_nothing(hub, people):
    alice, mark = people(NGINX), hub.hub_mark()
    assert alice.get("/hub/home?forged", FORGED | {"X-Forwarded-Proto": "http"}).status == 200
    assert "(alice@127.0.0.9)" in hub.seen(mark, "/hub/home?forged")
    assert "203.0.113.66" not in "\n".join(hub.hub_lines(mark))


def test_an_untrusted_peer_with_fields_of_cloudflare_is_itself(hub, people):
    bob, mark = people(TUNNEL), hub.hub_mark()
    stranger = bob.copy()
    stranger.peer, stranger.address = "127.0.0.2", "203.0.113.66"
    assert stranger.get("/hub/home?forged").status == 200       # with his cookie, over TLS
    assert "(bob@127.0.0.2)" in hub.seen(mark, "/hub/home?forged")
    assert bob.get("/hub/home?true").status == 200
    assert "(bob@203.0.113.7)" in hub.seen(mark, "/hub/home?true")
    gateway = hub.gateways[TUNNEL]
    gateway.wait_for_log(lambda log: "client=127.0.0.2 " in log, "a line with the stranger")
    assert "203.0.113.66" not in gateway.log()


def test_in_clear_an_untrusted_peer_that_says_https_gets_nowhere(hub, people):
    alice, mark = people(NGINX), hub.hub_mark()
    cookie = {"Cookie": alice.cookie_field(path="/hub/home")}
    host = {"Host": f"localhost:{hub.port}"}
    for fields in (FORGED | {"X-Forwarded-Proto": "https"}, {"X-Scheme": "https"},
                   {"Cf-Visitor": '{"scheme":"https"}'}):
        connection = http.client.HTTPConnection(
            "127.0.0.1", hub.front[NGINX], timeout=10, source_address=("127.0.0.2", 0))
        connection.request("GET", "/hub/home?forged", headers=NAVIGATION | host | cookie | fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 400 and answer.getheader("Set-Cookie") is None
        assert "front.trusted" in text and "127.0.0.2" in text
    assert alice.get("/hub/home?true").status == 200
    hub.seen(mark, "/hub/home?true")
    assert not [one for one in hub.hub_lines(mark) if "?forged" in one]


# The last of all, so that what comes before it is the wait.

def test_a_tunnel_s_idle_connection_carries_a_post_after_90_seconds(hub, people, parked):
    connection, since = parked
    bob, port = people(TUNNEL), connection.sock.getsockname()[1]
    time.sleep(max(0, since + CLOUDFLARED_IDLE - time.monotonic()))
    xsrf = bob.value("_xsrf", "/user/bob/")
    answer = bob.request(
        "POST", "/user/bob/api/terminals",
        {"Content-Type": "application/json", "X-XSRFToken": xsrf, "Origin": hub.url}, "{}",
        connection=connection)
    assert answer.status == 200 and connection.sock.getsockname()[1] == port
