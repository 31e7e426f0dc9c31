"""A real JupyterHub with its stock proxy behind one static route."""
import time

import pytest

from lab.basics import free_port, program
from lab.client import LiveSocket
from lab.gateway import Gateway
from lab.hub import PASSWORD, Hub, Person


@pytest.fixture(scope="module")
def hub(folder):
    command = program("configurable-http-proxy", "node-configurable-http-proxy")
    # Debian's proxy looks there by itself only when Debian's node runs it.
    hub = Hub(folder / "hub", [command], environment={"NODE_PATH": "/usr/share/nodejs"})
    yield hub
    left = hub.stop()
    assert not left, left


@pytest.fixture(scope="module")
def hub_gateway(folder, certificates, keycloak, hub):
    port = free_port()
    keycloak.allow_addresses([f"https://localhost:{port}"])
    gateway = Gateway(
        folder / "hub-gateway", port, certificates, hosts=["localhost"],
        routes=[{"path": "/", "upstream": f"http://127.0.0.1:{hub.port}"}],
        access=[{"path": "/**", "allow": "signed_in"}], oidc={"issuer": keycloak.issuer})
    yield gateway
    assert gateway.stop() == 0


def test_sign_in_spawn_run_a_cell_sign_out(hub, hub_gateway, fresh_sessions):
    alice = Person(hub, "alice", hub_gateway)
    page = alice.sign_in("alice", "/hub/login")
    page = alice.submit(page, username="alice", password=PASSWORD)
    assert page.status == 200, (page.status, page.url)
    alice.spawn()
    channels = alice.start_kernel()
    assert alice.run_cell(channels, "print(6 * 7)") == "42\n"

    live = LiveSocket(alice, channels).start()
    copied = alice.copy()
    cause = time.monotonic()
    alice.sign_out()
    assert live.over.wait(5) and live.ended_at - cause <= 3 and live.how == 1008
    assert copied.get("/user/alice/api").status == 401
