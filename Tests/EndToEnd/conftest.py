"""One Keycloak, one gateway, two JupyterLabs and one Chromium serve all tests of a run."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from lab import chromium
from lab.basics import TOP, free_port, need
from lab.client import Client
from lab.gateway import Gateway
from lab.jupyter import JupyterLab
from lab.keycloak import Keycloak
from lab.upstream import Upstream

# The way itself comes first; what takes Keycloak down comes last.
ORDER = ["test_whole_way", "test_access", "test_sign_in", "test_sign_out", "test_hosts",
         "test_pages", "test_wire", "test_sizes", "test_operation", "test_hub", "test_proxy",
         "test_gated_hub", "test_other_hubs", "test_fronts", "test_recipes", "test_demo", "test_chart",
         "test_docs", "test_providers", "test_logs", "test_pauses", "test_soak", "test_outage"]

ACCESS = [
    {"path": "/pub/**", "methods": ["GET", "HEAD"], "allow": "public"},
    {"path": "/user/*/**", "allow": {"path_user": 2}},
    {"path": "/**", "allow": "signed_in"},
]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.path.stem))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the gateway logged meanwhile, and what the browsers show, stands beside a failure."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed or report.when == "teardown":
        return
    given = getattr(item, "funcargs", {})
    if gateway := given.get("gateway") or given.get("gated_hub"):
        report.sections.append(("the gateway's last lines", gateway.log()[-6000:]))
    try:
        report.sections.append(("the open pages", "\n\n".join(chromium.open_pages())))
    except PlaywrightError as error:
        report.sections.append(("the open pages", f"could not be read: {error}"))


@pytest.fixture(scope="session")
def folder():
    """Everything of a run; kept under .e2e/last for a look afterwards."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-e2e-"))
    yield made
    last = TOP / ".e2e/last"
    shutil.rmtree(last, ignore_errors=True)
    last.mkdir(parents=True)
    for log in made.rglob("*.log"):
        if log.is_file():
            shutil.copy(log, last / (log.parent.name + "-" + log.name))
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def certificates(folder):
    made = folder / "certs"
    subprocess.run([str(TOP / "certs/make-certs.sh"), str(made)], check=True)
    return made


@pytest.fixture(scope="session")
def port():
    return free_port()


@pytest.fixture(scope="session")
def keycloak(folder, port, certificates):
    keycloak = Keycloak(folder / "keycloak", f"https://localhost:{port}", certificates / "ca.pem")
    keycloak.allow_addresses(
        [f"https://app-a.localhost:{port}", f"https://app-b.localhost:{port}"])
    yield keycloak
    keycloak.stop()


@pytest.fixture(scope="session")
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def applications():
    """Two plain applications for the two hosts."""
    both = Upstream("application-a"), Upstream("application-b")
    yield both
    for one in both:
        one.close()


@pytest.fixture(scope="session")
def labs(folder):
    both = {user: JupyterLab(folder / user, user) for user in ("alice", "bob")}
    for lab in both.values():
        lab.await_ready()
    yield both
    for lab in both.values():
        lab.stop()


@pytest.fixture(scope="session")
def gateway(folder, port, certificates, keycloak, labs, upstream, applications):
    gateway = Gateway(
        folder / "gateway", port, certificates,
        routes=[
            {"path": "/user/alice", "upstream": labs["alice"].url},
            {"path": "/user/bob", "upstream": labs["bob"].url},
            {"host": "app-a.localhost", "path": "/", "upstream": applications[0].url},
            {"host": "app-b.localhost", "path": "/", "upstream": applications[1].url},
            {"path": "/", "upstream": upstream.url,
             "identity": {"headers": {"X-Forwarded-User": "preferred_username",
                                      "X-Forwarded-Groups": "groups"}}},
        ],
        access=ACCESS, oidc={"issuer": keycloak.issuer})
    yield gateway
    code = gateway.stop()
    assert code == 0, f"gatehouse ended with {code} on SIGTERM"


@pytest.fixture
def client(gateway):
    return Client(gateway)


@pytest.fixture(scope="session")
def browser(folder, certificates):
    home = chromium.trusting_home(folder / "home", certificates / "ca.pem")
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright.chromium, home)
        yield browser
        browser.close()


@pytest.fixture
def new_context(browser):
    """Makes browsers that know nothing yet; all are closed after the test."""
    made = []

    def make(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        made.append(context)
        return context
    yield make
    for context in made:
        context.close()


@pytest.fixture
def context(new_context):
    return new_context()


@pytest.fixture
def page(context):
    return context.new_page()


@pytest.fixture
def fresh_sessions(keycloak):
    """No session at Keycloak is left of another test."""
    keycloak.end_all()
