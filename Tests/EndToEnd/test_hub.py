"""A real JupyterHub with its stock proxy behind one static route."""
import json
import os
import re
import secrets
import subprocess
import sys
import time

import pytest

from lab.basics import free_port, program, stop_process, wait_until
from lab.client import Client, LiveSocket
from lab.gateway import Gateway

CONFIGURATION = """
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = ["{command}"]
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = "hub-password"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser", "--allow-root"]
c.Spawner.start_timeout = 60
c.Spawner.http_timeout = 60
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie-secret"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
"""


@pytest.fixture(scope="module")
def hub(folder):
    command = program("configurable-http-proxy", "node-configurable-http-proxy")
    work = folder / "hub"
    work.mkdir()
    proxy = free_port()
    (work / "config.py").write_text(CONFIGURATION.format(
        proxy=proxy, hub=free_port(), api=free_port(), command=command, folder=work,
        python=sys.executable))
    with open(work / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(work / "config.py")], cwd=work,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            # Debian's proxy looks there by itself only when Debian's node runs it.
            env=dict(os.environ, HOME=str(work), NODE_PATH="/usr/share/nodejs",
                     PATH=os.path.dirname(sys.executable) + ":" + os.environ["PATH"]))
    wait_until(lambda: process.poll() is not None
               or b"JupyterHub is now running" in (work / "hub.log").read_bytes(), 60,
               "JupyterHub runs")
    assert process.poll() is None, (work / "hub.log").read_text()[-3000:]
    yield f"http://127.0.0.1:{proxy}"
    stop_process(process, 20)


@pytest.fixture(scope="module")
def hub_gateway(folder, certificates, keycloak, hub):
    port = free_port()
    keycloak.allow_addresses([f"https://localhost:{port}"])
    gateway = Gateway(
        folder / "hub-gateway", port, certificates, hosts=["localhost"],
        routes=[{"path": "/", "upstream": hub}],
        access=[{"path": "/**", "allow": "signed_in"}], oidc={"issuer": keycloak.issuer})
    yield gateway
    assert gateway.stop() == 0


def test_sign_in_spawn_run_a_cell_sign_out(hub_gateway, fresh_sessions):
    client = Client(hub_gateway)
    page = client.sign_in("alice", "/hub/login")
    page = client.submit(page, username="alice", password="hub-password")
    assert page.status == 200, (page.status, page.url)
    client.navigate("/hub/spawn")
    wait_until(lambda: b"jupyter-config-data" in client.navigate("/user/alice/lab").body, 60,
               "her server runs")

    xsrf = client.value("_xsrf", "/user/alice/")
    answer = client.request(
        "POST", "/user/alice/api/kernels",
        {"Content-Type": "application/json", "X-XSRFToken": xsrf,
         "Origin": hub_gateway.url}, '{"name": "python3"}')
    assert answer.status == 201, (answer.status, answer.body[:300])
    kernel = re.search(rb'"id": ?"([^"]+)"', answer.body)[1].decode()
    channels = f"/user/alice/api/kernels/{kernel}/channels"
    assert run_cell(client, channels, "print(6 * 7)") == "42\n"

    live = LiveSocket(client, channels).start()
    copied = client.copy()
    cause = time.monotonic()
    client.sign_out()
    assert live.over.wait(5) and live.ended_at - cause <= 3 and live.how == 1008
    assert copied.get("/user/alice/api").status == 401


def run_cell(client, channels, code):
    with client.web_socket(channels) as socket:
        name = secrets.token_hex(8)
        socket.send(json.dumps({
            "header": {"msg_id": name, "msg_type": "execute_request", "username": "",
                       "session": name, "version": "5.3", "date": "2026-01-01T00:00:00Z"},
            "parent_header": {}, "metadata": {}, "buffers": [], "channel": "shell",
            "content": {"code": code, "silent": False, "store_history": False,
                        "user_expressions": {}, "allow_stdin": False}}))
        while True:
            message = json.loads(socket.recv(timeout=60))
            if message["msg_type"] == "stream":
                return message["content"]["text"]
