"""A real JupyterHub that starts our executable as its proxy; real JupyterLab behind it."""
import filecmp
import http.client
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

from lab.basics import MEGABYTE, free_port, has_ended, wait_until
from lab.chromium import open_notebook, run_in_notebook
from lab.client import field
from lab.gateway import binary
from lab.hub import PASSWORD, Hub, Person, knows_unix_sockets, read_terminal, run_cell
from lab.nginx import LOCATION, Nginx
from lab.visitor import Visitor

# What JupyterLab asks about a kernel when its WebSocket broke, again and again.
ASK_ON = """
kernel => {
  const token = decodeURIComponent(document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1]);
  window.asking = setInterval(
    () => fetch(kernel, {headers: {"X-XSRFToken": token}}).catch(() => 0), 25);
}
"""


def command(*flags):
    # A Hub that once had to start its proxy again may do so once more while it stops.
    return [binary(), "proxy", "--exit-with-parent", *flags]


@pytest.fixture(scope="module")
def hub(folder):
    """The Hub of most tests here. Carol's server sends no pings, so her sockets can be silent."""
    hub = Hub(folder / "proxy-hub", command())
    quiet = hub.home("carol") / ".jupyter"
    quiet.mkdir(parents=True)
    (quiet / "jupyter_server_config.py").write_text(
        'c.ServerApp.tornado_settings = {"ws_ping_interval": 0}\n')
    yield hub
    left = hub.stop()
    assert not left, left


@pytest.fixture
def start_hub(folder, request):
    """Starts a Hub for one test; it ends with the test."""
    started = []

    def start(*words, **options):
        hub = Hub(folder / request.node.name, *words, **options)
        started.append(hub)
        assert os.readlink(f"/proc/{hub.proxy()}/exe") == os.path.realpath(binary())
        return hub
    yield start
    for hub in started:
        hub.stop()


def log_in(visitor):
    visitor.page.goto(f"{visitor.hub.url}/hub/login")
    visitor.page.fill("#username_input", visitor.user)
    visitor.page.fill("#password_input", PASSWORD)
    visitor.page.click("#login_submit")


@pytest.fixture(scope="module")
def visitors(browser, hub):
    """Alice and Bob, each with a notebook that has run a cell."""
    both = [Visitor(browser, hub, user) for user in ("alice", "bob")]
    for one in both:
        log_in(one)
    for one in both:
        one.await_lab()
        open_notebook(one.page)
        run_in_notebook(one.page, "print(6 * 7 * 100)", "4200")
    yield both
    for one in both:
        one.context.close()


class Silence:
    """Two of Carol's WebSockets in which nobody says a word."""

    def __init__(self, hub, carol, kernel, terminal):
        self.hub, self.carol, self.kernel, self.terminal = hub, carol, kernel, terminal
        assert run_cell(self.kernel, "print('first')") == "first\n"
        self.begin()

    def begin(self):
        time.sleep(2)       # a kernel says a little more after its cell
        self.since, self.activity = time.monotonic(), self.route_activity()

    def route_activity(self):
        return self.hub.routes(self.carol)["/user/carol/"]["data"]["last_activity"]


@pytest.fixture(scope="module")
def silence(hub):
    carol = Person(hub, "carol")
    carol.log_in()
    carol.spawn()
    with carol.web_socket(carol.start_kernel(), ping_interval=None) as kernel, \
            carol.web_socket(carol.start_terminal(), ping_interval=None) as terminal:
        yield Silence(hub, carol, kernel, terminal)


def test_two_people_run_cells_and_use_terminals(visitors):
    for visitor in visitors:
        visitor.open_terminal()
        visitor.type("expr 6000 \\* 7 | tee answer.txt", "42000")
        assert (visitor.hub.home(visitor.user) / "answer.txt").read_text() == "42000\n"


def test_200_megabytes_up_and_down(folder, visitors):
    alice, page = visitors[0], visitors[0].page
    file = folder / "large.bin"
    with open(file, "wb") as out:
        for number in range(200):
            out.write(number.to_bytes(8, "big") + os.urandom(4096) * 256)
            out.truncate((number + 1) * MEGABYTE)
            out.seek((number + 1) * MEGABYTE)
    with page.expect_file_chooser() as chooser:
        page.locator('[title^="Upload Files"]').first.click()
    chooser.value.set_files(file)
    there = alice.hub.home("alice") / "large.bin"
    page.locator(".jp-Dialog button.jp-mod-accept").click()      # so large a file: yes
    alice.wait_until(lambda: there.exists() and there.stat().st_size == file.stat().st_size, 120,
                     "the upload is complete")
    assert filecmp.cmp(file, there, shallow=False)
    with page.expect_download() as download:
        page.evaluate("""url => { const link = document.createElement("a");
            link.href = url; link.download = ""; link.click(); }""",
                      f"{alice.base}/files/large.bin?download=1")
    assert filecmp.cmp(file, download.value.path(), shallow=False)


def test_behind_nginx_with_tls(folder, certificates, hub):
    nginx = Nginx(folder / "nginx", free_port(), certificates, hub.port)
    try:
        carol = Person(hub, "carol", nginx)
        carol.log_in()
        carol.spawn()
        carol.work()
    finally:
        nginx.stop()


def test_activity_moves_with_a_cell_and_not_without(silence):
    time.sleep(1)
    assert silence.route_activity() == silence.activity
    assert run_cell(silence.kernel, "print('again')") == "again\n"
    assert silence.route_activity() > silence.activity
    silence.begin()


class Hammer:
    """Asks the same question again and again, and keeps every answer."""

    def __init__(self, person, url):
        self.person, self.url, self.answers, self.stopping = person, url, [], False
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()
        wait_until(lambda: self.answers, 20, "the first answer")

    def _ask(self):
        while not self.stopping:
            try:
                answer = self.person.get(self.url)
                self.answers.append((answer.status, field(answer, "Retry-After")))
            except (OSError, http.client.HTTPException):
                self.answers.append(("nobody", None))
            time.sleep(0.005)

    def stop(self):
        self.stopping = True
        self.thread.join(10)
        return self.answers


def kill_proxy(hub, pause=time.sleep):
    """kill -9, and the wait until JupyterHub has a new one and has told it everything."""
    before = hub.log().count("back up and good to go")
    os.kill(hub.proxy(), signal.SIGKILL)
    wait_until(lambda: pause(0.05) or hub.log().count("back up and good to go") > before, 20,
               "JupyterHub has started its proxy again")


def check_answers_around_a_kill(hub, person):
    """A server that lives is never said to be gone."""
    hammer = Hammer(person, f"{person.server}/api/kernels")
    kill_proxy(hub)
    time.sleep(0.5)
    answers = hammer.stop()
    assert answers[0][0] == answers[-1][0] == 200, answers
    assert "nobody" in [status for status, _ in answers], "the proxy was never away"
    check_answers(answers)


def check_answers(answers):
    assert not [one for one, _ in answers if one != "nobody" and one >= 400 and one != 503], answers
    assert {after for status, after in answers if status == 503} <= {"2"}, answers


def test_host_routing(start_hub):
    hub = start_hub(command(), subdomains=True, watchdog=1)
    dora = Person(hub, "dora")
    dora.log_in()
    dora.spawn()
    dora.work()
    assert dora.server.startswith(f"http://dora.localhost:{hub.port}/")
    check_answers_around_a_kill(hub, dora)


def test_base_url_with_a_space_and_a_link_as_command(folder, start_hub):
    # JupyterHub's own default: what is called configurable-http-proxy on the PATH.
    links = folder / "links"
    links.mkdir()
    (links / "configurable-http-proxy").symlink_to(os.path.realpath(binary()))
    hub = start_hub(base="/@/space%20word/", watchdog=1, environment={
        "PATH": f"{links}:{os.environ['PATH']}", "GATEHOUSE_CONFIG_YAML": "state_dir: none"})
    dora = Person(hub, "dora")
    dora.log_in()
    dora.spawn()
    dora.work()
    check_answers_around_a_kill(hub, dora)


@pytest.mark.skipif(not knows_unix_sockets(), reason="JupyterHub 5 has no UNIX sockets")
def test_unix_sockets(start_hub):
    hub = start_hub(command(), sockets=True)
    dora = Person(hub, "dora")
    dora.log_in()
    dora.spawn()
    dora.work()


def test_internal_tls(start_hub):
    hub = start_hub(command(), internal_tls=True)
    dora = Person(hub, "dora")
    dora.log_in()
    dora.spawn()
    dora.work()


class Distant(Person):
    """Comes from an address of their own."""

    address = "127.0.0.9"

    def dial(self, port, timeout=30):
        return socket.create_connection(("127.0.0.1", port), timeout, (self.address, 0))


def test_an_nginx_that_is_trusted_says_who_asks(certificates, start_hub):
    """Also where it passes on what clients say about themselves; without the two flags the Hub
    would believe that, as with configurable-http-proxy."""
    hub = start_hub(command("--front", "nginx", "--trusted", "127.0.0.1"))
    forged = {"X-Real-IP": "203.0.113.66", "X-Forwarded-For": "203.0.113.67",
              "Forwarded": "for=203.0.113.68"}
    own = "proxy_set_header X-Real-IP $remote_addr;"
    assert own in LOCATION
    nginx = Nginx(hub.folder / "nginx", free_port(), certificates, hub.port,
                  LOCATION.replace(own, ""))
    try:
        dora = Distant(hub, "dora", nginx)
        dora.log_in()
        assert dora.get("/hub/home?past=nginx", forged).status == 200
        dora.address = "127.0.0.2"      # whom nobody trusts, straight to the proxy
        assert dora.get(f"{hub.url}/hub/home?straight", forged).status == 200
    finally:
        nginx.stop()
    for target, address in ("/hub/home?past=nginx", "127.0.0.9"), ("/hub/home?straight", "127.0.0.2"):
        wait_until(lambda: f"GET {target} (dora@{address})" in hub.log(), 5, f"{address} in the log")
    assert "203.0.113." not in hub.log()


def test_a_hub_that_stops_takes_its_proxy_along(start_hub):
    # JupyterHub itself removes the two sockets that it knows; the third is the proxy's to remove.
    sockets = knows_unix_sockets()
    hub = start_hub(command("--metrics-socket", "metrics.sock"), sockets=sockets)
    assert len(list(hub.folder.glob("*.sock"))) == (3 if sockets else 1)
    proxy = hub.proxy()
    with Person(hub, "dora").dial(hub.port) as running:
        running.sendall(b"POST /hub/login HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: 1000\r\n\r\nusername=")
        time.sleep(0.2)
        hub.process.send_signal(signal.SIGTERM)
        wait_until(lambda: f"Cleaning up proxy[{proxy}]" in hub.log(), 20, "JupyterHub ends it")
        began = time.monotonic()
        wait_until(lambda: has_ended(proxy), 5, "the proxy has ended")
        assert time.monotonic() - began <= 0.5
    assert hub.process.wait(20) == 0
    left = hub.stop()
    assert not left, left
    assert not list(hub.folder.glob("*.sock"))


def test_a_hub_that_is_killed_takes_its_proxy_along_if_asked(start_hub):
    hub = start_hub(command())
    proxy = hub.proxy()
    hub.process.send_signal(signal.SIGKILL)
    wait_until(lambda: has_ended(proxy), 2, "the proxy has ended")
    for port in (hub.port, hub.api_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_silent_sockets_live_beyond_a_minute(visitors, silence):
    opened = [one for one in (visitors[0].socket("/channels"), visitors[1].socket("/channels"),
                              visitors[0].socket("/terminals/"), visitors[1].socket("/terminals/"))
              if one]
    time.sleep(max(0, silence.since + 65 - time.monotonic()))
    assert silence.route_activity() == silence.activity, "somebody said a word"
    assert run_cell(silence.kernel, "print('still here')") == "still here\n"
    silence.terminal.send(json.dumps(["stdin", "expr 6000 \\* 7\r"]))
    read_terminal(silence.terminal, r"\b42000\b", 10)
    visitors[0].page.wait_for_timeout(50)
    assert len(opened) >= 2 and not any(one.closed for one in opened)


def test_a_killed_proxy_is_no_dead_kernel(visitors, hub):
    alice, page = visitors[0], visitors[0].page
    page.locator(".lm-TabBar-tab", has_text="Untitled.ipynb").first.click()
    run_in_notebook(page, "kept = 900 + 1; print(kept)", "901")
    kernel = alice.socket("/channels")
    mark = len(alice.answers)
    page.evaluate(ASK_ON, kernel.url.replace("ws://", "http://").partition("/channels")[0])
    alice.wait_until(lambda: len(alice.answers) > mark + 5, 20, "answers before")
    mark = len(alice.answers)
    for visitor in visitors:
        visitor.page.evaluate("window.words = ''")
    kill_proxy(hub, lambda _: page.wait_for_timeout(50))
    page.wait_for_timeout(1000)
    page.evaluate("clearInterval(window.asking)")
    assert kernel.closed

    # JupyterLab says that the server cannot be reached, which was so.
    if page.locator(".jp-Dialog").count():
        page.locator(".jp-Dialog button.jp-mod-reject").first.click()
    run_in_notebook(page, "print(kept * 3)", "2703")
    answers = [(status, after) for url, status, after in alice.answers[mark:]
               if url.startswith(alice.base + "/")]
    assert len(answers) > 5
    check_answers(answers)
    for visitor in visitors:
        said = visitor.page.evaluate("window.words")
        assert not (found := re.findall(r".*\b(?:died|dead)\b.*", said, re.I)), found


def test_who_comes_before_the_hub_has_told_its_routes_waits_and_gets_on(visitors, hub):
    page = visitors[0].context.new_page()
    for _ in range(5):      # a slow machine may come after them
        kill_proxy(hub, lambda _: page.wait_for_timeout(50))
        answer = page.goto(f"{hub.url}/user/alice-the-second/lab")
        if answer.status == 503:
            break
    assert answer.status == 503 and "This site is starting" in answer.text()
    page.wait_for_url(f"{hub.url}/hub/user/alice-the-second/lab", timeout=20_000)
    page.close()


def test_log_out(visitors):
    for visitor in visitors:
        visitor.page.goto(f"{visitor.hub.url}/hub/logout")
        visitor.page.wait_for_url("**/hub/login**")
        visitor.page.goto(f"{visitor.base}/lab")
        assert "/hub/login" in visitor.page.url
        visitor.page.wait_for_selector("#username_input")
