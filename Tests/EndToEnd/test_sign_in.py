"""Ways of signing in that go wrong, or go several ways at once."""
import html
import re

from lab.client import SESSION, field


def test_wrong_password_then_the_right_one(gateway, fresh_sessions, context, page):
    page.goto(f"{gateway.url}/page?here=1")
    for password in ("wrong", "alice-pw"):
        page.wait_for_selector("#username")
        page.fill("#username", "alice")
        page.fill("#password", password)
        page.click("#kc-login")
    page.wait_for_url(f"{gateway.url}/page?here=1")


def test_three_tabs_in_reverse_order(gateway, fresh_sessions, context):
    tabs = [context.new_page() for _ in range(3)]
    for number, tab in enumerate(tabs):
        tab.goto(f"{gateway.url}/tab-{number}?x={number}")
        tab.wait_for_selector("#username")
    tabs[2].fill("#username", "alice")
    tabs[2].fill("#password", "alice-pw")
    tabs[2].click("#kc-login")
    tabs[2].wait_for_url(f"{gateway.url}/tab-2?x=2")
    # Keycloak's own page moves the others on once it sees its session.
    for number in (1, 0):
        tab = tabs[number]
        tab.wait_for_url(lambda url, n=number: url == f"{gateway.url}/tab-{n}?x={n}",
                         timeout=20_000)
    names = [cookie["name"] for cookie in context.cookies(gateway.url)]
    assert names.count(SESSION) == 1
    assert not [name for name in names if "-tx-" in name], names


def test_three_scripted_tabs_finish_in_reverse_order(gateway, fresh_sessions, client):
    pages = [client.navigate(f"/scripted-{number}") for number in range(3)]
    for number in (2, 1, 0):
        answer = client.submit(pages[number], username="alice", password="alice-pw")
        assert answer.status == 200 and answer.url == f"{gateway.url}/scripted-{number}", answer.url


def test_back_button_after_sign_in_goes_on(gateway, fresh_sessions, context, page):
    page.goto(f"{gateway.url}/start")
    page.wait_for_selector("#username")
    page.fill("#username", "bob")
    page.fill("#password", "bob-pw")
    page.click("#kc-login")
    page.wait_for_url(f"{gateway.url}/start")
    page.go_back()
    page.wait_for_timeout(1500)
    assert page.url.startswith(gateway.url), page.url
    page.goto(f"{gateway.url}/again")
    assert page.url == f"{gateway.url}/again"


def test_callback_twice_redeems_once(gateway, fresh_sessions, client):
    form = client.navigate("/once")
    # The last step by hand, so that the callback's address is seen.
    action = html.unescape(re.search(rb'action="([^"]*)"', form.body)[1].decode())
    answer = client.request("POST", action, {"Content-Type": "application/x-www-form-urlencoded"},
                            "username=alice&password=alice-pw")
    callback = field(answer, "Location")
    assert "/.gatehouse/callback?" in callback
    assert client.navigate(callback).url == f"{gateway.url}/once"
    assert client.navigate(callback).url == f"{gateway.url}/once", "with a session it goes on"
    assert client.get("/once").status == 200
    stranger = type(client)(gateway)
    answer = stranger.navigate(callback)
    assert SESSION not in stranger.cookies["localhost"], "a stolen callback is worth nothing"
    assert b"kc-form-login" in answer.body or answer.status >= 400


def test_after_signing_out_somebody_else_signs_in_in_the_same_browser(
        gateway, fresh_sessions, client):
    client.sign_in("alice", "/one")
    old = client.copy()
    answer = client.navigate("/.gatehouse/login?rd=/two")
    assert answer.url == f"{gateway.url}/two"      # a live session just goes on
    assert b"alice" in client.get("/.gatehouse/session").body
    client.sign_out()
    client.sign_in("bob", "/two")
    assert b"bob" in client.get("/.gatehouse/session").body
    assert old.get("/one").status == 401


def test_return_targets_that_lead_elsewhere_lead_home(gateway, fresh_sessions, client):
    client.sign_in("alice", "/hello")
    for target in ("https://evil.example/", "//evil.example", "/%5Cevil.example",
                   "https:%2F%2Fevil.example", "/.gatehouse/logout", "javascript:alert(1)"):
        answer = client.navigate(f"/.gatehouse/login?rd={target}")
        assert answer.url.startswith(gateway.url + "/"), (target, answer.url)
        assert "evil" not in answer.url.removeprefix(gateway.url), target
        assert "/.gatehouse/logout" not in answer.url


def test_user_many_signs_in_and_out_with_javascript_on_and_off(
        gateway, fresh_sessions, new_context):
    # Her ID token has 5.9 kB, too much for the URL: the page posts it to Keycloak.
    for javascript in (True, False):
        context = new_context(java_script_enabled=javascript)
        page = context.new_page()
        page.goto(f"{gateway.url}/many")
        page.fill("#username", "many")
        page.fill("#password", "many-pw")
        page.click("#kc-login")
        page.wait_for_url(f"{gateway.url}/many")
        page.goto(f"{gateway.url}/.gatehouse/logout")
        page.locator("form button, form input[type=submit]").first.click()
        if not javascript:
            # One more click sends what the script would have sent.
            page.locator("form button, form input[type=submit]").first.click()
        page.wait_for_url("**/.gatehouse/logged-out*", timeout=15_000)
        page.goto(f"{gateway.url}/many")
        page.wait_for_selector("#username")
