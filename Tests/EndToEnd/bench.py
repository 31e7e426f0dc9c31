"""CPU time per forwarded request beside nginx: one loop, one worker, 64 keep-alive connections.

Load comes from wrk, the upstream is another nginx that answers from memory. What counts is the CPU
time of the proxy's process, not the rate: on a small machine the load and the upstream share the
cores. The proxies take turns, and the median of the rounds is printed.
"""
import argparse
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab.basics import (TOP, free_port, resident_kilobytes, stop_process,  # noqa: E402
                        wait_until)
from lab.client import SESSION, Client  # noqa: E402
from lab.gateway import Gateway  # noqa: E402
from lab.keycloak import Keycloak  # noqa: E402
from lab.upstream import Upstream  # noqa: E402

# About what JupyterLab sends with a request.
FIELDS = {
    "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "Accept-Language": "en-US,en;q=0.9",
    "Referer": "https://hub.example.org/user/alice/lab/tree/work/notebook.ipynb",
    "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/140.0.0.0 Safari/537.36",
    "X-XSRFToken": "2|d7a1c0f2|0b6e2c6d7a1c0f2b6e2c6d7a1c0f2b6e|1764000000",
    "Authorization": "token 0123456789abcdef0123456789abcdef0123456789abcdef",
}
HUB_COOKIES = (
    "jupyterhub-session-id=0123456789abcdef0123456789abcdef",
    'jupyterhub-user-alice="2|1:0|10:1764000000|21:jupyterhub-user-alice|80:'
    + "QUJD" * 20 + '|0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"')
COOKIES = "; ".join(
    ("_xsrf=2|d7a1c0f2|0b6e2c6d7a1c0f2b6e2c6d7a1c0f2b6e|1764000000", *HUB_COOKIES))

UPSTREAM = """
worker_processes 1; daemon off; pid {folder}/up.pid; error_log {folder}/up.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; default_type application/json;
    location = /hub/login {{ add_header Set-Cookie 'SESSION-ID; Path=/'; return 200 ''; }}
    location = /user/alice/login {{
      add_header Set-Cookie 'OF-ALICE; Path=/user/alice/'; return 200 ''; }}
    location = /hub/api/user {{ return 200
      '{{"name": "alice", "kind": "user", "token_id": "a1", "session_id": null}}'; }}
    location / {{ return 200 '{body}'; }} }} }}
""".replace("SESSION-ID", HUB_COOKIES[0]).replace("OF-ALICE", HUB_COOKIES[1])
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/n1; proxy_temp_path {folder}/n2; fastcgi_temp_path {folder}/n3;
  uwsgi_temp_path {folder}/n4; scgi_temp_path {folder}/n5;
  map $http_upgrade $wanted {{ default upgrade; '' ''; }}
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{clear}; listen 127.0.0.1:{tls} ssl;
    ssl_certificate {certs}/server.pem; ssl_certificate_key {certs}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    location /socket {{ proxy_pass http://127.0.0.1:{sockets}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $wanted;
      proxy_read_timeout 1h; }}
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Connection ''; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host; }} }} }}
"""


class Nginx:
    def __init__(self, folder, name, text):
        file = folder / f"{name}.conf"
        file.write_text(text)
        self.process = subprocess.Popen(
            [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(file)],
            stdin=subprocess.DEVNULL)
        self.pid = wait_until(self._worker, 5, "nginx's worker")

    def _worker(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            found = children.read().split()
        return int(found[0]) if found else None


def cpu_seconds(pid):
    """Of all its threads, from the scheduler's own nanoseconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def load(pid, url, seconds, fields, *options):
    """(microseconds of CPU time per request, requests a second)."""
    words = [word for name, value in fields.items() for word in ("-H", f"{name}: {value}")]
    before = cpu_seconds(pid)
    done = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}s", *words, url, *options],
                          check=True, capture_output=True, text=True).stdout
    used = cpu_seconds(pid) - before
    requests = int(re.search(r"(\d+) requests in", done)[1])
    assert "Non-2xx" not in done and "Socket errors" not in done, done
    return used * 1e6 / requests, float(re.search(r"Requests/sec:\s*([\d.]+)", done)[1])


def compare(title, rows, seconds, rounds):
    found = {name: [] for name, *_ in rows}
    for name, pid, url, fields in rows:
        load(pid, url, seconds, fields)     # Node.js compiles what it runs often.
    for _ in range(rounds):
        for name, pid, url, fields in rows:
            found[name].append(load(pid, url, seconds, fields))
    print(f"\n| {title} | µs CPU per request | least, most | requests/s |\n|---|---|---|---|")
    for name, values in found.items():
        costs = [cost for cost, _ in values]
        print(f"| {name} | {statistics.median(costs):.2f} | {min(costs):.2f}, {max(costs):.2f} | "
              f"{statistics.median([rate for _, rate in values]):,.0f} |")
    medians = {name: statistics.median([cost for cost, _ in values])
               for name, values in found.items()}
    first = next(iter(medians))
    for name, cost in list(medians.items())[1:]:
        print(f"{name} ÷ {first}: {cost / medians[first]:.3f}")
    return medians


def idle_sockets(name, pid, port, tls, count=1000, fields=""):
    """Growth of the resident size for each idle WebSocket over TLS."""
    held = []
    before = None
    for number in range(count + 50):
        if number == 50:        # What the first ones cost the process once is not counted.
            time.sleep(1)
            before = resident_kilobytes(pid)
        connection = tls.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                     server_hostname="localhost")
        connection.sendall(
            (f"GET /socket HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
             f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nOrigin: https://localhost:{port}"
             f"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n").encode())
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101"), answer[:200]
        held.append(connection)
    time.sleep(2)
    growth = (resident_kilobytes(pid) - before) / count
    for connection in held:
        connection.close()
    print(f"| {name} | {growth:.1f} KiB |")


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=int, default=5)
    words.add_argument("--rounds", type=int, default=5)
    words = words.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    certificates = folder / "certs"
    subprocess.run([str(TOP / "certs/make-certs.sh"), str(certificates)], check=True)
    os.environ["GATEHOUSE_LOOPS"] = "1"
    started, keycloak = [], None
    try:
        up, clear, tls, own_clear, own_tls, own_session, own_hub = (free_port() for _ in range(7))
        sockets = Upstream()
        started.append(Nginx(folder, "up", UPSTREAM.format(
            folder=folder, port=up, body='{"name": "' + "x" * 200 + '"}')).process)
        nginx = Nginx(folder, "nginx", NGINX.format(
            folder=folder, upstream=up, clear=clear, tls=tls, certs=certificates,
            sockets=sockets.port))
        started.append(nginx.process)

        upstream = f"http://127.0.0.1:{up}"

        def gateway(name, port, routes=(), **settings):
            made = Gateway(folder / name, port, certificates, hosts=["localhost"],
                           log={"level": "notice", "access": False, "format": "text"}, loops=1,
                           routes=[*(routes or [{"path": "/", "upstream": upstream}]),
                                   {"path": "/socket", "upstream": sockets.url}], **settings)
            started.append(made.process)
            return made
        public = [{"path": "/**", "allow": "public"}]
        plain = gateway("clear", own_clear, access=public, oidc=None, tls=False)
        over_tls = gateway("tls", own_tls, access=public, oidc=None)

        for size, fields in (("smallest head", {}), ("head of 1 kB", {**FIELDS, "Cookie": COOKIES})):
            compare(f"in clear, {size}", [
                ("nginx", nginx.pid, f"http://127.0.0.1:{clear}/", fields),
                ("gatehouse", plain.process.pid, f"http://localhost:{own_clear}/", fields)],
                words.seconds, words.rounds)
            compare(f"with TLS, {size}", [
                ("nginx", nginx.pid, f"https://127.0.0.1:{tls}/", fields),
                ("gatehouse", over_tls.process.pid, f"https://localhost:{own_tls}/", fields)],
                words.seconds, words.rounds)

        print("\n| idle WebSocket over TLS | growth each |\n|---|---|")
        trusting = over_tls.tls()
        idle_sockets("nginx", nginx.pid, tls, trusting)
        idle_sockets("gatehouse", over_tls.process.pid, own_tls, trusting)

        if os.environ.get("KEYCLOAK_LAB"):
            keycloak = Keycloak(folder / "keycloak", f"https://localhost:{own_session}",
                                certificates / "ca.pem")
            signed_in = [{"path": "/**", "allow": "signed_in"}]
            session = gateway("session", own_session, oidc={"issuer": keycloak.issuer},
                              access=signed_in)
            client = Client(session)
            client.sign_in("alice", "/")
            hub = gateway("hub", own_hub, oidc={"issuer": keycloak.issuer}, access=signed_in, routes=[
                {"path": path, "upstream": upstream, "preset": "jupyterhub"}
                for path in ("/", "/user/alice")])
            keycloak.allow_addresses([f"https://localhost:{own_hub}"])
            person = Client(hub)
            person.sign_in("alice", "/")
            # From now on these are the session's own cookies.
            assert person.get("/hub/login").status == person.get("/user/alice/login").status == 200
            keycloak.stop()
            keycloak = None
            page = "/user/alice/api/kernels"

            def row(name, one, port, fields):
                return name, one.process.pid, f"https://localhost:{port}{page}", fields
            # As long, and a token to nobody.
            no_token = {**FIELDS, "X-Other-Field": FIELDS["Authorization"]}
            del no_token["Authorization"]
            open_row = row("public", over_tls, own_tls, {**no_token, "Cookie": COOKIES})
            gate = row("a live session", session, own_session,
                       {**no_token, "Cookie": f"{COOKIES}; {client.cookie_field()}"})
            cookies = {"Cookie": f"{COOKIES}; {SESSION}={person.cookie()}"}
            pins = row("a live session and pins", hub, own_hub, {**no_token, **cookies})
            token = row("a live session, pins and a token", hub, own_hub, {**FIELDS, **cookies})
            lane = row("an API token", hub, own_hub, FIELDS)
            for title, pair in (("gate", (open_row, gate)), ("pins", (gate, pins)),
                                ("page's token", (pins, token)), ("token lane", (open_row, lane))):
                compare(f"what the {title} adds: TLS, head of 1 kB", pair, words.seconds,
                        words.rounds)
    finally:
        for process in started:
            stop_process(process)
        if keycloak:
            keycloak.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
