"""What is in config/ for people to take, used as it stands but for addresses, paths and names."""
import re
import subprocess
import time
import types

import pytest
import yaml

from lab.basics import TOP, free_port, stop_process, wait_until
from lab.client import NAVIGATION, Client, LiveSocket, field
from lab.ends import LIMIT
from lab.fronts import Fronted
from lab.gated_hub import Guest
from lab.nginx import Nginx
from lab.recipes import LAB, LETSENCRYPT, RecipeGateway, RecipeHub, certificate, recipe
from test_chart import TOKEN, USER, Container, image, status_of  # noqa: F401 a fixture


@pytest.fixture
def start_hub(folder, certificates, keycloak, request):
    """Starts a Hub of a kind for one test; it ends with the test."""
    started = []

    def start(kind, *words):
        keycloak.end_all()
        name = re.sub(r"\W+", "-", request.node.name)
        started.append(kind(folder / name, certificates, keycloak, *words))
        return started[-1]
    yield start
    for hub in started:
        left = hub.stop()
        assert not left, left


def check_way(hub, alice, bob):
    """In, one cell, one terminal, nobody at somebody else's server, out."""
    alice.enter()
    alice.spawn()
    alice.work()
    assert bob.enter().get("/user/alice/api/contents?bob").status == 403
    assert alice.get("/user/alice/api/contents?alice").status == 200
    wait_until(lambda: "/api/contents?alice" in hub.log(), 5, "the line of her server")
    assert "/api/contents?bob" not in hub.log()
    copied = alice.copy()
    live = LiveSocket(copied, alice.start_kernel()).start()
    began = time.monotonic()
    last = alice.navigate("/hub/logout", fields={"Sec-Fetch-Site": "same-origin"})
    assert last.url.startswith(f"{hub.url}/.gatehouse/logged-out"), last
    assert live.over.wait(5) and live.ended_at - began <= LIMIT and live.how == 1008
    assert copied.get("/hub/home").status == copied.get("/user/alice/api").status == 401
    assert bob.get("/hub/home").status == 200


# One machine.

def test_jupyterhub_on_one_machine(start_hub):
    hub = start_hub(RecipeHub)
    check_way(hub, Guest(hub, "alice"), Guest(hub, "bob"))
    assert "--HubOAuth.cache_max_age=30" in hub.log()
    redirected = Client(types.SimpleNamespace(url=f"http://localhost:{hub.redirect_port}"))
    answer = redirected.request("GET", "/hub/home", NAVIGATION | {"Host": f"localhost:{hub.port}"})
    assert (answer.status, field(answer, "Location")) == (307, f"{hub.url}/hub/home")


class BehindNginx(RecipeHub):
    """The same with the changes of docs/nginx.md, behind its nginx."""

    def places(self):
        return super().places() | {
            'c.JupyterHub.ssl_cert = "' + LETSENCRYPT.format("hub.example.org", "fullchain") + '"': "",
            'c.JupyterHub.ssl_key = "' + LETSENCRYPT.format("hub.example.org", "privkey") + '"': "",
            "https://:443": f"http://127.0.0.1:{self.inner}",
            '"--redirect-port", "80"': '"--front", "nginx", "--trusted", "127.0.0.1"'}

    def configure(self):
        self.inner = free_port()
        self.nginx = nginx(self, self.inner)
        return super().configure()

    def stop(self):
        left = super().stop()
        self.nginx.stop()
        return left


def nginx(hub, upstream):
    """hub.conf at the public address."""
    return Nginx(hub.folder / "nginx", hub.port, hub.certificates, upstream, site=recipe(
        "nginx/hub.conf", {
            **certificate("hub.example.org", hub.certificates), "hub.example.org": "localhost",
            "listen 443": f"listen 127.0.0.1:{hub.port}",
            "listen 80": f"listen 127.0.0.1:{hub.redirect_port}",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}"}))


def test_a_gateway_that_the_hub_starts_behind_nginx(start_hub):
    hub = start_hub(BehindNginx)
    check_way(hub, Fronted(hub, "alice", hub.port), Fronted(hub, "bob", hub.port))
    assert "(alice@127.0.0.9)" in hub.log()


# Zero to JupyterHub.

class ChartHub(RecipeHub):
    """The values of config/kubernetes: the proxy's words and environment in a container as the
    chart makes it, an nginx with TLS before it as the ingress, and the Hub's own settings."""

    def __init__(self, folder, certificates, keycloak, image):      # noqa: F811
        self.image = image
        super().__init__(folder, certificates, keycloak)

    def configure(self):
        text = (TOP / "config/kubernetes/values.yaml").read_text()
        for written, here in {
                "https://sso.example.org/realms/staff": self.keycloak.issuer,
                "https://hub.example.org": self.url, "10.0.0.0/8": "127.0.0.1/32",
                "client_id: gatehouse}": f"client_id: gatehouse-{self.port}}}",
                "client_id: jupyterhub\n": f"client_id: jupyterhub-{self.port}\n"}.items():
            assert written in text, written
            text = text.replace(written, here)
        values = yaml.safe_load(text)
        chp = values["proxy"]["chp"]
        secrets = {"gateway": f"gatehouse-{self.port}-secret",
                   "jupyterhub": f"jupyterhub-{self.port}-secret", "keys": made_keys()}
        own = types.SimpleNamespace(port=self.hub_port)
        self.container = Container(
            self.image, own, chp["extraCommandLineFlags"],
            environment=environment(chp["extraEnv"], secrets))
        self.container.await_ready()
        self.environment |= environment(values["hub"]["extraEnv"], secrets)
        for name in ("OAUTH_CLIENT_ID", "HUB_URL", "OIDC_ISSUER"):
            del self.environment[name]
        self.code = "".join(
            f"c.{section}.{name} = {value!r}\n" for section, settings in
            values["hub"]["config"].items() for name, value in settings.items()) + LAB
        self.ingress = nginx(self, self.container.port)
        return {"ConfigurableHTTPProxy.should_start": False,
                "ConfigurableHTTPProxy.api_url": f"http://127.0.0.1:{self.container.api_port}",
                "ConfigurableHTTPProxy.auth_token": TOKEN}

    def stop(self):
        left = super().stop()
        stop_process(self.container.process)
        self.ingress.stop()
        return left


def environment(variables, secrets):
    """As a pod gets it, with what a Secret of these keys has."""
    return {name: secrets[value["valueFrom"]["secretKeyRef"]["key"]]
            if isinstance(value, dict) else value for name, value in variables.items()}


def made_keys():
    """By the commands of the page."""
    block = re.search(r"^( *for name in index.*?)>keys$",
                      (TOP / "docs/zero-to-jupyterhub.md").read_text(), re.M | re.S)[1]
    return subprocess.run(["sh", "-c", block], check=True, capture_output=True, text=True).stdout


def test_zero_to_jupyterhub(start_hub, image):      # noqa: F811
    hub = start_hub(ChartHub, image)
    assert status_of(hub.container.process)["Uid"] == [str(USER)] * 4
    assert "the keys end with this process" not in hub.container.log()
    check_way(hub, Fronted(hub, "alice", hub.port), Fronted(hub, "bob", hub.port))
    assert "(alice@127.0.0.9)" in hub.log()
    assert "(alice@127.0.0.1)" not in re.sub(r".*/hub/api/.*", "", hub.log())


# Two applications on two hosts.

@pytest.fixture
def two_hosts(folder, certificates, keycloak, applications):
    keycloak.end_all()
    port = free_port()
    wiki, grafana = (f"https://app-{one}.localhost:{port}" for one in "ab")
    name = f"gatehouse-{port}"
    keycloak.add_client("two-hosts-client.json", name, wiki, wiki=wiki, grafana=grafana)
    home = folder / "two-hosts"
    home.mkdir()
    (home / "client-secret").write_text(name + "-secret")
    gateway = RecipeGateway(home, wiki, certificates, recipe("two-hosts/gatehouse.yaml", {
        **certificate("wiki.example.org", certificates),
        **certificate("grafana.example.org", certificates),
        "https://wiki.example.org": wiki, "https://grafana.example.org": grafana,
        "wiki.example.org": "app-a.localhost", "grafana.example.org": "app-b.localhost",
        "https://sso.example.org/realms/staff": keycloak.issuer,
        "client_id: gatehouse\n": f"client_id: {name}\n",
        "/etc/gatehouse": home, "/var/lib/gatehouse": home / "state",
        "[::]:443": f"127.0.0.1:{port}", "[::]:80": f"127.0.0.1:{free_port()}",
        "127.0.0.1:3001": f"127.0.0.1:{applications[0].port}",
        "127.0.0.1:3000": f"127.0.0.1:{applications[1].port}"}))
    gateway.urls = wiki, grafana
    yield gateway
    assert gateway.stop() == 0


def test_two_applications_on_two_hosts(two_hosts, applications):
    wiki, grafana = two_hosts.urls
    carol, bob = Client(two_hosts), Client(two_hosts)
    assert b"application-a" in carol.sign_in("carol", wiki + "/page").body
    page = carol.navigate(grafana + "/page?carol")
    assert page.status == 200 and b"application-b" in page.body, "no second password"
    seen = {name.lower(): value for name, value in applications[1].last("/page?carol").fields}
    assert seen["x-webauth-user"] == "carol"
    bob.sign_in("bob", wiki + "/page")
    assert bob.navigate(grafana + "/page?bob").status == 403, "he is in no group /admins"
    assert not [one for one in applications[1].targets() if "?bob" in one]
    live = LiveSocket(carol, grafana + "/socket").start()
    began = time.monotonic()
    carol.sign_out(wiki)
    assert live.over.wait(5) and live.ended_at - began <= LIMIT
    assert carol.get(grafana + "/page").status == carol.get(wiki + "/page").status == 401
    assert bob.get(wiki + "/page").status == 200


def test_cloudflared_is_told_the_gateway_s_own_listener():
    """The file itself no test runs."""
    rules = yaml.safe_load((TOP / "config/cloudflare-tunnel/config.yml").read_text())["ingress"]
    ours = yaml.safe_load((TOP / "config/cloudflare-tunnel/gatehouse.yaml").read_text())
    assert [f"https://{rules[0]['hostname']}"] == ours["public_urls"]
    assert rules[0]["service"] == "https://localhost:443" and "hostname" not in rules[-1]
    assert ours["listeners"][0]["address"] == "127.0.0.1:443" and ours["listeners"][0]["tls"]
