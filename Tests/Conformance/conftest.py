"""The peers, the proxies that tests share, and the outcomes that the table is made of."""
import json
import pathlib
import shutil
import tempfile

import pytest

import certificates as made_certificates
from backend import Backend
from contract import PEERS
from proxy import Proxy, find_peer

# By the sections of the contract; what ends or restarts proxies comes last.
ORDER = ["test_api", "test_routing", "test_forwarding", "test_response", "test_websocket",
         "test_errors", "test_activity", "test_metrics", "test_logs", "test_chart",
         "test_defects", "test_tls", "test_command_line", "test_refusals", "test_process",
         "test_serve", "test_state", "test_kill"]


def pytest_addoption(parser):
    parser.addoption("--peer", action="append", choices=[*PEERS, "all"],
                     help="whom to test: gatehouse (default), chp45, chp53, all; may be repeated")
    parser.addoption("--outcomes", metavar="FILE",
                     help="write what was observed as JSON, for scripts/conformance-table")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (
        PEERS.index(item.callspec.params["peer"]) if hasattr(item, "callspec") else 0,
        ORDER.index(item.path.stem)))


def pytest_generate_tests(metafunc):
    if "peer" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--peer") or ["gatehouse"]
        names = PEERS if "all" in chosen else chosen
        metafunc.parametrize("peer", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def peer(request):
    return find_peer(request.param)


@pytest.fixture
def differs(request, peer):
    """What the peer does in place of the sentence; None where it does what the sentence says."""
    return request.node.get_closest_marker("contract").kwargs["differs"].get(peer.name)


@pytest.fixture(scope="module")
def proxy_with(peer):
    """Proxies that the tests of a module share, by their flags."""
    made = {}

    def find(*flags, **options):
        key = (flags, json.dumps(options, sort_keys=True, default=str))
        if key not in made or made[key].process.poll() is not None:
            made[key] = Proxy(peer, *flags, **options)
        return made[key]
    yield find
    for one in made.values():
        one.stop()


@pytest.fixture(scope="module")
def proxy(proxy_with):
    """One with debug lines and metrics, and nothing else out of the ordinary."""
    return proxy_with("--log-level", "debug", "--metrics-ip", "127.0.0.1", "--metrics-port",
                      "{metrics}")


@pytest.fixture
def start(peer):
    """Proxies of one test; all are ended with it."""
    made = []

    def begin(*flags, **options):
        made.append(Proxy(peer, *flags, **options))
        return made[-1]
    yield begin
    for one in reversed(made):
        one.stop()


@pytest.fixture
def backends():
    """Upstreams of one test."""
    made = []

    def begin(*arguments, **options):
        made.append(Backend(*arguments, **options))
        return made[-1]
    yield begin
    for one in made:
        one.close()


@pytest.fixture
def backend(backends):
    return backends()


@pytest.fixture(scope="session")
def certificates():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="conformance-certificates-"))
    made_certificates.make(folder)
    yield made_certificates.Certificates(folder)
    shutil.rmtree(folder, ignore_errors=True)


# The outcomes.

observed = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    proxy = getattr(item, "funcargs", {}).get("proxy")
    if report.when == "call" and report.failed and isinstance(proxy, Proxy):
        report.sections.append(("the proxy's last lines", proxy.log()[-3000:]))
    marker = item.get_closest_marker("contract")
    if marker is None or not hasattr(item, "callspec"):
        return
    peer = item.callspec.params["peer"]
    key = item.nodeid.split("/")[-1].replace(f"[{peer}]", "").replace(f"{peer}-", "")
    entry = observed.setdefault(key, {
        "section": marker.args[0], "sentence": marker.args[1],
        "differs": marker.kwargs["differs"], "why": marker.kwargs["why"], "outcomes": {}})
    before = entry["outcomes"].get(peer)
    if report.failed:
        entry["outcomes"][peer] = "failed"
    elif report.skipped and before != "failed":
        entry["outcomes"][peer] = "skipped"
    elif report.when == "call" and before is None:
        entry["outcomes"][peer] = "passed"


def pytest_sessionfinish(session):
    file = session.config.getoption("--outcomes")
    if not file or not observed:
        return
    pathlib.Path(file).write_text(json.dumps(list(observed.values()), indent=1, ensure_ascii=False))
