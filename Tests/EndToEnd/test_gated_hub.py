"""Sign-in in front of a real JupyterHub, whose proxy and gate is our executable."""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import types
import urllib.parse
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus

from lab import chromium
from lab.basics import free_port, need, program, wait_until
from lab.chromium import fill_keycloak_form, run_in_notebook
from lab.client import NAVIGATION, SESSION, Client, LiveDownload, LiveSocket, field
from lab.ends import LIMIT, OWN_LIMIT, assert_all_dead, assert_dead_by_our_stamps
from lab.gated_hub import GatedHub, Guest
from lab.hub import PYTHON, Person, execute
from lab.jupyter import JupyterLab
from lab.visitor import Visitor

OWN = {"path": "/user/*/**", "allow": {"path_user": 2}}
GROUP = {"path": "/services/**", "allow": {"group": "/jupyter-users"}}
SIGNED_IN = {"path": "/**", "allow": "signed_in"}
# What a browser says of a request that one of the Hub's own pages makes.
SAME_ORIGIN = NAVIGATION | {"Sec-Fetch-Site": "same-origin"}
HUB_COOKIES = ("jupyterhub-hub-login", "jupyterhub-session-id", "jupyterhub-user-alice", "_xsrf")


# A service as JupyterHub's documentation has it: whom it does not know it sends to the Hub.
SERVICE = """
import asyncio, os, secrets
from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, RequestHandler, authenticated

class Whoami(HubOAuthenticated, RequestHandler):
    @authenticated
    def get(self):
        self.write(self.get_current_user()["name"])

async def serve():
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    Application([(prefix, Whoami), (prefix + "oauth_callback", HubOAuthCallbackHandler)],
                cookie_secret=secrets.token_bytes(32)).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(serve())
"""


class OpenHub(GatedHub):
    """A Hub whose users share their servers and enter a service, `whoami`. Servers ask the Hub
    about a visitor after a second again."""

    def prepare(self):
        port, file = free_port(), self.folder / "whoami.py"
        file.write_text(SERVICE.replace("{port}", str(port)))
        service = {"name": "whoami", "oauth_client_id": "service-who-else",
                   "url": f"http://127.0.0.1:{port}",
                   "command": [PYTHON, str(file)], "oauth_no_confirm": True}
        user = {"name": "user", "scopes": ["self", "shares!user", "read:users:name",
                                           "access:services!service=whoami"]}
        self.code += f"""
c.JupyterHub.services.append({service})
c.JupyterHub.load_roles.append({user})
c.Spawner.args.append("--HubOAuth.cache_max_age=1")
"""
        return super().prepare()


@pytest.fixture(scope="module")
def gated_hub(folder, certificates, keycloak):
    """JupyterHub starts `gatehouse proxy`; everybody has a server of their own and no other."""
    keycloak.end_all()
    hub = GatedHub(folder / "gated-hub", certificates, keycloak, [OWN, GROUP, SIGNED_IN],
                   watchdog=1)
    yield hub
    left = hub.stop()
    assert not left, left


@pytest.fixture(scope="module")
def open_hub(folder, certificates, keycloak):
    """JupyterHub finds `gatehouse serve`; at whose server one may look, the Hub decides."""
    hub = OpenHub(folder / "open-hub", certificates, keycloak, [SIGNED_IN], serve=True)
    yield hub
    left = hub.stop()
    assert not left, left


@pytest.fixture(scope="module")
def trusting(folder, browser, certificates, keycloak):
    """A Chromium that believes Keycloak's certificate too."""
    home = chromium.trusting_home(
        folder / "gated-home", certificates / "ca.pem", keycloak.https_authority)
    browser = chromium.launch(browser.browser_type, home)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def visitors(trusting, gated_hub):
    """Alice and Bob at a notebook, by a deep link, one password and the start of a server."""
    both = [Visitor(trusting, gated_hub, user) for user in gated_hub.users]
    for one in both:
        one.page.goto(f"{one.base}/lab/tree/deep.ipynb")
        assert one.page.url.startswith(gated_hub.keycloak.https_issuer), one.page.url
        fill_keycloak_form(one.page, one.user)
        one.page.locator("#start").click()          # "Your server is not running"
    for one in both:
        one.page.wait_for_url(f"{one.base}/lab/tree/deep.ipynb**", timeout=90_000)
        run_in_notebook(one.page, "kept = 300; print(kept * 14)", "4200")
        one.channels = kernel_of(one)
    yield both
    for one in both:
        one.context.close()


@pytest.fixture(scope="module")
def alice(visitors):
    return visitors[0]


@pytest.fixture(scope="module")
def bob(visitors):
    return visitors[1]


@pytest.fixture
def guest(gated_hub, visitors):
    """Alice once more, without a screen and in a session of its own."""
    return Guest(gated_hub, "alice").enter()


def kernel_of(visitor):
    """Where the notebook's kernel listens."""
    address = urllib.parse.urlsplit(visitor.socket("/channels").url)
    return address.path


def come_back(visitor):
    """By a deep link and a password."""
    visitor.page.goto(f"{visitor.base}/lab/tree/deep.ipynb")
    fill_keycloak_form(visitor.page, visitor.user)
    visitor.page.wait_for_url(f"{visitor.base}/lab/tree/deep.ipynb**")
    visitor.wait_until(lambda: open_sockets(visitor, "/channels"), 30, "the notebook's kernel")


def open_sockets(visitor, part=""):
    return [one for one in visitor.sockets if part in one.url and not one.closed]


def assert_same_kernel(visitor):
    assert Guest.beside(visitor).run_cell(visitor.channels, "print(kept)") == "300\n"


def with_cookies(guest, other, names):
    """Guest with these Hub cookies of somebody else's, in place of its own or besides."""
    twin = guest.copy()
    for key, value in other.cookies["localhost"].items():
        if key.partition(";")[0] in names:
            twin.cookies["localhost"][key] = value
    return twin


# In.

def test_two_people_run_cells_and_use_terminals(visitors):
    for visitor in visitors:
        visitor.open_terminal()
        visitor.type("expr 6000 \\* 7 | tee answer.txt", "42000")
        assert (visitor.hub.home(visitor.user) / "answer.txt").read_text() == "42000\n"
    assert kernel_of(visitors[0]) != kernel_of(visitors[1])


def test_a_path_user_rule_keeps_bob_from_alices_server(gated_hub, alice, bob):
    tab = bob.context.new_page()
    assert tab.goto(f"{alice.base}/lab?by=bob").status == 403
    tab.close()
    thief = Guest.beside(bob)
    assert thief.get("/user/alice/api/contents?by=bob").status == 403
    with pytest.raises(InvalidStatus) as refused:
        thief.web_socket(alice.channels + "?by=bob").__enter__()
    assert refused.value.response.status_code == 403
    assert Guest.beside(alice).get("/user/alice/api/contents?by=alice").status == 200
    assert thief.get("/user/bob/api/contents?by=bob").status == 200
    gated_hub.await_request("alice", "?by=alice")
    gated_hub.await_request("bob", "?by=bob")
    assert not [one for one in gated_hub.requests("alice") if "by=bob" in one]


def test_nobody_gets_anywhere_without_having_signed_in(gated_hub, alice):
    stranger = Client(gated_hub)
    for path in ("/user/alice/api/contents?by=stranger", "/hub/api?by=stranger",
                 "/hub/login?by=stranger", "/services/x?by=stranger"):
        assert stranger.get(path).status == 401, path
        assert stranger.navigate(path).url.startswith(gated_hub.keycloak.https_issuer), path
    assert Guest.beside(alice).get("/hub/api?by=alice").status == 200
    wait_until(lambda: "by=alice" in "\n".join(gated_hub.hub_lines()), 5, "the Hub's line")
    assert not [one for one in gated_hub.hub_lines()
                if "by=stranger" in one and "JupyterHub" in one]
    assert not [one for one in gated_hub.requests("alice") if "by=stranger" in one]


# Nobody is somebody else.

def test_cookies_of_another_user_make_a_stranger(gated_hub, alice, guest):
    his = Guest(gated_hub, "bob").enter()
    assert his.get("/hub/home?as=himself").status == 200
    assert gated_hub.seen_by_hub("/hub/home?as=himself") == ["bob"]
    mixed = with_cookies(his, guest, HUB_COOKIES)
    for count in (1, 2):
        asked = f"/hub/home?with={count}"
        assert with_cookies(his, guest, HUB_COOKIES[:count]).get(asked).status == 302
        assert gated_hub.seen_by_hub(asked) == [""]
    # The Hub then logs in whom the gateway knows.
    page = mixed.navigate("/hub/home?with=all")
    assert (page.status, page.url) == (200, f"{gated_hub.url}/hub/home?with=all")
    assert gated_hub.seen_by_hub("/hub/home?with=all", 2) == ["", "bob"]
    assert mixed.get("/user/alice/api/contents").status == 403


def test_a_server_cannot_plant_a_cookie_of_the_hubs(gated_hub, bob):
    his = Guest.beside(bob)
    target = gated_hub.routes()["/user/bob/"]["target"]
    with urllib.request.urlopen(f"{target}/user/bob/api") as direct:
        assert direct.headers["Set-Cookie"].startswith("jupyterhub-hub-login=planted")
    answer = his.get("/user/bob/api")
    assert answer.status == 200
    assert not [one for one in answer.fields if "planted" in one[1]], answer
    his.cookies["localhost"]["jupyterhub-hub-login;/hub/"] = "planted"
    assert his.get("/hub/home?with=planted").status == 302
    assert gated_hub.seen_by_hub("/hub/home?with=planted") == [""]


NEXT = ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example",
        "%2Fuser%2Fbob%2Flab", "%2Fhub%2Fhome"]


@pytest.mark.parametrize("target", NEXT)
def test_the_hubs_own_redirects_pass_as_they_are(gated_hub, guest, target):
    path = f"/hub/login?next={target}"
    cookies = guest.cookie_field(path="/hub/login")
    direct = http.client.HTTPConnection("127.0.0.1", gated_hub.hub_port, timeout=10)
    direct.request("GET", path, headers={
        "Host": f"localhost:{gated_hub.port}", "Cookie": cookies, "X-Scheme": "https"})
    own = direct.getresponse()
    direct.close()
    answer = guest.get(path)
    assert (answer.status, field(answer, "Location")) == (own.status, own.getheader("Location"))
    assert answer.status == 302 and re.match(r"/[^/\\]", field(answer, "Location")), answer


def test_without_a_rule_the_hub_decides_and_cookies_are_still_ones_own(open_hub):
    hers, his = Guest(open_hub, "alice").enter(), Guest(open_hub, "bob").enter()
    hers.spawn()
    hers.work()
    page = his.navigate("/user/alice/lab?by=bob")
    assert page.status == 403 and "/hub/api/oauth2/authorize" in page.url, page
    open_hub.await_request("alice", "/lab?by=bob")
    # With a cookie of hers it is still he who asks.
    mixed = with_cookies(his, hers, HUB_COOKIES)
    assert mixed.get("/user/alice/api/contents?by=mixed").status == 403
    assert open_hub.await_request("alice", "?by=mixed").startswith("403")
    assert hers.get("/user/alice/api/contents?by=alice").status == 200
    check_a_share(open_hub, hers, his)
    mark = open_hub.mark()
    live = hers.everything()
    cause = time.monotonic()
    hers.sign_out()
    assert_all_dead(live, cause)
    assert_dead_by_our_stamps(open_hub, mark, "/.gatehouse/logout", len(live))


def check_a_share(hub, hers, his):
    """Given and taken away: what the Hub says is what holds, at his next request."""
    hers.ask_hub("POST", "/shares/alice/", {"user": "bob"})
    his.submit(his.navigate("/user/alice/lab"))     # "Authorize access"
    assert his.get("/user/alice/api/contents?by=guest").status == 200
    assert hub.await_request("alice", "?by=guest").startswith("200")
    hers.ask_hub("PATCH", "/shares/alice/", {"user": "bob"})
    wait_until(lambda: his.get("/user/alice/api/contents?by=former").status == 403, 5,
               "her server refuses him")
    wait_until(lambda: "403 GET /user/alice/api/contents?by=former" in hub.requests("alice"), 5,
               "it was her server")
    assert hers.get("/user/alice/api/contents").status == 200


def test_a_service_and_a_named_server_end_with_the_session(open_hub, keycloak):
    service, server = "/services/whoami/", "/user/alice/second"
    alice = Guest(open_hub, "alice").enter()
    alice.ask_hub("POST", "/users/alice/servers/second", {})
    alice.server = open_hub.url + server
    wait_until(lambda: b"jupyter-config-data" in alice.navigate(f"{server}/lab").body, 60,
               "the named server runs")
    channels = alice.start_kernel()
    assert alice.run_cell(channels, "print(6 * 7)") == "42\n"
    page = alice.navigate(service)
    assert (page.status, page.body, page.url) == (200, b"alice", open_hub.url + service)
    own = {"jupyterhub-user-alice-second", "service-who-else"}
    copied = alice.copy()
    assert own <= {key.partition(";")[0] for key in copied.cookies["localhost"]}
    for path in service, f"{server}/api/contents":
        assert copied.get(path).status == 200

    live = [LiveSocket(copied, channels).start()]
    cause = time.monotonic()
    last = alice.navigate("/hub/logout", fields=SAME_ORIGIN)
    assert last.url.startswith(f"{open_hub.url}/.gatehouse/logged-out"), last
    assert_all_dead(live, cause)
    assert not own & {key.partition(";")[0] for key in alice.cookies["localhost"]}
    for path in service, f"{server}/api/contents":
        assert copied.get(path).status == 401
        answer = copied.request("GET", path, NAVIGATION)
        assert answer.status == 302
        assert field(answer, "Location").startswith(keycloak.https_issuer)

    # In a session of hers that did not get them they are nobody's, and she enters anew.
    again = Guest(open_hub, "alice").enter()
    mixed = with_cookies(again, copied, own)
    answer = mixed.get(service)
    assert answer.status == 302 and "/hub/api/oauth2/authorize" in field(answer, "Location")
    assert mixed.get(f"{server}/api/contents?mixed").status == 403
    assert open_hub.await_request("alice", "?mixed").startswith("403")
    assert again.navigate(service).body == b"alice"
    again.navigate(f"{server}/lab")
    assert again.get(f"{server}/api/contents").status == 200


# Out.

class Thief(threading.Thread):
    """Asks on and on with copied cookies, as long as it is answered and afterwards."""

    def __init__(self, guest, *paths):
        super().__init__(daemon=True)
        self.guest, self.paths, self.statuses, self.stopping = guest.copy(), paths, [], False
        self.start()
        wait_until(lambda: len(self.statuses) >= len(paths), 10, "the thief is answered")
        assert set(self.statuses) == {200}, self.statuses

    def run(self):
        while not self.stopping:
            for path in self.paths:
                try:
                    self.statuses.append(self.guest.get(path).status)
                except (OSError, http.client.HTTPException):
                    self.statuses.append("cut")
            time.sleep(0.02)

    def stop(self):
        self.stopping = True
        self.join(10)


@pytest.fixture(scope="module")
def his_things(bob):
    return Guest.beside(bob).everything()


CAUSES = {
    "our page": ("POST", "/.gatehouse/logout"),
    "the Hub's button": ("GET", "/.gatehouse/logout"),
    "JupyterLab's menu": ("GET", "/.gatehouse/logout"),
    "Keycloak's administrator": ("POST", "/.gatehouse/backchannel-logout"),
}


def prepare(cause, alice):
    """What leads up to a cause; the act itself."""
    page = alice.page
    if cause == "our page":
        tab = alice.context.new_page()
        tab.goto(f"{alice.hub.url}/.gatehouse/logout")

        def submit():
            tab.locator("form button").click()
            tab.wait_for_url("**/.gatehouse/logged-out*")
            tab.close()
        return submit
    if cause == "the Hub's button":
        tab = alice.context.new_page()
        tab.goto(f"{alice.hub.url}/hub/home")

        def press():
            tab.locator("#logout").click()
            tab.wait_for_url("**/.gatehouse/logged-out*")
            tab.close()
        return press
    if cause == "JupyterLab's menu":
        page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^File$")).click()
        item = page.locator(".lm-Menu-item[data-command='hub:logout']")
        item.wait_for()

        def choose():
            item.click()
            page.wait_for_url("**/.gatehouse/logged-out*")
        return choose
    keycloak = alice.hub.keycloak
    sid = keycloak.sessions("alice")[-1]
    return lambda: keycloak.end_session(sid)


@pytest.mark.parametrize("cause", CAUSES)
def test_sign_out_ends_everything(gated_hub, alice, his_things, cause):
    hub, copied = gated_hub, Guest.beside(alice)
    assert copied.get("/hub/home").status == 200
    hers = copied.everything()
    act = prepare(cause, alice)
    thief = Thief(copied, "/hub/home", "/user/alice/api/kernels")
    assert open_sockets(alice, "/channels")
    sockets = open_sockets(alice)
    mark, hub_mark = hub.mark(), hub.hub_mark()
    began = time.monotonic()
    act()
    assert_all_dead(hers, began)
    if cause != "JupyterLab's menu":        # that leaves the page
        alice.wait_until(lambda: all(one.closed for one in sockets), LIMIT, "its own are shut")
        assert max(one.closed_at for one in sockets) - began <= LIMIT
    method, path = CAUSES[cause]
    assert_dead_by_our_stamps(hub, mark, path, len(hers), method, others=True)
    time.sleep(1.2)
    thief.stop()
    check_copies(hub, mark, method, path, copied)
    if cause in ("the Hub's button", "JupyterLab's menu"):
        assert [one for one in hub.hub_lines(hub_mark) if "User logged out: alice" in one]
    if cause != "Keycloak's administrator":
        left = [(one["name"], one["path"]) for one in alice.context.cookies()
                if one["name"] in (SESSION, *HUB_COOKIES)]
        assert not left, left

    # Bob's are alive, and Alice's kernel is there when she comes back.
    assert all(one.alive() for one in his_things), [(one.what, one.how) for one in his_things]
    moving = [one for one in his_things if isinstance(one, LiveDownload) and one.pause]
    before = [one.bytes for one in moving]
    come_back(alice)
    assert_same_kernel(alice)
    assert all(now.bytes > then for now, then in zip(moving, before))


def check_copies(hub, mark, method, path, copied):
    """No copied cookie is worth anything a second after the cause, by our own stamps."""
    asked = [(one, after) for one, after in hub.after(mark, path, method)
             if one["path"].startswith(("/hub/home", "/user/alice/"))]
    assert [one for one, after in asked if after > OWN_LIMIT], "the thief stopped early"
    late = [one for one, after in asked if after > OWN_LIMIT and one["status"] != "401"]
    assert not late, late
    # Nobody asks the Hub for a page for what has been cut.
    assert not [one for one, _ in asked if "ended" in one and one["status"] == "503"], asked
    # Each kind by itself.
    mark = hub.hub_mark()
    for key, value in copied.cookies["localhost"].items():
        alone = Guest(hub, "alice")
        alone.cookies["localhost"][key] = value
        for target in ("/hub/home?alone", "/user/alice/api/kernels?alone"):
            assert alone.get(target).status == 401, (key, target)
    with pytest.raises(InvalidStatus) as refused:
        copied.web_socket("/user/alice/api/events/subscribe").__enter__()
    assert refused.value.response.status_code == 401
    assert not [one for one in hub.hub_lines(mark) if "?alone" in one and "JupyterHub" in one]
    assert not [one for one in hub.requests("alice") if "?alone" in one]


def test_bob_at_alices_browser_is_bob(gated_hub, keycloak, alice):
    # Her session ends without her browser: all of the Hub's cookies are left in it.
    keycloak.end_session(keycloak.sessions("alice")[-1])
    page, his = alice.page, gated_hub.user_url("bob")
    left = [one["name"] for one in alice.context.cookies()]
    assert {"jupyterhub-hub-login", "jupyterhub-user-alice"} <= set(left), left
    page.goto(f"{gated_hub.url}/hub/home?in=her")
    fill_keycloak_form(page, "bob")
    page.wait_for_url(f"{gated_hub.url}/hub/home?in=her")
    assert page.locator("#start").count() == 1 and "/user/alice" not in page.content()
    assert gated_hub.seen_by_hub("/hub/home?in=her", 2) == ["", "bob"]
    page.goto(f"{his}/lab/tree/deep.ipynb")
    run_in_notebook(page, "import os; print(os.environ['JUPYTERHUB_USER'], 1)", "bob 1")
    assert page.goto(f"{alice.base}/lab").status == 403
    assert page.goto(f"{alice.base}/api/contents").status == 403


@pytest.fixture
def hub_sees(gated_hub):
    """Whether the Hub was asked for /hub/logout meanwhile."""
    mark = gated_hub.hub_mark()

    def sees(guest):
        here = gated_hub.hub_mark()
        guest.get("/hub/api?mark")
        wait_until(lambda: "/hub/api?mark" in "\n".join(gated_hub.hub_lines(here)), 5, "a line")
        return [one for one in gated_hub.hub_lines(mark)
                if "GET /hub/logout" in one and "JupyterHub log" in one]
    return sees


ASKS = {
    "typed": NAVIGATION,
    "from another site": NAVIGATION | {"Sec-Fetch-Site": "cross-site"},
    "from another host of this site": NAVIGATION | {"Sec-Fetch-Site": "same-site"},
    "without Sec-Fetch": {"Accept": "text/html"},
}


@pytest.mark.parametrize("how", ASKS)
def test_hub_logout_that_is_no_click_in_the_hub_asks_first(guest, hub_sees, how):
    page = guest.request("GET", "/hub/logout", ASKS[how])
    assert page.status == 200 and b"gatehouse_logout=" in page.body, page
    assert guest.get("/hub/home").status == 200
    assert not hub_sees(guest)
    link = re.search(r'href="([^"]*gatehouse_logout=[^"]*)"', page.body.decode())[1]
    last = guest.navigate("/hub/logout" + link.replace("&amp;", "&"), fields={"Sec-Fetch-Site": "same-origin"})
    assert last.url.startswith(f"{guest.hub.url}/.gatehouse/logged-out"), last
    assert guest.get("/hub/home").status == 401


IGNORED = {
    "an image on another site": {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a frame on another site": NAVIGATION | {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"},
    "a prefetch": SAME_ORIGIN | {"Sec-Purpose": "prefetch"},
    "a prefetch with a reason": SAME_ORIGIN | {"Sec-Purpose": "prefetch;prerender"},
}


@pytest.mark.parametrize("how", IGNORED)
def test_hub_logout_as_a_part_of_another_page_ends_nothing(guest, hub_sees, how):
    assert guest.request("GET", "/hub/logout", IGNORED[how]).status == 403
    assert guest.get("/hub/home").status == 200
    assert not hub_sees(guest)


def test_hub_logout_as_a_fetch_of_the_hubs_own_is_the_hubs(gated_hub, guest, hub_sees):
    answer = guest.request("GET", "/hub/logout", {
        "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"})
    assert answer.status == 200 and b"Successfully logged out" in answer.body
    assert len(hub_sees(guest)) == 1
    # It lets in again who is signed in.
    page = guest.navigate("/hub/home")
    assert (page.status, page.url) == (200, f"{gated_hub.url}/hub/home")


# Scripts.

# A program that reads an address with a token of the Hub's, both in its environment.
PROGRAMS = {
    "curl": ["curl", "-sS", "--fail", "-H", "Authorization: token {token}", "{url}"],
    "Python": [sys.executable, "-c", """
import os, urllib.request
print(urllib.request.urlopen(urllib.request.Request(
    "{url}", headers=dict(Authorization="token {token}"))).read().decode())
"""],
    "Node": ["node", "-e", """
fetch("{url}", {{headers: {{Authorization: "token {token}"}}}})
  .then(answer => answer.text()).then(console.log)
"""],
}
# Programs that send a message to a kernel and say what it prints: address, field and message.
SOCKETS = {
    "Node's ws": ["node", "-e", """
const [address, field, message] = process.argv.slice(1);
const socket = new (require("ws"))(address, {headers: {Authorization: field}});
socket.on("open", () => socket.send(message));
socket.on("message", data => {
  const message = JSON.parse(data);
  if (message.msg_type === "stream") { console.log(message.content.text); process.exit(0); }
});
"""],
    "Python's websocket-client": [sys.executable, "-c", """
import json, os, sys, websocket
address, field, message = sys.argv[1:]
socket = websocket.create_connection(
    address, header={"Authorization": field}, sslopt={"ca_certs": os.environ["SSL_CERT_FILE"]})
socket.send(message)
while (message := json.loads(socket.recv()))["msg_type"] != "stream":
    pass
print(message["content"]["text"])
"""],
}


@pytest.fixture(scope="module")
def token(gated_hub):
    """Of Alice's, as she gets it from the Hub's page for scripts."""
    alice = Guest(gated_hub, "alice").enter()
    return alice.ask_hub("POST", "/users/alice/tokens", {"note": "a script"})["token"]


def with_token(hub, token, path, **fields):
    return Client(hub).request("GET", path, {"Authorization": f"token {token}", **fields})


def run(hub, words):
    authority = str(hub.certificates / "ca.pem")
    return subprocess.run(
        words, check=True, stdout=subprocess.PIPE, text=True, timeout=30,
        env={**os.environ, "SSL_CERT_FILE": authority, "CURL_CA_BUNDLE": authority,
             "NODE_EXTRA_CA_CERTS": authority, "NODE_PATH": "/usr/share/nodejs"}).stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_with_a_token_of_the_hubs(gated_hub, alice, token, name):
    program(PROGRAMS[name][0], PROGRAMS[name][0])

    def read(path):
        return json.loads(run(gated_hub, [word.format(token=token, url=gated_hub.url + path)
                                          for word in PROGRAMS[name]]))
    assert read("/hub/api/user")["name"] == "alice"
    assert "version" in read("/user/alice/api")
    assert {"deep.ipynb"} <= {one["name"] for one in read("/user/alice/api/contents")["content"]}


@pytest.mark.parametrize("name", SOCKETS)
def test_a_script_runs_a_cell_with_a_web_socket(gated_hub, alice, token, name):
    need(os.path.exists("/usr/share/nodejs/ws"), "node's ws is missing (Debian: node-ws)")
    address = "wss" + gated_hub.url.removeprefix("https") + alice.channels
    message = json.dumps(execute(name, "print(6 * 7)"))     # a kernel takes none twice
    printed = run(gated_hub, [*SOCKETS[name], address, f"token {token}", message])
    assert printed.strip() == "42"


def test_a_notebook_server_elsewhere_runs_its_kernels_here(
        folder, monkeypatch, gated_hub, alice, token):
    """`jupyter server --gateway-url`: its kernels are those of Alice's server."""
    monkeypatch.setenv("JUPYTER_GATEWAY_URL", alice.base)
    monkeypatch.setenv("JUPYTER_GATEWAY_AUTH_TOKEN", token)
    monkeypatch.setenv("SSL_CERT_FILE", str(gated_hub.certificates / "ca.pem"))
    lab = JupyterLab(folder / "elsewhere", "elsewhere")
    try:
        lab.await_ready()
        there = types.SimpleNamespace(url=lab.url, base="/", user_url=lambda _: lab.url + lab.base[:-1])
        person = Person(there, "elsewhere")
        person.get(lab.base + "lab")
        code = "import os; print(os.environ['JUPYTERHUB_USER'])"
        assert person.run_cell(person.start_kernel(), code) == "alice\n"
    finally:
        lab.stop()


def test_a_token_opens_what_is_its_users_and_asks_only_for_a_sign_in(gated_hub, alice, token):
    assert with_token(gated_hub, token, "/user/alice/api/contents?lane").status == 200
    # Cookies beside it are nobody's.
    his = Guest(gated_hub, "bob").enter()
    for key in [one for one in his.cookies["localhost"] if one.startswith(SESSION)]:
        del his.cookies["localhost"][key]
    assert his.get("/hub/api/user?lane", {"Authorization": f"token {token}"}).status == 200
    assert gated_hub.seen_by_hub("/hub/api/user?lane") == ["alice"]
    # Somebody else's server, a rule about a group, and a token in the query.
    assert with_token(gated_hub, token, "/user/bob/api/contents?lane").status == 403
    assert with_token(gated_hub, token, "/services/x?lane").status == 403
    assert Guest.beside(alice).get("/services/x?session").status != 403
    assert len(gated_hub.seen_by_hub("/services/x?session")) == 1
    assert Client(gated_hub).get(f"/user/alice/api/contents?token={token}&lane").status == 401
    gated_hub.await_request("alice", "?lane")
    assert not [one for one in gated_hub.requests("bob") if "lane" in one]
    assert not [one for one in gated_hub.requests("alice") if "token=" in one]
    assert not [one for one in gated_hub.hub_lines()
                if "/services/x?lane" in one and "JupyterHub log" in one]


def test_a_token_of_a_browsers_session_is_no_way_in(gated_hub, alice, token):
    hers = Guest(gated_hub, "alice").enter()
    of_session = hers.session_tokens()
    for secret in of_session:
        assert hers.get("/user/alice/api/contents?of-session",
                        {"Authorization": f"token {secret}"}).status == 200
        gated_hub.await_request("alice", "?of-session")
    for secret in of_session:
        for path in ("/user/alice/api/contents?alone", "/hub/api/users/alice?alone"):
            assert with_token(gated_hub, secret, path).status == 401, path
    assert with_token(gated_hub, token, "/user/alice/api/contents?beside").status == 200
    gated_hub.await_request("alice", "?beside")
    assert not [one for one in gated_hub.requests("alice") if "?alone" in one]
    assert not [one for one in gated_hub.hub_lines()
                if "/users/alice?alone" in one and "JupyterHub log" in one]


def test_junk_and_a_flood_of_it_are_refused_and_the_hub_is_spared(gated_hub, alice, token):
    assert with_token(gated_hub, token, "/user/alice/api/contents?lane").status == 200
    before = len(gated_hub.seen_by_hub("/hub/api/user"))
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda number: with_token(
            gated_hub, f"junk{number}", "/user/alice/api/contents?junk").status, range(200)))
    took = time.monotonic() - began
    assert set(statuses) == {401, 429}, set(statuses)
    assert with_token(gated_hub, token, "/user/alice/api/contents?after").status == 200
    gated_hub.await_request("alice", "?after")
    asked = len(gated_hub.seen_by_hub("/hub/api/user")) - before
    # Twenty in each second of the clock that it touched, and the good one once more.
    assert asked <= 20 * (int(took) + 2) + 1, (asked, took)
    assert not [one for one in gated_hub.requests("alice") if "junk" in one]


def test_a_killed_proxy_costs_no_password_and_no_kernel(gated_hub, bob):
    before = gated_hub.log().count("back up and good to go")
    os.kill(gated_hub.proxy(), signal.SIGKILL)
    bob.wait_until(lambda: gated_hub.log().count("back up and good to go") > before, 20,
                   "JupyterHub has started its proxy again")
    assert Guest.beside(bob).get("/user/bob/api").status == 401, "sessions are in memory"
    visited = []
    bob.page.on("framenavigated", lambda frame: visited.append(frame.url))
    bob.page.goto(f"{bob.base}/lab/tree/deep.ipynb")
    bob.page.wait_for_url(f"{bob.base}/lab/tree/deep.ipynb**")
    assert not [one for one in visited if "/realms/" in one], "Keycloak showed a page"
    assert_same_kernel(bob)
    run_in_notebook(bob.page, "print(kept * 3, 'once more')", "900 once more")
