"""`gatehouse proxy` beside configurable-http-proxy 4.5 and 5.3, and nginx where it has the same.

One loop, one worker, one Node.js. CPU time from the scheduler comes first, as in bench.py; the
peers take turns. Routes come from wrk with a script over ten connections, as many as JupyterHub
opens. A peer that is missing is left out with a word (5.3 is found by CHP53_HOME).
"""
import argparse
import multiprocessing
import os
import pathlib
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "Soak"))

import soak  # noqa: E402
from bench import (COOKIES, FIELDS, NGINX, UPSTREAM, Nginx, compare, cpu_seconds,  # noqa: E402
                   load)
from lab.basics import TOP, free_port, resident_kilobytes, stop_process  # noqa: E402

TITLES = {"gatehouse": "gatehouse", "chp45": "CHP 4.5", "chp53": "CHP 5.3"}
ROUTES = 100_000

# Words: what to do, token, target, the first and the last number. Says when as many were answered.
ROUTES_SCRIPT = """
local ffi = require("ffi")
ffi.cdef "struct moment { long s, us; }; int gettimeofday(struct moment *, void *);"
local moment = ffi.new("struct moment")
local function now() ffi.C.gettimeofday(moment, nil) return tonumber(moment.s) + tonumber(moment.us) / 1e6 end
local method, at, last, calls, wrong, began, body
function init(words)
  method, at, last = words[1], tonumber(words[4]) - 1, tonumber(words[5])
  calls, wrong = 0, 0
  wrk.headers["Authorization"] = "token " .. words[2]
  if method == "POST" then
    body = '", "server_name": "", "target": "' .. words[3] .. '", "jupyterhub": true}'
  end
end
function request()
  -- The first is wrk's own trial. Each connection asks for the next when it has an answer: with the
  -- ten that are under way, all but ten of those before have been answered. (An answer without a
  -- field, such as our 204, is not shown to response().)
  calls = calls + 1
  if calls == 2 then began = now() end
  if calls > 1 then at = at + 1 end
  if at == last + 10 then
    io.write(string.format("answered in %.3f s, %d wrong\\n", now() - began, wrong))
    io.flush()
    wrk.thread:stop()
  end
  local name = string.format("user-%06d", at)
  return wrk.format(method, "/api/routes/user/" .. name, nil, body and '{"user": "' .. name .. body)
end
function response(status)
  if status >= 300 then wrong = wrong + 1 end
end
"""
# Words: how many users there are. Asks for ten of them, spread over all, at random: their
# connections are kept, so that a table's size is all that differs.
USERS_SCRIPT = """
local count
function init(words) count = tonumber(words[1]) end
function request()
  return wrk.format("GET", string.format("/user/user-%06d/api/status", 1 + math.random(0, 9) * count / 10))
end
"""

UPGRADE = (b"GET /socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SWITCHED = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
FRAME = b"\x81\xb2\0\0\0\0" + b"x" * 50


def echo_server(listener):
    """Answers 101 to whatever comes first and then says what it hears."""
    poll, known = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                known[connection.fileno()] = [connection, False]
                poll.register(connection, select.EPOLLIN)
                continue
            connection, switched = known[number]
            try:
                data = connection.recv(65536)
                if data:
                    connection.sendall(data if switched else SWITCHED)
                    known[number][1] = True
                    continue
            except OSError:
                pass
            poll.unregister(connection)
            del known[number]
            connection.close()


def open_socket(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(UPGRADE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return connection


def echo(pid, port, seconds, count=64):
    """(microseconds of CPU time per round trip, round trips a second)."""
    poll = select.epoll()
    sockets = {}
    for _ in range(count):
        connection = open_socket(port)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    trips, began, before = 0, time.monotonic(), cpu_seconds(pid)
    for connection in sockets.values():
        connection.sendall(FRAME)
    while time.monotonic() < began + seconds:
        for number, _ in poll.poll(1):
            connection = sockets[number]
            data = connection.recv(4096)
            assert data == FRAME, data      # short enough to come in one piece
            trips += 1
            connection.sendall(FRAME)
    used, took = cpu_seconds(pid) - before, time.monotonic() - began
    for connection in sockets.values():
        connection.close()
    return used * 1e6 / trips, trips / took


def idle_socket_kilobytes(pid, port, count=1000):
    held = [open_socket(port) for _ in range(50)]   # What the first ones cost once is not counted.
    time.sleep(1)
    before = resident_kilobytes(pid)
    held += [open_socket(port) for _ in range(count)]
    time.sleep(2)
    growth = (resident_kilobytes(pid) - before) / count
    for connection in held:
        connection.close()
    return growth


def script(folder, name, text):
    file = folder / name
    file.write_text(text)
    return str(file)


def routes(proxy, folder, method, first, last, target=""):
    """Seconds from the first call to the last good answer, over ten connections."""
    words = ["wrk", "-t1", "-c10", "-d600s", "-s", script(folder, "routes.lua", ROUTES_SCRIPT),
             f"http://127.0.0.1:{proxy.api_port}", "--", method, proxy.token, target or "-",
             str(first), str(last)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as made:
        found = None
        for line in made.stdout:
            found = re.match(r"answered in ([\d.]+) s, (\d+) wrong", line)
            if found:
                made.kill()     # wrk would sit out its 600 s.
                break
    assert found and int(found[2]) < 32, found and found[0]    # of those that are not counted
    return float(found[1])


def table(title, columns, rows):
    print(f"\n| {title} | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, values in rows:
        print(f"| {name} | {' | '.join(values)} |")
    sys.stdout.flush()


class Bench:
    def __init__(self, folder, words):
        self.folder, self.seconds, self.rounds = folder, words.seconds, words.rounds
        self.started, self.number = [], 0
        self.peers = []
        for peer in TITLES:
            if soak.available(peer):
                self.peers.append(peer)
            else:
                print(f"{TITLES[peer]} is missing and left out", file=sys.stderr)
        self.certificates = folder / "certs"
        subprocess.run([str(TOP / "certs/make-certs.sh"), str(self.certificates)], check=True)
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.sockets = listener.getsockname()[1]
        self.echo = multiprocessing.Process(target=echo_server, args=[listener], daemon=True)
        self.echo.start()
        self.up, self.clear, self.tls = (free_port() for _ in range(3))
        self.target = f"http://127.0.0.1:{self.up}"
        self.started.append(Nginx(folder, "up", UPSTREAM.format(
            folder=folder, port=self.up, body='{"name": "' + "x" * 200 + '"}')).process)
        self.nginx = Nginx(folder, "nginx", NGINX.format(
            folder=folder, upstream=self.up, clear=self.clear, tls=self.tls,
            certs=self.certificates, sockets=self.sockets))
        self.started.append(self.nginx.process)

    def proxy(self, peer, *flags, tls=False):
        self.number += 1
        if tls:
            flags += ("--ssl-key", str(self.certificates / "server.key"),
                      "--ssl-cert", str(self.certificates / "server.pem"))
        made = soak.Proxy(peer, self.folder / f"{peer}-{self.number}", *flags, tls=tls)
        self.started.append(made.process)
        return made

    def forwarding(self):
        fields = {**FIELDS, "Cookie": COOKIES}
        for title, tls in (("in clear", False), ("with TLS", True)):
            scheme, port = ("https", self.tls) if tls else ("http", self.clear)
            rows, made = [("nginx", self.nginx.pid, f"{scheme}://127.0.0.1:{port}/", fields)], []
            for peer in self.peers:
                proxy = self.proxy(peer, tls=tls)
                made.append(proxy)
                proxy.add("/", self.target)
                rows.append((TITLES[peer], proxy.process.pid,
                             f"{scheme}://127.0.0.1:{proxy.port}/", fields))
            medians = compare(f"forwarding {title}, head of 1 kB", rows, self.seconds, self.rounds)
            if "CHP 5.3" in medians:
                print(f"CHP 5.3 ÷ gatehouse: {medians['CHP 5.3'] / medians['gatehouse']:.1f} "
                      f"(goal: {12 if tls else 13})")
            for proxy in made:
                proxy.stop()

    def web_sockets(self):
        """Echo and what an idle one holds, in clear."""
        rows, made = [("nginx", self.nginx.pid, self.clear)], []
        for peer in self.peers:
            proxy = self.proxy(peer)
            made.append(proxy)
            proxy.add("/socket", f"http://127.0.0.1:{self.sockets}")
            rows.append((TITLES[peer], proxy.process.pid, proxy.port))
        found = {name: [] for name, *_ in rows}
        for name, pid, port in rows:
            echo(pid, port, 1)
        for _ in range(self.rounds):
            for name, pid, port in rows:
                found[name].append(echo(pid, port, self.seconds))
        table("WebSocket echo, 64 at a time", ["µs CPU per round trip", "least, most",
                                               "round trips/s", "KiB per idle socket"], [
            (name, [f"{statistics.median(c for c, _ in found[name]):.2f}",
                    f"{min(found[name])[0]:.2f}, {max(found[name])[0]:.2f}",
                    f"{statistics.median(r for _, r in found[name]):,.0f}",
                    f"{idle_socket_kilobytes(pid, port):.1f}"]) for name, pid, port in rows])
        for proxy in made:
            proxy.stop()

    def api(self, count=5000):
        """Calls a second; every peer keeps what it keeps: Gatehouse a state directory on disk."""
        found = {peer: {"POST": [], "GET": [], "DELETE": []} for peer in self.peers}
        made = {peer: self.proxy(peer) for peer in self.peers}
        for _ in range(self.rounds):
            for peer, proxy in made.items():
                for method, rates in found[peer].items():
                    rates.append(count / routes(proxy, self.folder, method, 1, count, self.target))
        table(f"routes API, {count:,} routes, ten connections: calls/s", ["add", "read", "delete"], [
            (TITLES[peer], [f"{statistics.median(rates):,.0f}" for rates in found[peer].values()])
            for peer in self.peers])
        for proxy in made.values():
            proxy.stop()

    def look_up(self, proxy, count):
        return load(proxy.process.pid, f"http://127.0.0.1:{proxy.port}/", self.seconds, {},
                    "-s", script(self.folder, "users.lua", USERS_SCRIPT), "--", str(count))[0]

    def sizes(self):
        """Requests at 10, 10,000 and 100,000 routes; how long these take to come and what they hold."""
        rows = []
        for peer in self.peers:
            small, large = self.proxy(peer), self.proxy(peer)
            time.sleep(2)
            before = resident_kilobytes(large.process.pid)
            took = routes(large, self.folder, "POST", 1, ROUTES, self.target)
            time.sleep(3)
            grown = resident_kilobytes(large.process.pid) - before
            routes(small, self.folder, "POST", 1, 10, self.target)
            costs = {10: [], 10_000: [], ROUTES: []}
            self.look_up(small, 10)
            self.look_up(large, ROUTES)
            for _ in range(self.rounds):
                costs[10].append(self.look_up(small, 10))
                costs[ROUTES].append(self.look_up(large, ROUTES))
            routes(small, self.folder, "POST", 11, 10_000, self.target)
            for _ in range(self.rounds):
                costs[10_000].append(self.look_up(small, 10_000))
            assert ROUTES <= len(large.routes()) < ROUTES + 32
            small.stop()
            large.stop()
            rows.append((TITLES[peer], [
                f"{before / 1024:.1f}", f"{took:.2f}", f"{grown / 1024:.1f}",
                f"{grown * 1024 / ROUTES:.0f}",
                *(f"{statistics.median(cost):.1f}" for cost in costs.values())]))
        table(f"{ROUTES:,} routes (goal: 6 s, 30 MiB)",
              ["MiB at start", "s to the last 201", "MiB more", "bytes per route",
               "µs CPU per request at 10", "at 10,000", "at 100,000"], rows)

    def end(self):
        for process in self.started:
            stop_process(process)
        self.echo.terminate()
        self.echo.join()


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=int, default=5)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--only", nargs="*", default=["forwarding", "web_sockets", "api", "sizes"])
    words = words.parse_args()
    os.environ["GATEHOUSE_LOOPS"] = "1"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    bench = None
    try:
        bench = Bench(folder, words)
        for part in words.only:
            getattr(bench, part)()
    finally:
        if bench:
            bench.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
