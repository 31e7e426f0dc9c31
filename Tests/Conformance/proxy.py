"""Starts one of the peers under test and ends it again, by its own process id."""
import json
import os
import pathlib
import re
import signal
import shutil
import subprocess
import tempfile
import time

from basics import TOP, free_port, missing, wait_until
from wire import Connection, request_bytes

TOKEN = "a-token-of-the-tests"
COLOUR = re.compile(r"\x1b\[\d+m")


class Peer:
    """A program that claims to be configurable-http-proxy."""

    def __init__(self, name, title, command, environment):
        self.name, self.title, self.command, self.environment = name, title, command, environment

    @property
    def is_chp(self):
        return self.name.startswith("chp")

    def run(self, *words, environment=None, seconds=10):
        """A start that is meant to end by itself."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="conformance-"))
        try:
            return subprocess.run(
                [*self.command, *words], env=self.environment_of(folder, environment),
                cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=seconds)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def environment_of(self, folder, more):
        made = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder),
                "LANG": "C.UTF-8", **self.environment}
        for name, value in (more or {}).items():
            if value is None:
                made.pop(name, None)
            else:
                made[name] = value
        return made


def version_of(command, environment):
    try:
        return subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20,
                              env={**os.environ, **environment}).stdout.strip()
    except OSError:
        return ""


def find_peer(name):
    if name == "gatehouse":
        program = pathlib.Path(os.environ.get("GATEHOUSE_PROGRAM", TOP / ".build/release/gatehouse"))
        if not program.exists():
            missing(f"{program} is missing: make build")
        return Peer(name, "Gatehouse", [str(program), "proxy"], {})
    if name == "chp53":
        home = os.environ.get("CHP53_HOME")
        command = (["node", f"{home}/node_modules/configurable-http-proxy/bin/configurable-http-proxy"]
                   if home else ["configurable-http-proxy"])
        if not version_of(command, {}).startswith("5."):
            missing("configurable-http-proxy 5.3 is missing: CHP53_HOME=folder with node_modules")
        return Peer(name, "CHP 5.3", command, {})
    # Debian's packages lie where only Debian's own node looks.
    environment = {"NODE_PATH": "/usr/share/nodejs"}
    command = ["/usr/bin/configurable-http-proxy"]
    if not version_of(command, environment).startswith("4."):
        missing("configurable-http-proxy 4.5 is missing (Debian: node-configurable-http-proxy)")
    return Peer(name, "CHP 4.5", command, environment)


class Proxy:
    """A running proxy on free ports of 127.0.0.1, unless the flags name addresses."""

    def __init__(self, peer, *flags, environment=None, tls=None, api_tls=None, ready=True,
                 addresses=True, umask=None, command=None):
        self.peer, self.tls, self.api_tls = peer, tls, api_tls
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="conformance-"))
        self.port = free_port(3)
        self.public = ("127.0.0.1", self.port)
        self.api_address = ("127.0.0.1", self.port + 1)
        self.metrics = ("127.0.0.1", self.port + 2)
        words = [str(one).format(port=self.port, api=self.port + 1, metrics=self.port + 2,
                                 folder=self.folder) for one in flags]
        if addresses:
            words = ["--ip", "127.0.0.1", "--port", str(self.port), "--api-ip", "127.0.0.1",
                     "--api-port", str(self.port + 1), *words]
        made = {"CONFIGPROXY_AUTH_TOKEN": TOKEN, **(environment or {})}
        self.token = made["CONFIGPROXY_AUTH_TOKEN"]
        self.out, self.err = self.folder / "stdout", self.folder / "stderr"
        self.words = words
        self.process = subprocess.Popen(
            [*(command or peer.command), *words], env=peer.environment_of(self.folder, made),
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.out.open("wb"),
            stderr=self.err.open("wb"), start_new_session=True,
            **({"umask": umask} if umask is not None else {}))
        if ready:
            try:
                self.await_listening(self.public)
                self.await_listening(self.api_address)
                # The third port is metrics' or the redirect's; it is bound last.
                if any("{metrics}" in str(one) for one in flags):
                    self.await_listening(self.metrics)
            except BaseException:
                self.stop()
                raise

    def await_listening(self, address, seconds=10):
        """As JupyterHub does it: connect, close, no bytes."""
        def tried():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.words}\n"
                                     f"{self.log()}{self.errors()}")
            try:
                Connection(address).close()
                return True
            except OSError:
                return False
        wait_until(tried, seconds, f"{self.words} listens on {address}\n{self.log()}{self.errors()}")

    # What it says.

    def log(self):
        return COLOUR.sub("", self.out.read_text(errors="replace"))

    def errors(self):
        return self.err.read_text(errors="replace")

    def wait_log(self, pattern, seconds=3):
        found = wait_until(lambda: re.search(pattern, self.log(), re.M), seconds,
                           f"{pattern!r} in\n{self.log()[-3000:]}")
        return found

    # The public side.

    def connect(self, address=None, **options):
        return Connection(address or self.public, tls=self.tls, **options)

    def request(self, method, target, fields=(), body=b"", address=None, timeout=5, **options):
        with self.connect(address) as connection:
            connection.send(request_bytes(method, target, fields, body, **options))
            return connection.answer(method, timeout)

    def get(self, target, fields=(), **options):
        return self.request("GET", target, fields, **options)

    # The API.

    def api_connect(self):
        return Connection(self.api_address, tls=self.api_tls)

    def api(self, method, target, body=None, fields=None, timeout=5):
        if fields is None:
            fields = [("Authorization", f"token {self.token}")] if self.token else []
        if isinstance(body, dict):
            body = json.dumps(body)
        with self.api_connect() as connection:
            connection.send(request_bytes(method, target, fields, body or b""))
            return connection.answer(method, timeout)

    def add(self, path, target, **more):
        """Adds a route; `target` is a URL or a backend."""
        url = target if isinstance(target, str) else target.url
        answer = self.api("POST", "/api/routes" + path, {"target": url, **more})
        assert answer.status == 201, answer
        return path

    def routes(self, query=""):
        answer = self.api("GET", "/api/routes" + query)
        assert answer.status == 200, answer
        return answer.json()

    def activity(self, path):
        return self.routes()[path]["last_activity"]

    def metric(self, name, seconds=0):
        """The value of one sample; 0.0 while it does not stand there."""
        with Connection(self.metrics) as connection:
            connection.send(request_bytes("GET", "/metrics"))
            text = connection.answer().text
        for line in text.splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    # Its end.

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def signal(self, number, seconds=5):
        """Sends a signal to the process and returns its exit code."""
        os.kill(self.process.pid, number)
        return self.process.wait(seconds)

    def stop(self):
        """Ends it; what it started must have ended with it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        left = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    left.append(int(entry.name))
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not left, f"{self.words} left processes behind: {left}"


def start_at(start, port, *words):
    """A proxy on these three ports in a row, as one that was there before had them: what is stored
    belongs to addresses."""
    proxy = start("--ip", "127.0.0.1", "--port", port, "--api-ip", "127.0.0.1", "--api-port", port + 1,
                  "--metrics-ip", "127.0.0.1", "--metrics-port", port + 2, *words,
                  addresses=False, ready=False)
    proxy.public, proxy.api_address, proxy.metrics = [("127.0.0.1", port + one) for one in range(3)]
    proxy.await_listening(proxy.public)
    proxy.await_listening(proxy.api_address)
    proxy.await_listening(proxy.metrics)
    return proxy
