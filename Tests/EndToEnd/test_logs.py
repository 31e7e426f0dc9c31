"""Nothing secret in any log line of the whole run, at the highest level."""
import concurrent.futures
import json
import pathlib
import re
import secrets
import signal

import pytest

from lab.client import NAVIGATION, SESSION, Client
from lab.gated_hub import GatedHub, Guest


def test_no_secret_in_any_line(gateway, fresh_sessions):
    client = Client(gateway)
    client.sign_in("alice", "/logged?secret-in-query=1")
    cookie = client.cookie()
    with client.web_socket("/socket") as socket:
        socket.send("noticed")
    client.sign_out()
    gateway.wait_for_log(lambda log: "/.gatehouse/logout" in log, "the last exchange has a line")
    log = gateway.log()
    assert "/logged" in log, "an exchange has a line"
    for pattern in (r"secret-in-query", r"eyJ[A-Za-z0-9_-]{10,}", r"gatehouse-secret",
                    r"[?&]code=", r"[?&]state=", r"code_verifier", r"Bearer [A-Za-z0-9]",
                    re.escape(cookie), re.escape(cookie.split(".")[-1])):
        found = re.search(f".*{pattern}.*", log)
        assert not found, (pattern, found and found[0][:300])


@pytest.fixture(scope="module")
def hub(folder, certificates, keycloak):
    """JupyterHub behind `gatehouse serve`, whose log is its own."""
    keycloak.end_all()
    hub = GatedHub(folder / "logged-hub", certificates, keycloak,
                   [{"path": "/user/*/**", "allow": {"path_user": 2}},
                    {"path": "/**", "allow": "signed_in"}], serve=True)
    yield hub
    left = hub.stop()
    assert not left, left


# What a script asks with its token, and what else its request says.
ASKED = [
    ("GET", "/user/alice/api/contents?lane", {}),
    ("GET", "/user/alice/lab", NAVIGATION),
    ("GET", "/user/bob/api/contents", {}),
    ("GET", "/user/alice/%zz", {}),
    ("GET", "/.gatehouse/nothing", {}),
    ("TRACE", "/user/alice/api", {}),
    ("POST", "/user/alice/api", {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"}),
    ("GET", "/user/alice/api", {"X-Filler": "x" * 80_000}),
    ("GET", "/user/alice/api", {"Cookie": f"{SESSION}=junk"}),
    ("GET", "/user/alice/lab", NAVIGATION | {"Cookie": f"{SESSION}=junk"}),
    ("GET", "/user/alice/api/contents?token={token}", {"Authorization": "Basic YTpi"}),
    ("GET", "/user/alice/lab?token={token}", NAVIGATION | {"Authorization": "Bearer x"}),
]


def test_no_token_of_the_hubs_in_any_line_page_or_field(hub):
    alice = Guest(hub, "alice").enter()
    alice.spawn()
    good = alice.ask_hub("POST", "/users/alice/tokens", {"note": "a script"})["token"]
    of_session = sorted(alice.session_tokens())
    answers = []

    def ask(token, method="GET", path="/user/alice/api", fields=None):
        answer = Client(hub).request(method, path.format(token=token),
                                     {"Authorization": f"token {token}", **(fields or {})})
        answers.append((token, answer))
        return answer.status

    junk = secrets.token_hex(16)
    for token in (good, junk, *of_session):
        statuses = [ask(token, *asked) for asked in ASKED]
        assert (statuses[0] == 200) == (token == good), (statuses, token == good)
        assert {400, 401, 404, 431} <= set(statuses), statuses
    assert {200, 403} <= {answer.status for token, answer in answers if token == good}
    # While the Hub does not answer, and too many.
    late = secrets.token_hex(16)
    hub.process.send_signal(signal.SIGSTOP)
    try:
        assert ask(late) == 503
    finally:
        hub.process.send_signal(signal.SIGCONT)
    flood = [secrets.token_hex(16) for _ in range(60)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        assert 429 in list(pool.map(ask, flood))
    assert ask(good) == 200

    tokens = {good, junk, late, *of_session, *flood}
    for one, answer in answers:
        shown = repr(answer.fields)
        if answer.status != 200:        # JupyterLab's page holds the token that it was asked with
            shown += answer.body.decode(errors="replace")
        found = [token for token in tokens if token in shown]
        assert not found, (answer.status, answer.url, one == good)
    # The last exchange has its line, and each kind of verdict its own.
    hub.gateway.wait_for_log(lambda log: "cannot be asked about a token" in log
                             and log.rstrip().splitlines()[-1].count("/user/alice/api"),
                             "the last exchange has a line")
    said = [(one.get("result"), one.get("reason")) for one in hub.gateway.records()
            if "token_lane" in one.values()]
    assert {("ok", None), ("refused", "session"), ("refused", "unknown")} <= set(said), set(said)
    for line in hub.gateway.log().splitlines():
        assert not [token for token in tokens if token in line], line[:300]


def test_every_line_is_json(gateway):
    for line in gateway.log().splitlines():
        if not line.startswith("listening on "):
            json.loads(line)


def test_a_crash_leaves_no_core(gateway):
    """Sessions and keys are in memory: a core file would hold them."""
    limits = pathlib.Path(f"/proc/{gateway.process.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"], core
