"""Keycloak dies and comes back. These tests come last."""
import time

import pytest

from lab.client import Client, LiveSocket, field


@pytest.fixture
def dead_keycloak(keycloak):
    keycloak.stop(kill=True)
    yield
    keycloak.start()


def test_keycloak_killed_and_restarted(gateway, keycloak, fresh_sessions):
    client, waiting = Client(gateway), Client(gateway)
    client.sign_in("alice", "/hello")
    form = waiting.navigate("/later")
    live = LiveSocket(client, "/socket").start()
    time.sleep(1)   # Keycloak writes its database behind; a kill right after a sign-in loses it.

    keycloak.stop(kill=True)
    try:
        # Who is in stays in.
        assert client.get("/hello").status == 200 and live.alive()
        live.send("still here")

        # Who wants in learns within a second what is wrong, or goes to where Keycloak would be.
        stranger = Client(gateway)
        began = time.monotonic()
        answer = stranger.request("GET", "/new", {
            "Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
        took = time.monotonic() - began
        assert took < 1.0, took
        if answer.status == 302:
            assert "/protocol/openid-connect/auth?" in field(answer, "Location")
        else:
            assert answer.status in (502, 503, 504)
            assert b"again" in answer.body.lower() and b"href" in answer.body
        assert stranger.get("/new").status == 401

        # A callback whose code nobody can redeem gets our page.
        state = form.url.split("state=")[1].split("&")[0] if "state=" in form.url else None
        assert state, form.url
        callback = waiting.request(
            "GET", f"/.gatehouse/callback?state={state}&iss={keycloak.issuer}&code=a.b.c",
            {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
             "Sec-Fetch-Site": "cross-site"})
        assert callback.status in (502, 503, 504), callback
        assert waiting.cookie() is None

        # Sign-out ends everything here, whatever Keycloak says.
        copied = client.copy()
        page = client.request("GET", "/.gatehouse/logout", {
            "Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
            "Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"})
        assert page.status in (200, 302, 303)
        assert live.over.wait(3) and live.how == 1008
        assert copied.get("/hello").status == 401
    finally:
        keycloak.start()

    # No restart of ours is needed.
    again = Client(gateway)
    assert again.sign_in("bob", "/back").url == f"{gateway.url}/back"
