"""Who may pass."""
import json

from lab.client import field


def test_bob_at_alices_server_is_refused_and_her_server_sees_no_byte(
        gateway, labs, fresh_sessions, client):
    client.sign_in("bob", "/user/bob/api")
    assert client.get("/user/bob/api").status == 200
    before = labs["alice"].tap.seen()
    page = client.navigate("/user/alice/lab")
    assert page.status == 403
    assert b"bob" in page.body and b"/.gatehouse/logout" in page.body, \
        "the page says who is signed in and offers to sign out"
    for target in ("/user/alice/api", "/user/%61lice/api", "/user/bob/..%2falice/api",
                   "/user//alice/api", "/user/alice%2Fapi", "/user/ALICE/../alice/api"):
        assert client.get(target).status in (400, 403), target
    assert labs["alice"].tap.seen() == before
    assert client.get("/user/bob/api").status == 200


def test_a_stranger_gets_401_or_keycloak_and_the_upstream_sees_nothing(
        gateway, upstream, client, labs):
    before = len(upstream.requests), labs["alice"].tap.seen()
    answer = client.get("/private")
    assert answer.status == 401
    assert json.loads(answer.body)["error"] == "login_required"
    assert not field(answer, "Set-Cookie")
    assert client.request("POST", "/private", body="x=1").status == 401
    assert client.get("/user/alice/api", {"Connection": "Upgrade", "Upgrade": "websocket",
                                          "Sec-WebSocket-Version": "13",
                                          "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="
                                          }).status == 401
    page = client.request("GET", "/private", {
        "Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
    assert page.status == 302 and "/protocol/openid-connect/auth?" in field(page, "Location")
    assert "no-store" in field(page, "Cache-Control")
    assert (len(upstream.requests), labs["alice"].tap.seen()) == before
    assert client.get("/pub/open").status == 200, "a public path needs no session"


def test_identity_is_ours_and_a_clients_copy_of_it_is_removed(
        gateway, upstream, fresh_sessions, client):
    client.sign_in("alice", "/hello")
    client.get("/identity", {"X-Forwarded-User": "carol", "x_forwarded_user": "carol",
                             "X-Forwarded-Groups": "/admins", "X-Forwarded-Proto": "http"})
    fields = upstream.last("/identity").fields
    named = {}
    for name, value in fields:
        named.setdefault(name.lower().replace("_", "-"), []).append(value)
    assert named["x-forwarded-user"] == ["alice"]
    assert len(named["x-forwarded-groups"]) == 1
    assert "/jupyter-users" in named["x-forwarded-groups"][0]
    assert "/admins" not in named["x-forwarded-groups"][0]
    assert named["x-forwarded-proto"] == ["https"]
    assert not any("gatehouse" in value for value in named.get("cookie", []))
    client.request("GET", "/pub/open", {"X-Forwarded-User": "carol"})
    assert not any(name.lower() == "x-forwarded-user" and value == "carol"
                   for name, value in upstream.last("/pub/open").fields)


def test_a_foreign_origin_opens_no_socket(gateway, upstream, fresh_sessions, client):
    from websockets.exceptions import InvalidStatus
    client.sign_in("alice", "/hello")
    with client.web_socket("/socket") as socket:
        socket.send("mine")
        assert socket.recv(timeout=5) == "mine"
    before = len(upstream.requests)
    for origin in ("https://evil.example", "null", f"http://localhost:{gateway.port}",
                   f"https://app-a.localhost:{gateway.port}", "https://localhost"):
        try:
            with client.web_socket("/socket", origin=origin):
                raise AssertionError(f"{origin} was let in")
        except InvalidStatus as refused:
            assert refused.response.status_code == 403, origin
    assert len(upstream.requests) == before


def test_session_endpoint_says_who_without_a_secret(gateway, fresh_sessions, client):
    client.sign_in("zoe", "/hello")
    answer = client.get("/.gatehouse/session")
    assert answer.status == 200 and "no-store" in field(answer, "Cache-Control")
    text = answer.body.decode()
    assert "zoe" in text
    assert client.cookie() not in text and "eyJ" not in text
    assert client.get("/.gatehouse/healthz").status == 200
    assert client.get("/.gatehouse/sessions").status == 404
