"""Ends of a session that come from elsewhere, and what hung on it."""
import json
import time

import pytest

from lab.basics import free_port
from lab.broker import Brokered
from lab.chromium import fill_keycloak_form
from lab.client import Client, LiveDownload, LiveSocket, LiveUpload, field
from lab.ends import assert_all_dead, assert_dead_by_our_stamps
from lab.gateway import Gateway


def start_kernel(client, user):
    """JupyterLab's page gives the token that its API asks for; then a kernel."""
    client.navigate(f"/user/{user}/lab")
    xsrf = client.value("_xsrf", f"/user/{user}/")
    answer = client.request(
        "POST", f"/user/{user}/api/kernels",
        {"Content-Type": "application/json", "X-XSRFToken": xsrf,
         "Origin": client.gateway.url}, '{"name": "python3"}')
    assert answer.status == 201, answer
    return json.loads(answer.body)["id"]


def start_terminal(client, user):
    xsrf = client.value("_xsrf", f"/user/{user}/")
    answer = client.request("POST", f"/user/{user}/api/terminals",
                            {"X-XSRFToken": xsrf, "Origin": client.gateway.url}, "")
    assert answer.status == 200, answer
    return json.loads(answer.body)["name"]


def everything(client, user):
    """A kernel's socket, a terminal's, an event stream, a download and an upload, under way."""
    kernel = start_kernel(client, user)
    terminal = start_terminal(client, user)
    return [
        LiveSocket(client, f"/user/{user}/api/kernels/{kernel}/channels", "kernel").start(),
        LiveSocket(client, f"/user/{user}/terminals/websocket/{terminal}", "terminal").start(),
        LiveSocket(client, "/socket", "socket").start(),
        LiveDownload(client, "/events").start(),
        LiveDownload(client, "/endless").start(),
        LiveUpload(client, "/upload").start(),
    ]


@pytest.mark.parametrize("act", ["one session", "the user"])
def test_keycloaks_administrator_ends_the_session(
        gateway, keycloak, labs, upstream, fresh_sessions, act):
    alice, bob = Client(gateway), Client(gateway)
    alice.sign_in("alice", "/user/alice/api")
    bob.sign_in("bob", "/user/bob/api")
    copied = alice.copy()
    hers, his = everything(alice, "alice"), everything(bob, "bob")
    mark = gateway.mark()
    cause = time.monotonic()
    if act == "one session":
        keycloak.end_session(keycloak.sessions("alice")[-1])
    else:
        keycloak.log_out_user("alice")
    assert_all_dead(hers, cause)
    assert_dead_by_our_stamps(gateway, mark, "/.gatehouse/backchannel-logout", len(hers))
    answer = copied.get("/user/alice/api")
    assert answer.status == 401
    assert all(thing.alive() for thing in his), [thing.how for thing in his]
    assert bob.get("/user/bob/api").status == 200
    bytes_before = [thing.bytes for thing in his if isinstance(thing, LiveDownload)]
    time.sleep(0.5)
    assert all(after > before for before, after in zip(
        bytes_before, [thing.bytes for thing in his if isinstance(thing, LiveDownload)]))
    bob.sign_out()
    assert_all_dead(his, time.monotonic())


def test_sign_out_at_the_page_ends_this_session_only(gateway, fresh_sessions):
    first, second = Client(gateway), Client(gateway)
    first.sign_in("alice", "/hello")
    second.sign_in("alice", "/hello")
    mine, other = LiveSocket(first, "/socket").start(), LiveSocket(second, "/socket").start()
    copied = first.copy()
    mark = gateway.mark()
    cause = time.monotonic()
    page = first.sign_out()
    assert page.url.startswith(f"{gateway.url}/.gatehouse/logged-out"), page.url
    assert_all_dead([mine], cause)
    assert_dead_by_our_stamps(gateway, mark, "/.gatehouse/logout", 1)
    assert copied.get("/hello").status == 401
    assert other.alive() and second.get("/hello").status == 200


def test_another_site_cannot_sign_anybody_out(gateway, fresh_sessions, client):
    client.sign_in("alice", "/hello")
    client.request("GET", "/.gatehouse/logout", {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"})
    client.request("GET", "/.gatehouse/logout", {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1",
        "Sec-Fetch-Dest": "document", "Accept": "text/html"})
    client.request("GET", "/.gatehouse/logout", {
        "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1",
        "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch", "Accept": "text/html"})
    refused = client.request("POST", "/.gatehouse/logout", {
        "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example",
        "Content-Type": "application/x-www-form-urlencoded"}, "")
    assert refused.status in (400, 403)
    assert client.get("/hello").status == 200


def test_an_applications_own_link_signs_out_at_once(gateway, fresh_sessions, context, page):
    page.goto(f"{gateway.url}/page-with-sign-out")
    page.fill("#username", "alice")
    page.fill("#password", "alice-pw")
    page.click("#kc-login")
    page.wait_for_url(f"{gateway.url}/page-with-sign-out")
    page.click("#out")
    page.wait_for_url("**/.gatehouse/logged-out*")
    page.goto(f"{gateway.url}/hello")
    page.wait_for_selector("#kc-form-login")       # signed out there too: it asks for a password


def test_back_shows_nothing_after_sign_out(gateway, fresh_sessions, context, page):
    page.goto(f"{gateway.url}/secret-page")
    page.fill("#username", "alice")
    page.fill("#password", "alice-pw")
    page.click("#kc-login")
    page.wait_for_url(f"{gateway.url}/secret-page")
    page.goto(f"{gateway.url}/.gatehouse/logout")
    page.locator("form button, form input[type=submit]").first.click()
    page.wait_for_url("**/.gatehouse/logged-out*")
    for _ in range(4):
        page.go_back()
        page.wait_for_timeout(400)
        assert page.locator("#echo").count() == 0, f"{page.url} shows the application again"
        if page.url == "about:blank":
            break


def test_forged_logout_tokens_end_nothing(gateway, fresh_sessions, client):
    client.sign_in("alice", "/hello")
    for token in ("", "x", "eyJhbGciOiJub25lIn0.e30.", "a.b.c"):
        answer = client.request(
            "POST", "/.gatehouse/backchannel-logout",
            {"Content-Type": "application/x-www-form-urlencoded", "Cookie": ""},
            f"logout_token={token}")
        assert answer.status == 400, (token, answer.status)
    assert client.request("GET", "/.gatehouse/backchannel-logout", {"Cookie": ""}).status == 405
    assert client.get("/hello").status == 200
    assert "no-store" in field(client.navigate("/hello"), "Cache-Control")


@pytest.fixture
def brokered(folder, certificates, keycloak, upstream):
    """A gateway whose provider hands the browser to another one at the end of a session."""
    provider, port = Brokered(keycloak), free_port()
    keycloak.allow_addresses([f"https://localhost:{port}"])
    gateway = Gateway(
        folder / "brokered", port, certificates, hosts=["localhost"],
        routes=[{"path": "/", "upstream": upstream.url}],
        access=[{"path": "/**", "allow": "signed_in"}], oidc={"issuer": provider.issuer})
    yield gateway, provider
    code = gateway.stop()
    provider.close()
    assert code == 0


@pytest.mark.parametrize("user", ["alice", "many"])
@pytest.mark.parametrize("way", ["link", "question"])
def test_the_provider_sends_a_sign_out_on_to_another_origin(
        brokered, keycloak, fresh_sessions, page, way, user):
    gateway, provider = brokered
    page.goto(f"{gateway.url}/page-with-sign-out")
    fill_keycloak_form(page, user)
    page.wait_for_url(f"{gateway.url}/page-with-sign-out")
    assert keycloak.sessions(user)
    if way == "link":
        page.click("#out")
    else:
        page.goto(f"{gateway.url}/.gatehouse/logout")
        page.locator("form button").click()
    # An ID token that is too long for a URL is posted by a page of ours.
    page.wait_for_url("**/.gatehouse/logged-out*", timeout=10_000)
    assert len(provider.visits) == 1 and not keycloak.sessions(user)
    page.goto(f"{gateway.url}/hello")
    page.wait_for_selector("#kc-form-login")


def test_a_double_click_signs_out_at_the_provider_too(brokered, keycloak, fresh_sessions, page):
    gateway, provider = brokered
    page.goto(f"{gateway.url}/page-with-sign-out")
    fill_keycloak_form(page, "alice")
    page.wait_for_url(f"{gateway.url}/page-with-sign-out")
    page.goto(f"{gateway.url}/.gatehouse/logout")
    provider.hands_on, provider.delay = False, 1       # a provider that is far away
    posts = []
    page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
    place = page.locator("form button").bounding_box()
    for _ in range(2):
        page.mouse.click(place["x"] + 5, place["y"] + 5)
        page.wait_for_timeout(300)
    page.wait_for_url("**/.gatehouse/logged-out*", timeout=10_000)
    assert posts == [f"{gateway.url}/.gatehouse/logout"] * 2
    assert not keycloak.sessions("alice")
