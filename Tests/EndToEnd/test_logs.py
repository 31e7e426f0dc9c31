"""Nothing secret in any log line of the whole run, at the highest level."""
import json
import pathlib
import re

from lab.client import Client


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


def test_every_line_is_json(gateway):
    for line in gateway.log().splitlines():
        if not line.startswith("listening on "):
            json.loads(line)


def test_a_crash_leaves_no_core(gateway):
    """Sessions and keys are in memory: a core file would hold them."""
    limits = pathlib.Path(f"/proc/{gateway.process.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"], core
