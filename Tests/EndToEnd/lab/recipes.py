"""The files of config/ at work, as they stand but for addresses, paths and the client's name."""
import http.server
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request

from .basics import TOP, free_port, wait_until
from .gated_hub import NOTEBOOK
from .gateway import Gateway, binary
from .hub import Hub

LETSENCRYPT = "/etc/letsencrypt/live/{}/{}.pem"

# What the lab adds to the Hub's file says nothing about sign-in: servers without accounts of this
# machine that tell how far they are and end with it, and one, `slow`, that is never ready.
LAB = """
import asyncio
from jupyterhub.spawner import SimpleLocalProcessSpawner

class Telling(SimpleLocalProcessSpawner):
    async def progress(self):
        for step in range(1, 6):
            yield {"progress": step, "message": f"step {step}"}
            await asyncio.sleep(0.4)

async def never_ready(spawner):
    if spawner.name == "slow":
        await asyncio.sleep(3600)

c.JupyterHub.spawner_class = Telling
c.JupyterHub.cleanup_servers = True
c.Spawner.pre_spawn_hook = never_ready
c.Spawner.args = [*c.Spawner.args, "--LabApp.news_url=None",
                  "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
"""


def recipe(file, here):
    """The text of a file below config/, with what it says of elsewhere replaced, the longest
    first. Of the places of an installation none may be left."""
    text = (TOP / "config" / file).read_text(encoding="utf-8")
    text = re.sub(r"^ *#.*\n", "", text, flags=re.M)
    for written in sorted(here, key=len, reverse=True):
        text = text.replace(written, str(here[written]))
    left = re.findall(r".*(?:example\.org|/etc/|/var/lib/|\b443\b|\[::\]).*", text)
    assert not left, f"{file}: {left}"
    return text


def certificate(host, certificates):
    return {LETSENCRYPT.format(host, "fullchain"): certificates / "server.pem",
            LETSENCRYPT.format(host, "privkey"): certificates / "server.key"}


class RecipeGateway(Gateway):
    """`gatehouse serve` with a text that is there."""

    def __init__(self, folder, url, certificates, text):
        folder.mkdir(parents=True, exist_ok=True)
        self.binary, self.folder, self.url = binary(), folder, url
        self.authority = certificates / "ca.pem"
        self.file = folder / "gatehouse.yaml"
        self.file.write_text(text)
        self.lines = []
        self.start()


class RecipeHub(Hub):
    """JupyterHub as config/jupyterhub has it, with the clients of config/keycloak. It starts
    `gatehouse proxy`, or finds a `gatehouse serve` running for each of `serve` (a file, and what is
    changed in it), and tells its routes to all of them. `front` is where each serves what is in
    front of it."""

    users = "alice", "bob"

    def __init__(self, folder, certificates, keycloak, serve=None):
        self.certificates, self.keycloak, self.serve = certificates, keycloak, serve
        self.gateways, self.front = {}, {}
        self.environment = {"LANG": "C.UTF-8"}
        super().__init__(folder, environment=self.environment)

    def prepare(self):
        self.url, self.redirect_port = f"https://localhost:{self.port}", free_port()
        gate, own = f"gatehouse-{self.port}", f"jupyterhub-{self.port}"
        self.keycloak.add_client("client.json", gate, self.url)
        self.keycloak.add_client("jupyterhub-client.json", own, self.url)
        (self.folder / "bin").mkdir()
        (self.folder / "bin/gatehouse").symlink_to(os.path.realpath(binary()))
        self.environment |= {
            "PATH": f"{self.folder}/bin:{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
            "HUB_URL": self.url, "OIDC_ISSUER": self.keycloak.issuer,
            "OAUTH_CLIENT_ID": own, "OAUTH_CLIENT_SECRET": own + "-secret"}
        for user in self.users:
            self.home(user).mkdir(parents=True)
            (self.home(user) / "deep.ipynb").write_text(json.dumps(NOTEBOOK))
        return self.configure() | {
            "JupyterHub.allow_named_servers": True,
            "JupyterHub.tornado_settings": {"slow_spawn_timeout": 1}}

    def configure(self):
        """The recipe's own files, and what has to run before the Hub does."""
        secret = self.folder / "gatehouse-secret"
        secret.write_text(f"gatehouse-{self.port}-secret")
        secret.chmod(0o600)
        (self.folder / "proxy-token").write_text(self.token)
        if self.serve:
            self.environment["CONFIGPROXY_AUTH_TOKEN"] = self.token
        for file in ("jupyterhub_config.py", "serve.py", "gatehouse.yaml"):
            (self.folder / file).write_text(recipe("jupyterhub/" + file, self.places()))
        file = "serve.py" if self.serve else "jupyterhub_config.py"
        self.code = f"load_subconfig({str(self.folder / file)!r})\n" + LAB
        if self.serve:
            fan = {name: free_port() for name in self.serve}
            for name, (file, changed) in self.serve.items():
                self.start_gateway(name, file, fan[name], changed)
            self.fan = Fan(self.api_port, list(fan.values()))
        return {}

    def places(self):
        """What the recipes say, and what it is here."""
        return {
            "https://sso.example.org/realms/staff": self.keycloak.issuer,
            "https://hub.example.org": self.url,
            "client_id: gatehouse\n": f"client_id: gatehouse-{self.port}\n",
            "/etc/jupyterhub": self.folder, "/var/lib/jupyterhub/gatehouse": self.folder / "state",
            "/etc/gatehouse/origin.pem": self.certificates / "server.pem",
            "/etc/gatehouse/origin.key": self.certificates / "server.key",
            "https://:443": f"https://127.0.0.1:{self.port}",
            '"--redirect-port", "80"': f'"--redirect-port", "{self.redirect_port}"',
            "[::]:443": f"127.0.0.1:{self.port}", "[::]:80": f"127.0.0.1:{self.redirect_port}",
            "127.0.0.1:8001": f"127.0.0.1:{self.api_port}",
            "127.0.0.1:8081": f"127.0.0.1:{self.hub_port}",
            **certificate("hub.example.org", self.certificates)}

    def start_gateway(self, name, file, api_port, changed):
        folder, port = self.folder / f"serve-{api_port}", free_port()
        text = recipe(file, self.places() | {
            "/var/lib/gatehouse": folder / "state", "127.0.0.1:8001": f"127.0.0.1:{api_port}",
            "127.0.0.1:8000": f"127.0.0.1:{port}", "127.0.0.1:443": f"127.0.0.1:{port}"} | changed)
        self.gateways[name] = RecipeGateway(folder, self.url, self.certificates, text)
        self.front[name] = self.port if f"127.0.0.1:{self.port}" in text else port

    def tls(self):
        return Gateway.tls(self)

    @property
    def authority(self):
        return self.certificates / "ca.pem"

    def hub_lines(self, since=0):
        """Of JupyterHub's own log, after so many of its lines."""
        return self.log().splitlines()[since:]

    def hub_mark(self):
        return len(self.hub_lines())

    def seen(self, since, path):
        """The line in which the Hub says who asked for this; it is written after the answer."""
        return wait_until(
            lambda: next((line for line in self.hub_lines(since)
                          if f" {path} " in line and "JupyterHub log" in line), None),
            5, f"the Hub has seen {path}")

    def stop(self):
        left = super().stop()
        for name, gateway in self.gateways.items():
            if gateway.stop() != 0:
                left.append(f"gatehouse {name}: {gateway.process.returncode}")
        if self.gateways:
            self.fan.shutdown()
        return left


class Fan(http.server.ThreadingHTTPServer):
    """A routes API that says everything to several; the first one's word is the answer."""

    def __init__(self, port, others):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
                answers = [ask(other, self.command, self.path, body,
                               self.headers["Authorization"]) for other in others]
                status, text = answers[0]
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def ask(port, method, path, body, authorization):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body,
                                     {"Authorization": authorization}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
