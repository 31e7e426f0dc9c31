"""Sign-in in front of Hubs that are not as most are; each serves one test."""
import json
import re
import time

import pytest

from lab.client import NAVIGATION, SESSION, Client
from lab.ends import assert_all_dead, assert_dead_by_our_stamps
from lab.gated_hub import GatedHub, Guest
from lab.recipes import ask

OWN = {"path": "/user/*/**", "allow": {"path_user": 2}}
COOKIES = {SESSION, "jupyterhub-hub-login", "jupyterhub-session-id", "jupyterhub-user-alice", "_xsrf"}
SAME_ORIGIN = NAVIGATION | {"Sec-Fetch-Site": "same-origin"}
SIGNED_IN = {"path": "/**", "allow": "signed_in"}


@pytest.fixture
def start_hub(folder, certificates, keycloak, request):
    """Starts a Hub for one test; it ends with the test."""
    started = []

    def start(kind, access, **more):
        name = re.sub(r"\W+", "-", request.node.name)
        started.append(kind(folder / name, certificates, keycloak, access, **more))
        return started[-1]
    yield start
    for hub in started:
        left = hub.stop()
        assert not left, left


def names(guest):
    return {key.partition(";")[0] for key in guest.cookies["localhost"]}


def test_a_hub_below_a_base_url(start_hub):
    hub = start_hub(GatedHub, [{"path": "/jupyter/user/*/**", "allow": {"path_user": 3}}, SIGNED_IN],
                    base="/jupyter/")
    home, contents = "/jupyter/hub/home", "/jupyter/user/alice/api/contents"
    alice, bob = Guest(hub, "alice").enter(), Guest(hub, "bob").enter()
    alice.spawn()
    assert alice.run_cell(alice.start_kernel(), "print(6 * 7)") == "42\n"
    assert bob.get(contents + "?by=bob").status == 403
    assert alice.get(contents + "?by=alice").status == 200
    hub.await_request("alice", "?by=alice")
    assert not [one for one in hub.requests("alice") if "by=bob" in one]

    copied, mark = alice.copy(), hub.mark()
    assert COOKIES <= names(alice)
    live = copied.everything()
    cause = time.monotonic()
    last = alice.navigate("/jupyter/hub/logout", fields=SAME_ORIGIN)
    assert last.url.startswith(f"{hub.url}/.gatehouse/logged-out"), last
    assert_all_dead(live, cause)
    assert_dead_by_our_stamps(hub, mark, "/.gatehouse/logout", len(live), "GET")
    assert "User logged out: alice" in hub.log()
    assert not COOKIES & names(alice)
    assert copied.get(home).status == copied.get(contents).status == 401
    # There is nothing of the Hub's above its base.
    bob.request("GET", "/hub/logout", SAME_ORIGIN)
    assert bob.get(home).status == 200


class HeaderHub(GatedHub):
    """A Hub that takes its proxy's word for who asks."""

    more = {"identity": {"headers": {"X-Forwarded-User": "preferred_username"}}}
    code = GatedHub.code + """
from jupyterhub.auth import Authenticator

class FromHeader(Authenticator):
    auto_login = True

    async def authenticate(self, handler, data=None):
        return handler.request.headers.get("X-Forwarded-User")

c.JupyterHub.authenticator_class = FromHeader
"""


def test_a_hub_that_reads_a_header(start_hub, upstream):
    hub = start_hub(HeaderHub, [OWN, SIGNED_IN])
    alice, bob = (Guest(hub, user).enter() for user in hub.users)
    # The Hub knows its user from the first request on, and has asked nobody.
    assert hub.seen_by_hub("/hub/home", 4) == ["", "alice", "", "bob"]
    assert "oauth_callback" not in "\n".join(
        one for one in hub.hub_lines() if "JupyterHub log" in one)
    # What a browser says about it counts for nothing.
    forged = {"X-Forwarded-User": "alice"}
    assert Client(hub).get("/hub/login?stranger", forged).status == 401
    thief = bob.copy()
    for key in [one for one in thief.cookies["localhost"] if one.startswith("jupyterhub-")]:
        del thief.cookies["localhost"][key]
    assert thief.get("/hub/login?thief", forged).status == 302
    assert thief.get("/hub/home?thief", forged).status == 200
    assert hub.seen_by_hub("/hub/home?thief") == ["bob"]
    assert not [one for one in hub.hub_lines() if "?stranger" in one and "JupyterHub log" in one]

    # A user's server, which is that user's code, is told nothing.
    path = "/user/bob/echo"
    status, text = ask(hub.api_port, "POST", "/api/routes" + path,
                       json.dumps({"target": upstream.url}).encode(), f"token {hub.token}")
    assert status == 201, text
    for fields in {}, forged:
        assert bob.get(path, fields).status == 200
        names = {name.lower() for name, _ in upstream.last(path).fields}
        assert "x-forwarded-for" in names and "x-forwarded-user" not in names
