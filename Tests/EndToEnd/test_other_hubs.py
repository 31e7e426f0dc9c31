"""Sign-in in front of Hubs that are not as most are; each serves one test."""
import re
import time

import pytest

from lab.client import NAVIGATION, SESSION
from lab.ends import assert_all_dead, assert_dead_by_our_stamps
from lab.gated_hub import GatedHub, Guest

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
