"""Section 12: what JupyterHub and the Zero to JupyterHub chart rely on."""
import concurrent.futures
from urllib.parse import quote

import pytest

from backend import Backend, response
from basics import unique
from contract import contract
from wire import Connection, request_bytes


@pytest.fixture(scope="module")
def hub():
    made = Backend(lambda seen: seen.send(response(body="hub " + seen.target)))
    yield made
    made.close()


def chart_words(hub, *more):
    return ["--ip=", "--api-ip=", "--api-port={api}", f"--default-target={hub.url}", f"--error-target={hub.url}/hub/error", *more]


@contract("12", "The chart's arguments: `--ip= --api-ip= --api-port=8001 --default-target=… --error-target=… --port=8000`")
def test_chart_http(proxy_with, hub):
    proxy = proxy_with(*chart_words(hub, "--port={port}"), addresses=False)
    assert proxy.get("/hub/home").text == "hub /hub/home"
    answer = proxy.get(proxy.add("/gone", "http://127.0.0.1:1") + "/x?y")
    assert (answer.status, answer.text) == (503, "hub /hub/error/503?url=" + quote("/gone/x?y", safe=""))


@contract("12", "The chart's arguments with TLS: `--port=8443 --redirect-port=8000 --redirect-to=443 --ssl-key=… --ssl-cert=…`")
def test_chart_https(proxy_with, hub, certificates):
    proxy = proxy_with(*chart_words(hub, "--port={port}", "--redirect-port={metrics}", "--redirect-to=443",
                                    "--ssl-key=" + certificates["server.key"], "--ssl-cert=" + certificates["server.crt"]),
                       addresses=False)
    proxy.tls = certificates.trusting()
    assert proxy.get("/hub/home").text == "hub /hub/home"
    with Connection(proxy.metrics) as connection:
        connection.send(request_bytes("GET", "/hub/home", host="hub.test"))
        answer = connection.answer()
    assert answer.status == 301
    assert answer.get("location") in ("https://hub.test/hub/home", "https://hub.test:443/hub/home")


@contract("12", "The chart's probes: `GET /_chp_healthz` on the public port, from the first second on, in clear or in TLS")
def test_probe(start, hub):
    proxy = start(*chart_words(hub, "--port={port}", "--log-level=debug"), addresses=False)
    answer = proxy.get("/_chp_healthz", [("User-Agent", "kube-probe/1.32")], host=f"10.1.2.3:{proxy.port}", timeout=1)
    assert answer.status == 200


@contract("12", "The chart's `--host-routing` and a flag of extraCommandLineFlags given again")
def test_chart_flags(proxy_with, hub):
    proxy = proxy_with(*chart_words(hub, "--port={port}", "--host-routing", "--log-level=debug", "--log-level=error"), addresses=False)
    assert proxy.get("/hub/home", host="hub.test").text == "hub /hub/home"
    assert "debug:" not in proxy.log()


@contract("12", "JupyterHub's arguments for one machine")
def test_hub_words(start, hub):
    proxy = start("--ip", "", "--port", "{port}", "--api-ip", "127.0.0.1", "--api-port", "{api}", "--error-target", hub.url + "/hub/error",
                  "--log-level", "info", addresses=False)
    proxy.add("/", hub, hub=True, jupyterhub=True)
    assert proxy.get("/hub/").status == 200


@contract("12", "JupyterHub's arguments with internal TLS, all six of the API and the client, and certificates on every way")
def test_internal_tls(start, backends, certificates):
    hub = backends(response(body="hub"), tls=certificates.serving(clients="ca.crt"))
    words = []
    for side, name in (("api", "server"), ("client", "client")):
        words += [f"--{side}-ssl-key", certificates[f"{name}.key"], f"--{side}-ssl-cert", certificates[f"{name}.crt"],
                  f"--{side}-ssl-ca", certificates["ca.crt"], f"--{side}-ssl-request-cert", f"--{side}-ssl-reject-unauthorized"]
    proxy = start("--error-target", hub.url + "/hub/error", *words)
    proxy.api_tls = certificates.trusting("client")
    proxy.add("/", hub, hub=True)
    assert proxy.get("/hub/", host="127.0.0.1").text == "hub"
    proxy.add("/dead", "https://127.0.0.1:1")
    answer = proxy.get("/dead/x", host="127.0.0.1")
    assert (answer.status, answer.text) == (503, "hub")


@contract("12", "JupyterHub's routes: `{\"target\", \"jupyterhub\": true, \"user\", \"server_name\", …}` come back, the target as the same text")
def test_hub_routes(proxy, hub):
    path = unique("/user/")
    target = hub.url + "/"
    proxy.add(path, target, jupyterhub=True, user="alice", server_name="")
    data = proxy.routes()[path]
    assert data["target"] == target
    assert (data["jupyterhub"], data["user"], data["server_name"]) == (True, "alice", "")


@contract("12", "A base URL with a blank, `/@/space%20word/`, works in the API and for requests")
def test_base_url_with_blank(proxy, hub):
    proxy.add("/@/space%20word/user/a", hub, jupyterhub=True)
    assert "/@/space word/user/a" in proxy.routes()
    assert proxy.get("/@/space%20word/user/a/lab").text == "hub /@/space%20word/user/a/lab"
    assert proxy.get("/%40/space%20word/user/a/lab").status == 200
    assert proxy.api("DELETE", "/api/routes/@/space%20word/user/a").status == 204


@contract("12", "The Hub quotes paths of the listing again with the safe characters `@/~`, and finds its route")
@pytest.mark.parametrize("name", ["秀樹", "a b", "ü@x.org", "tilde~", "per%cent", "qu?ery", "ha#sh", "a+b", "semi;colon", "q'uote"])
def test_quoting(proxy, hub, name):
    base = unique()
    target = base + "/" + quote(name, safe="@/~")
    proxy.add(target, hub)
    assert f"{base}/{name}" in proxy.routes()
    assert proxy.get(target + "/x").status == 200
    assert proxy.api("DELETE", "/api/routes" + target).status == 204
    assert f"{base}/{name}" not in proxy.routes()


@contract("12", "Ten writers at once: every 201 is in the table")
def test_concurrency(proxy, hub):
    paths = [unique("/c/u") for _ in range(100)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda path: proxy.add(path, hub, jupyterhub=True), paths))
    routes = proxy.routes()
    assert all(path in routes for path in paths)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        codes = set(pool.map(lambda path: proxy.api("DELETE", "/api/routes" + path).status, paths))
    assert codes == {204}
    assert not any(path in proxy.routes() for path in paths)


@contract("12", "On start it says something on stdout, and with `--redirect-port` and `--default-target` their lines, too")
def test_words_that_others_wait_for(start, hub, certificates):
    proxy = start("--default-target", hub.url, "--redirect-port", "{metrics}", "--ssl-key", certificates["server.key"],
                  "--ssl-cert", certificates["server.crt"])
    proxy.wait_log("Route added /")
    proxy.wait_log("Added HTTP to HTTPS redirection")
