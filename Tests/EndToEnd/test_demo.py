"""`make run JUPYTERHUB=1`, as somebody does who has just cloned this."""
import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time

import pytest

from lab import chromium
from lab.basics import TOP, free_port, need, program, wait_until
from lab.chromium import fill_keycloak_form, open_notebook, run_in_notebook
from lab.visitor import Visitor


class Demonstration:
    """What `make run` starts, in a terminal of its own."""

    def __init__(self, folder, **more):
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.work = TOP / f".demo/jupyterhub-{self.port}"
        folder = folder / f"demo-{self.port}"
        folder.mkdir()
        self.output = folder / "make-run.log"
        self.hub_log = folder / "jupyterhub.log"
        with open(self.output, "wb") as output:
            self.process = self.make(output, **more)

    def make(self, output, **more):
        """`make run` on this port."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        words = [f"{name}={value}" for name, value in more.items()]
        return subprocess.Popen(
            [program("make", "make"), "run", f"PORT={self.port}", "JUPYTERHUB=1", *words], cwd=TOP,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
            # What this test runs in holds config/jupyterhub/requirements.txt too.
            env=kept | {"JUPYTERHUB_VENV": sys.prefix})

    def text(self):
        return self.output.read_text(errors="replace")

    def await_ready(self):
        wait_until(lambda: self.process.poll() is not None or "open https" in self.text(), 200,
                   "`make run` says what to open")
        assert self.process.poll() is None, self.text()[-3000:]
        return self

    def user_url(self, user):
        return f"{self.url}/user/{user}"

    def processes(self):
        """All that runs for it. `make` tells everybody the port; users' servers have a home."""
        marks = f"PORT={self.port}".encode(), f"HOME={self.work}/".encode()
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as environment:
                    if any(one.startswith(marks) for one in environment.read().split(b"\0")):
                        with open(f"/proc/{pid}/cmdline") as line:
                            found[int(pid)] = line.read().replace("\0", " ")
            except OSError:
                pass
        return found

    def press_ctrl_c(self):
        """As a terminal does: everybody in the foreground hears of it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def clean_up(self):
        if (self.work / "jupyterhub.log").exists():
            shutil.copy(self.work / "jupyterhub.log", self.hub_log)
        end = time.monotonic() + 60
        if self.process.poll() is None:
            self.process.terminate()
        while left := self.processes():
            if time.monotonic() > end:
                for one in left:
                    os.kill(one, signal.SIGKILL)
            time.sleep(0.05)
        self.process.wait()
        shutil.rmtree(self.work, ignore_errors=True)


@pytest.fixture
def demonstration(folder):
    made = []

    def start(**more):
        one = Demonstration(folder, **more)
        made.append(one)
        return one.await_ready()
    yield start
    for one in made:
        one.clean_up()


@pytest.fixture
def trusting(folder, browser):
    """A Chromium that believes the certificate of certs/."""
    subprocess.run([str(TOP / "certs/make-certs.sh")], check=True)
    home = folder / "demo-home"
    shutil.rmtree(home, ignore_errors=True)
    launched = chromium.launch(
        browser.browser_type, chromium.trusting_home(home, TOP / "certs/ca.pem"))
    yield launched
    launched.close()


def sign_in(page, user):
    """At the development provider."""
    page.wait_for_selector("#username", timeout=20_000)
    page.fill("#username", user)
    page.fill("#password", f"{user}-pw")
    page.get_by_role("button", name="Sign in").click()


def ask_for_page(demo, host):
    """As a browser that was told another address for this port."""
    context = ssl.create_default_context(cafile=TOP / "certs/ca.pem")
    connection = http.client.HTTPSConnection("localhost", demo.port, context=context, timeout=10)
    try:
        connection.request("GET", "/", headers={
            "Host": host, "Accept": "text/html", "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document"})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def assert_nothing_is_left(demo):
    wait_until(lambda: not demo.processes(), 40, "all of it has ended")
    demo.process.wait(10)


def test_one_command_brings_a_jupyterhub_behind_the_gate(demonstration, trusting):
    demo = demonstration()
    said = demo.text()
    for words in (f"open {demo.url}/", "user alice, password alice-pw",
                  "user bob, password bob-pw", f".demo/jupyterhub-{demo.port}/jupyterhub.log"):
        assert words in said, said

    # Through a forwarded port with another number: a page that says what is wrong, and no sign-in.
    for host, status in ("localhost:1", 421), ("container.test", 421), (demo.url[8:], 302):
        answer, page = ask_for_page(demo, host)
        assert answer.status == status, (host, page)
        assert status == 302 or f"does not know: {host}." in page and "public_urls" in page, page
    assert f"ssh -L {demo.port}:localhost:{demo.port} HOST" in said

    # A second one takes nothing away from the first.
    second = demo.make(subprocess.PIPE)
    answer, _ = second.communicate(timeout=60)
    assert second.returncode != 0
    assert f"port {demo.port} is taken" in answer.decode() and "PORT=" in answer.decode()

    alice = Visitor(trusting, demo, "alice")
    alice.page.goto(demo.url)
    assert alice.page.url.startswith(f"{demo.url}/provider/"), alice.page.url
    sign_in(alice.page, "alice")
    alice.await_lab()
    open_notebook(alice.page)
    run_in_notebook(alice.page, "print(6 * 700)", "4200")
    kernel = alice.socket("/channels")
    assert not kernel.closed
    copied = alice.context.cookies()

    bob = trusting.new_context()
    page = bob.new_page()
    page.goto(f"{demo.url}/hub/home")
    sign_in(page, "bob")
    page.wait_for_url(f"{demo.url}/hub/home")
    refused = page.goto(f"{demo.user_url('alice')}/lab")
    assert (refused.status, refused.url) == (403, f"{demo.user_url('alice')}/lab"), "not by the gate"
    bob.close()

    tab = alice.context.new_page()
    tab.goto(f"{demo.url}/hub/home")
    tab.click("#logout")
    tab.wait_for_url(re.compile(r"/\.gatehouse/logged-out"))
    alice.wait_until(lambda: kernel.closed, 3, "the notebook's kernel is out of reach")
    thief = trusting.new_context()
    thief.add_cookies(copied)
    for page in tab, thief.new_page():
        page.goto(f"{demo.user_url('alice')}/lab")
        assert page.url.startswith(f"{demo.url}/provider/"), page.url
        page.wait_for_selector("#username")
    alice.context.close()
    thief.close()

    servers = [line for line in demo.processes().values() if "ipykernel" in line]
    assert servers, "the kernel goes on after the logout"
    demo.press_ctrl_c()
    assert_nothing_is_left(demo)


def test_keycloak_and_jupyterhub_together(demonstration, trusting):
    need(os.environ.get("KEYCLOAK_LAB") or os.environ.get("KEYCLOAK_HOME"), "no Keycloak")
    demo = demonstration(KEYCLOAK=1)
    context = trusting.new_context()
    page = context.new_page()
    page.goto(f"{demo.url}/hub/home")
    assert "/realms/demo/" in page.url, page.url
    fill_keycloak_form(page, "bob")
    page.wait_for_url(f"{demo.url}/hub/home")
    page.get_by_text("bob", exact=True).first.wait_for()
    assert page.goto(f"{demo.user_url('alice')}/lab").status == 403
    page.goto(f"{demo.url}/hub/home")
    page.click("#logout")
    page.wait_for_url(re.compile(r"/\.gatehouse/logged-out"))
    page.goto(f"{demo.url}/hub/home")
    page.wait_for_selector("#kc-login")
    context.close()
    demo.process.terminate()
    assert_nothing_is_left(demo)
