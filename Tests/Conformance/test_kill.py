"""Every route that was answered for is there after a kill -9, whenever it comes, and none by half.

The originals forget their routes with the process, so that this is about Gatehouse alone.
"""
import json
import os
import random
import threading
import time

import pytest

from backend import Backend, response
from basics import free_port
from proxy import start_at
from wire import Closed, request_bytes

# For a long run; GATEHOUSE_KILL_SEED repeats one.
ROUNDS = int(os.environ.get("GATEHOUSE_KILL_ROUNDS") or 10)
SEED = int(os.environ.get("GATEHOUSE_KILL_SEED") or random.randrange(1_000_000))
# JupyterHub writes so many routes at once.
WRITERS = 10
ROUTES_OF_EACH = 5


class Layout:
    """Where the routes of users are."""

    def __init__(self, name, words=(), base="/", hosts=False):
        self.name, self.words, self.base, self.hosts = name, words, base, hosts

    def key(self, user):
        """As the listing has it."""
        host = f"/{user}.hub.test" if self.hosts else ""
        return f"{host}{self.base}user/{user}"

    def ask(self, proxy, user):
        path = f"{self.base}user/{user}/lab".replace(" ", "%20")
        return proxy.get(path, host=f"{user}.hub.test" if self.hosts else "localhost")


LAYOUTS = [
    Layout("plain"),
    Layout("base URL", ["--error-target", "http://127.0.0.1:1/@/space%20word/hub/error"],
           base="/@/space word/"),
    Layout("hosts", ["--host-routing"], hosts=True),
]


class Writer:
    """Adds, changes and removes its own routes as fast as it can, and keeps what was answered."""

    def __init__(self, number, layout, target):
        self.users = [f"w{number}-{one}" for one in range(ROUTES_OF_EACH)]
        self.layout, self.target = layout, target
        self.known = dict.fromkeys(self.users)      # what each route is; None: there is none
        self.asked = None                           # without an answer so far
        self.answered = 0
        self.mistake = None
        self.random = random.Random(f"{SEED} {number}")

    def run(self, proxy):
        try:
            with proxy.api_connect() as connection:
                while True:
                    self.write(proxy, connection)
        except (Closed, OSError):
            pass
        except Exception as error:      # pylint: disable=broad-except
            self.mistake = error

    def write(self, proxy, connection):
        user, number = self.random.choice(self.users), self.random.randrange(10**9)
        route = None
        if self.random.random() < 0.7:
            route = {"target": f"{self.target}/{number}", "jupyterhub": True, "user": user,
                     "filling": "x" * self.random.choice([0, 10, 3000])}
            if self.layout.hosts:
                route["host"] = f"{user}.hub.test"
        self.asked = user, route
        connection.send(request_bytes(
            "POST" if route else "DELETE",
            "/api/routes" + self.layout.key(user).replace(" ", "%20"),
            [("Authorization", f"token {proxy.token}")], json.dumps(route) if route else b""))
        status = connection.answer().status
        assert status in ([201] if route else [204, 404]), status
        self.known[user], self.asked = route, None
        self.answered += 1

    def check_reachable(self, proxy):
        """Before the Hub has said a word."""
        for user, route in self.known.items():
            if self.asked and self.asked[0] == user:
                continue
            answer = self.layout.ask(proxy, user)
            if route:
                number = route["target"].rpartition("/")[2]
                assert (answer.status, answer.text.split("/")[1]) == (200, number), (user, answer)
            else:
                assert answer.status == 503, (user, answer)

    def check(self, table):
        for user in self.users:
            found = table.pop(self.layout.key(user), None)
            if found:
                del found["last_activity"]
            allowed = [self.known[user]]
            if self.asked and self.asked[0] == user:
                allowed.append(self.asked[1])
            assert found in allowed, (user, found, allowed)
            self.known[user] = found
        self.asked = None


@pytest.mark.timeout(60 + 2 * ROUNDS)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_kill(peer, start, backends, tmp_path, layout):
    if peer.is_chp:
        pytest.skip("its routes end with it")
    print(f"GATEHOUSE_KILL_SEED={SEED}")
    target = backends(lambda seen: seen.send(response(body=seen.target))).url
    port, clock = free_port(3), random.Random(SEED)
    writers = [Writer(number, layout, target) for number in range(WRITERS)]

    def begin():
        return start_at(start, port, "--state-dir", tmp_path / "state", *layout.words)

    for _ in range(ROUNDS):
        proxy = begin()
        threads = [threading.Thread(target=one.run, args=[proxy]) for one in writers]
        for one in threads:
            one.start()
        time.sleep(clock.uniform(0, 0.15))
        proxy.process.kill()
        proxy.process.wait()
        for one in threads:
            one.join(10)
        assert not [one.mistake for one in writers if one.mistake]
        proxy = begin()
        for one in writers:
            one.check_reachable(proxy)
        table = proxy.routes()
        for one in writers:
            one.check(table)
        assert not table, "nobody has made these"
        assert "damaged" not in proxy.log() + proxy.errors()
        # Every other time the next one finds the log as the killed one left it.
        proxy.process.kill() if clock.random() < 0.5 else proxy.process.terminate()
        proxy.process.wait()
    answered = sum(one.answered for one in writers)
    print(f"{ROUNDS} kills, {answered} answers")
    assert answered > ROUNDS * 5, "too few answers say nothing"
