"""Two hosts with two plain applications: one password, one sign-out."""
import time

from lab.chromium import fill_keycloak_form
from lab.client import SESSION, Client, LiveSocket


def test_sign_in_once_sign_out_once(gateway, fresh_sessions, context, page):
    _, a, b = gateway.urls
    page.goto(a + "/page")
    fill_keycloak_form(page, "alice")
    page.wait_for_url(a + "/page")
    assert page.locator("h1").inner_text() == "application-a"
    other = context.new_page()
    other.goto(b + "/page")
    other.wait_for_url(b + "/page")
    assert other.locator("h1").inner_text() == "application-b", "no second password"
    cookies = {url: [c for c in context.cookies(url) if c["name"] == SESSION] for url in (a, b)}
    assert all(len(found) == 1 for found in cookies.values())
    assert cookies[a][0]["value"] != cookies[b][0]["value"]

    other.evaluate("""() => new Promise(ready => {
        window.socket = new WebSocket(`wss://${location.host}/socket`);
        window.socket.onopen = ready;
        window.socket.onclose = e => { window.socketEnd = [e.code, Date.now()]; };
    })""")
    page.goto(a + "/.gatehouse/logout")
    clicked = page.evaluate("Date.now()")
    page.locator("form button, form input[type=submit]").first.click()
    page.wait_for_url(a + "/.gatehouse/logged-out*")
    other.wait_for_function("window.socketEnd", timeout=5000)
    code, at = other.evaluate("window.socketEnd")
    print("ms from the click to the end at the other host:", at - clicked)
    assert code == 1008 and at - clicked <= 3000
    other.goto(b + "/page")
    other.wait_for_selector("#username")


def test_an_application_with_a_service_worker(gateway, fresh_sessions, applications, context, page):
    a = gateway.urls[1]
    page.goto(a + "/page")
    fill_keycloak_form(page, "alice")
    page.wait_for_url(a + "/page")
    page.evaluate("navigator.serviceWorker.register('/worker')"
                  ".then(() => navigator.serviceWorker.ready)")
    page.wait_for_function("navigator.serviceWorker.controller")
    answer = page.goto(a + "/handed-on")
    seen = {name.lower(): value for name, value in applications[0].last("/handed-on").fields}
    assert (seen["sec-fetch-mode"], seen["sec-fetch-dest"]) == ("navigate", "empty")
    assert answer.headers["cache-control"] == "no-store"

    context.clear_cookies(name=SESSION)
    page.goto(a + "/again")
    assert page.url == a + "/again" and page.locator("h1").inner_text() == "application-a"
    page.goto(a + "/.gatehouse/logout")
    page.locator("form button, form input[type=submit]").first.click()
    page.wait_for_url(a + "/.gatehouse/logged-out*")
    page.goto(a + "/again")
    page.wait_for_selector("#username")


def test_a_cookie_is_good_at_its_own_host_only(gateway, fresh_sessions):
    _, a, b = gateway.urls
    client = Client(gateway)
    client.sign_in("bob", a + "/page")
    assert client.get(a + "/page").status == 200
    moved = Client(gateway)
    moved.cookies["app-b.localhost"] = dict(client.cookies["app-a.localhost"])
    assert moved.get(b + "/page").status == 401
    live = LiveSocket(client, a + "/socket").start()
    client.sign_in("bob", b + "/page")
    cause = time.monotonic()
    client.sign_out(b)
    assert live.over.wait(5) and live.ended_at - cause <= 3
    assert client.get(a + "/page").status == 401
    answer = client.request("GET", f"https://localhost:{gateway.port}/page",
                            {"Host": "evil.example"})
    assert answer.status == 421
