"""A real JupyterHub behind the gate: one password at Keycloak, for the gateway and for the Hub."""
import base64
import json
import re
import ssl
import urllib.parse
import urllib.request

import yaml

from .basics import MEGABYTE, wait_until
from .client import LiveDownload, LiveSocket, LiveUpload
from .gateway import LOG, AccessLog, Gateway, binary, listener, provider
from .hub import Hub, Person

# Every request that a single-user server has answered stands in its home. Bob's own plants a
# cookie of the Hub's, as any user's code can.
SERVER = """
import os
note = open(os.path.expanduser("~/requests.log"), "a", buffering=1)
c.ServerApp.tornado_settings = {"log_function": lambda handler: note.write(
    f"{handler.get_status()} {handler.request.method} {handler.request.uri}\\n")}
"""
PLANT = """
c.ServerApp.tornado_settings["headers"] = {"Set-Cookie": "jupyterhub-hub-login=planted; Path=/hub/"}
"""

NOTEBOOK = {
    "cells": [{"cell_type": "code", "execution_count": None, "id": "first", "metadata": {},
               "outputs": [], "source": []}],
    "metadata": {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python",
                                "name": "python3"}},
    "nbformat": 4, "nbformat_minor": 5}


class GatedHub(Hub, AccessLog):
    """JupyterHub with two clients at Keycloak, one for the gateway and one for itself.

    It starts `gatehouse proxy --config FILE`, or, with `serve`, finds `gatehouse serve` with an
    `api` listener running. Alice and Bob have a notebook, a large file, and a server `slow` that
    is never ready, whose progress stream therefore goes on.
    """

    users = "alice", "bob"
    more = {}           # what else the proxy's configuration file says
    code = """
import asyncio
async def never_ready(spawner):
    if spawner.name == "slow":
        await asyncio.sleep(3600)
c.Spawner.pre_spawn_hook = never_ready
"""

    def __init__(self, folder, certificates, keycloak, access, *, serve=False, **more):
        self.certificates, self.keycloak, self.access = certificates, keycloak, access
        self.gateway = None
        self.serve = serve
        super().__init__(
            folder, [binary(), "proxy", "--exit-with-parent", "--config", folder / "gatehouse.yaml"],
            **more)

    def prepare(self):
        self.url = f"https://localhost:{self.port}"
        gate, own = f"gatehouse-{self.port}", f"jupyterhub-{self.port}"
        self.keycloak.add_client("client.json", gate, self.url)
        self.keycloak.add_client(
            "jupyterhub-client.json", own, self.url + self.base.removesuffix("/"))
        for user in self.users:
            self.furnish(user, self.home(user))
        issuer, authority = self.keycloak.https_issuer, self.keycloak.https_authority
        oidc = {"issuer": issuer, "client_id": gate, "ca_file": authority}
        connect = f"{issuer}/protocol/openid-connect"
        return (self.start_gateway(oidc) if self.serve else self.configure_proxy(oidc)) | {
            "ConfigurableHTTPProxy.auth_token": self.token,
            "JupyterHub.public_url": self.url + self.base,
            "JupyterHub.allow_named_servers": True,
            "JupyterHub.tornado_settings": {"slow_spawn_timeout": 1},
            "JupyterHub.authenticator_class": "generic-oauth",
            "GenericOAuthenticator.client_id": own,
            "GenericOAuthenticator.client_secret": own + "-secret",
            "GenericOAuthenticator.authorize_url": connect + "/auth",
            "GenericOAuthenticator.token_url": connect + "/token",
            "GenericOAuthenticator.userdata_url": connect + "/userinfo",
            "GenericOAuthenticator.oauth_callback_url": f"{self.url}{self.base}hub/oauth_callback",
            "GenericOAuthenticator.username_claim": "preferred_username",
            "GenericOAuthenticator.scope": ["openid"],
            "GenericOAuthenticator.auto_login": True,
            # The authority of Keycloak's certificate, where the system does not know it.
            "GenericOAuthenticator.http_request_kwargs": {"ca_certs": str(authority)},
        }

    def furnish(self, user, home):
        (home / ".jupyter").mkdir(parents=True)
        (home / ".jupyter/jupyter_server_config.py").write_text(
            SERVER + (PLANT if user == "bob" else ""))
        (home / "deep.ipynb").write_text(json.dumps(NOTEBOOK))
        (home / "large.bin").touch()
        with open(home / "large.bin", "r+b") as large:
            large.truncate(4096 * MEGABYTE)

    def configure_proxy(self, oidc):
        (self.folder / "gatehouse.yaml").write_text(yaml.safe_dump({
            "public_urls": [self.url], "state_dir": str(self.folder / "state"),
            "access": self.access, "log": LOG, "oidc": provider(self.folder, oidc), **self.more}))
        return {
            "JupyterHub.bind_url": f"https://127.0.0.1:{self.port}{self.base}",
            "JupyterHub.ssl_cert": str(self.certificates / "server.pem"),
            "JupyterHub.ssl_key": str(self.certificates / "server.key")}

    def start_gateway(self, oidc):
        token = self.folder / "api-token"
        token.write_text(self.token)
        self.gateway = Gateway(
            self.folder / "serve", self.port, self.certificates, hosts=["localhost"], oidc=oidc,
            access=self.access,
            listeners=[listener(self.port, self.certificates),
                       {"address": f"127.0.0.1:{self.api_port}", "role": "api",
                        "token_file": str(token)}],
            routes=[{"path": "/", "upstream": f"http://127.0.0.1:{self.hub_port}",
                     "preset": "jupyterhub"}],
            jupyterhub={"api_url": f"http://127.0.0.1:{self.hub_port}/hub/api"})
        return {"ConfigurableHTTPProxy.should_start": False}

    @property
    def lines(self):
        """What the gateway says. JupyterHub and a proxy that it starts write into one log."""
        return self.gateway.lines if self.gateway else [(None, line) for line in self.hub_lines()]

    def tls(self):
        """What a client believes: the development authority and Keycloak's own."""
        context = ssl.create_default_context(cafile=str(self.certificates / "ca.pem"))
        context.load_verify_locations(self.keycloak.https_authority)
        return context

    def requests(self, user):
        """What this user's server has answered: status, method and target, a line each."""
        file = self.home(user) / "requests.log"
        return file.read_text().splitlines() if file.exists() else []

    def await_request(self, user, end):
        """The line of a request with this end, which is written after the answer."""
        return wait_until(lambda: next((one for one in self.requests(user) if one.endswith(end)),
                                       None), 5, f"{user}'s server has seen {end}")

    def routes(self, person=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.hub_port}{self.base}hub/api/proxy",
                                         headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def seen_by_hub(self, target, count=1):
        """The users whom the Hub saw in its requests for this target; empty for a stranger. It
        writes its line after the answer."""
        form = re.compile(rf"JupyterHub log:\d+\] \d+ [A-Z]+ {re.escape(target)}(?: -> \S+)? \((.*?)@")
        return wait_until(lambda: len(found := form.findall(self.log())) >= count and found, 5,
                          f"the Hub has seen {target}")

    def hub_lines(self, since=0):
        """Of JupyterHub's own log, after so many of its lines."""
        return self.log().splitlines()[since:]

    def hub_mark(self):
        return len(self.hub_lines())

    def stop(self):
        left = super().stop()
        if self.gateway and self.gateway.stop() != 0:
            left.append(f"gatehouse, with {self.gateway.process.returncode}")
        return left


class Guest(Person):
    """A person without a screen who signs in at Keycloak."""

    @classmethod
    def beside(cls, visitor):
        """Another program that has got hold of all cookies of a browser."""
        guest = cls(visitor.hub, visitor.user)
        for cookie in visitor.context.cookies():
            path = cookie["path"].removeprefix("/")
            guest.cookies[cookie["domain"]][cookie["name"] + (path and ";/" + path)] = \
                cookie["value"]
        return guest

    def enter(self):
        """One password, then the Hub's home page."""
        home = f"{self.hub.base}hub/home"
        page = self.sign_in(self.user, home)
        assert (page.status, page.url) == (200, self.hub.url + home), page
        return self

    def ask_hub(self, method, path, body=None):
        """As the Hub's own pages ask its API; the answer's JSON."""
        answer = self.request(
            method, f"{self.hub.base}hub/api{path}",
            {"X-XSRFToken": self.value("_xsrf", f"{self.hub.base}hub/"), "Origin": self.hub.url,
             "Content-Type": "application/json"}, None if body is None else json.dumps(body))
        assert answer.status < 300, (path, answer.status, answer.body[:300])
        return json.loads(answer.body or "null")

    def session_tokens(self):
        """The Hub's tokens that hang on this browser's session: of the page and of the cookie of
        a server that runs. They may be the same."""
        page = self.navigate(f"/user/{self.user}/lab")
        cookie = self.value(f"jupyterhub-user-{self.user}", f"/user/{self.user}/")
        content = base64.b64decode(cookie.split("|")[-2].partition(":")[2]).decode()
        return {re.search(r'"token": "(\w+)"', page.body.decode())[1],
                re.search(r"[0-9A-Za-z]{20,}", content)[0]}

    def everything(self):
        """A kernel's socket, a terminal's, an event stream, a download and an upload, under way."""
        slow = f"/users/{self.user}/servers/slow"
        if "slow" not in self.ask_hub("GET", f"/users/{self.user}")["servers"]:
            self.ask_hub("POST", slow, {})
        base = self.hub.base
        xsrf = urllib.parse.quote(self.value("_xsrf", f"{base}hub/"))
        return [
            LiveSocket(self, self.start_kernel(), "kernel").start(),
            LiveSocket(self, self.start_terminal(), "terminal").start(),
            LiveDownload(self, f"{base}hub/api{slow}/progress?_xsrf={xsrf}").start(),
            LiveDownload(self, f"{base}user/{self.user}/files/large.bin", pause=0.02).start(),
            LiveUpload(self, f"{base}user/{self.user}/api/contents/upload.txt").start(),
        ]
