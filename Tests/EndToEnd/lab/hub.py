"""A real JupyterHub that starts the proxy it is given, and a person without a screen who works
in it."""
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.parse

from .basics import free_port, processes_below, stop_process, wait_until
from .client import Client

PASSWORD = "hub-password"
# JUPYTERHUB_PYTHON is the Python of another JupyterHub, such as an older one.
PYTHON = os.environ.get("JUPYTERHUB_PYTHON") or sys.executable


def knows_unix_sockets():
    """Whether this JupyterHub can put its proxy on UNIX sockets: 6 and later."""
    version = subprocess.check_output(
        [PYTHON, "-c", "import importlib.metadata as m; print(m.version('jupyterhub'))"], text=True)
    return int(version.partition(".")[0]) >= 6


class Hub:
    """JupyterHub with a password that all share and single-user servers as plain processes.

    `command` is the proxy's command; none leaves JupyterHub's own, found on the PATH. `sockets`
    puts the public side and the routes API on UNIX sockets, `subdomains` gives every user a host,
    `internal_tls` makes JupyterHub speak TLS with everything that it starts, and every `watchdog`
    seconds it looks whether its proxy still runs.
    """

    code = ""           # what else its configuration file says

    def __init__(self, folder, command=None, *, base="/", sockets=False, subdomains=False,
                 internal_tls=False, watchdog=5, environment=None):
        folder.mkdir(parents=True)
        self.folder, self.base, self.subdomains = folder, base, subdomains
        self.token = secrets.token_hex(16)
        self.socket = folder / "public.sock" if sockets else None
        self.api_socket = folder / "api.sock" if sockets else None
        self.port, self.api_port, self.hub_port = free_port(), free_port(), free_port()
        self.url = "http://localhost" if sockets else f"http://localhost:{self.port}"
        scheme = "https" if internal_tls else "http"
        configured = {
            "JupyterHub.bind_url": unix_url(self.socket) + base if sockets
            else f"http://127.0.0.1:{self.port}{base}",
            "JupyterHub.hub_bind_url": f"{scheme}://127.0.0.1:{self.hub_port}",
            "ConfigurableHTTPProxy.api_url": unix_url(self.api_socket) if sockets
            else f"{scheme}://127.0.0.1:{self.api_port}",
            "ConfigurableHTTPProxy.check_running_interval": watchdog,
            "ConfigurableHTTPProxy.pid_file": str(folder / "proxy.pid"),
            "JupyterHub.authenticator_class": "shared-password",
            "SharedPasswordAuthenticator.user_password": PASSWORD,
            "Authenticator.allow_all": True,
            "JupyterHub.spawner_class": "simple",
            "SimpleLocalProcessSpawner.home_dir_template": str(folder / "home/{username}"),
            "Spawner.cmd": [PYTHON, "-m", "jupyterhub.singleuser", "--allow-root"],
            "Spawner.args": ["--LabApp.news_url=None",
                             "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
            "Spawner.start_timeout": 60,
            "Spawner.http_timeout": 60,
            "JupyterHub.db_url": f"sqlite:///{folder}/hub.sqlite",
            "JupyterHub.cookie_secret_file": str(folder / "cookie-secret"),
            "JupyterHub.services": [{"name": "lab", "api_token": self.token}],
            "JupyterHub.load_roles": [{"name": "lab", "services": ["lab"], "scopes": ["proxy"]}],
            "JupyterHub.internal_ssl": internal_tls,
            "JupyterHub.internal_certs_location": str(folder / "internal-tls"),
        }
        if command is not None:
            configured["ConfigurableHTTPProxy.command"] = [str(word) for word in command]
        if subdomains:
            configured["JupyterHub.subdomain_host"] = self.url
        configured |= self.prepare()
        file = folder / "config.py"
        file.write_text("".join(f"c.{name} = {value!r}\n" for name, value in configured.items())
                        + self.code)
        with open(folder / "hub.log", "wb") as log:
            self.process = subprocess.Popen(
                [PYTHON, "-m", "jupyterhub", "-f", str(file)], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=surroundings(folder, environment or {}))
        try:
            wait_until(lambda: self.process.poll() is not None
                       or "JupyterHub is now running" in self.log(), 60, "JupyterHub runs")
            assert self.process.poll() is None, self.log()[-3000:]
        except BaseException:
            self.stop()
            raise

    def prepare(self):
        """What else must be there before JupyterHub starts; settings that replace those above."""
        return {}

    def log(self):
        return (self.folder / "hub.log").read_text(errors="replace")

    def proxy(self):
        """The process id of the proxy, by the file that JupyterHub writes."""
        return int((self.folder / "proxy.pid").read_text())

    def home(self, user):
        return self.folder / "home" / user

    def user_url(self, user):
        """Where this user's server is, without a slash at the end."""
        host = self.url.replace("//", f"//{user}.") if self.subdomains else self.url
        return f"{host}{self.base}user/{user}"

    def routes(self, person):
        """The routes API, as JupyterHub passes it on to who may see it."""
        answer = person.request("GET", f"{self.base}hub/api/proxy",
                                {"Authorization": f"token {self.token}", "Cookie": ""})
        assert answer.status == 200, (answer.status, answer.body[:300])
        return json.loads(answer.body)

    def stop(self):
        """Ends JupyterHub, and says what of its own it left running, which ends too."""
        # It waits for the servers that it ends, each of which ends its kernels first.
        stop_process(self.process, 60)
        end = time.monotonic() + 3
        while (left := processes_below(self.folder)) and time.monotonic() < end:
            time.sleep(0.05)
        names = [command_line(one) for one in left]
        while left:
            for one in left:
                os.kill(one, signal.SIGKILL)
            time.sleep(0.05)
            left = processes_below(self.folder)
        return names


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as line:
            return line.read().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return "ended"


def surroundings(folder, more):
    """Nothing of the developer's Jupyter, and nothing of ours for it."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "IPYTHON", "CONFIGPROXY", "GATEHOUSE", "XDG_"))}
    return {**kept, "HOME": str(folder),
            "PATH": os.path.dirname(PYTHON) + ":" + os.environ["PATH"], **more}


def unix_url(path):
    return "http+unix://" + urllib.parse.quote(str(path), safe="")


class Person(Client):
    """Signs in at a Hub, starts a server, runs cells and types into terminals."""

    def __init__(self, hub, user, front=None):
        super().__init__(front or hub)
        self.hub, self.user = hub, user
        self.server = hub.user_url(user).replace(hub.url, self.gateway.url)

    def copy(self):
        twin = type(self)(self.hub, self.user, self.gateway)
        for host, cookies in self.cookies.items():
            twin.cookies[host] = dict(cookies)
        return twin

    def log_in(self):
        page = self.navigate(f"{self.hub.base}hub/login")
        assert page.status == 200, (page.status, page.url)
        page = self.submit(page, username=self.user, password=PASSWORD)
        assert page.status == 200 and b'name="password"' not in page.body, (page.status, page.url)
        return page

    def spawn(self):
        self.navigate(f"{self.hub.base}hub/spawn")
        wait_until(lambda: b"jupyter-config-data" in self.navigate(f"{self.server}/lab").body, 60,
                   f"{self.user}'s server runs")

    def log_out(self):
        return self.navigate(f"{self.hub.base}hub/logout")

    def post(self, path, body=None):
        """To the person's own server; the answer's JSON."""
        parts = urllib.parse.urlsplit(self.server)
        xsrf = self.value("_xsrf", parts.path + "/", parts.hostname)
        answer = self.request(
            "POST", self.server + path,
            {"Content-Type": "application/json", "X-XSRFToken": xsrf,
             "Origin": f"{parts.scheme}://{parts.netloc}"}, json.dumps(body or {}))
        assert answer.status in (200, 201), (path, answer.status, answer.body[:300])
        return json.loads(answer.body)

    def start_kernel(self):
        """Where its WebSocket is."""
        kernel = self.post("/api/kernels", {"name": "python3"})["id"]
        return f"{self.server}/api/kernels/{kernel}/channels"

    def start_terminal(self):
        return f"{self.server}/terminals/websocket/" + self.post("/api/terminals")["name"]

    def run_cell(self, channels, code):
        with self.web_socket(channels) as socket:
            return run_cell(socket, code)

    def type(self, terminal, line, wanted, seconds=20):
        """Types a line into a terminal; what is wanted must then be read in it."""
        with self.web_socket(terminal) as socket:
            socket.send(json.dumps(["stdin", line + "\r"]))
            return read_terminal(socket, wanted, seconds)

    def work(self):
        """A cell and a terminal, with a server that runs."""
        assert self.run_cell(self.start_kernel(), "print(6 * 7)") == "42\n"
        self.type(self.start_terminal(), "expr 6000 \\* 7", r"\b42000\b")


def execute(name, code):
    """The message by this name that has a kernel run this code."""
    return {
        "header": {"msg_id": name, "msg_type": "execute_request", "username": "",
                   "session": name, "version": "5.3", "date": "2026-01-01T00:00:00Z"},
        "parent_header": {}, "metadata": {}, "buffers": [], "channel": "shell",
        "content": {"code": code, "silent": False, "store_history": False,
                    "user_expressions": {}, "allow_stdin": False}}


def run_cell(socket, code):
    """Over a kernel's WebSocket; what the cell printed, in however many pieces it comes."""
    name, printed = secrets.token_hex(8), ""
    socket.send(json.dumps(execute(name, code)))
    while True:
        message = json.loads(socket.recv(timeout=60))
        if message["parent_header"].get("msg_id") != name:
            continue
        assert message["msg_type"] != "error", message["content"]
        if message["msg_type"] == "stream":
            printed += message["content"]["text"]
        if message["content"].get("execution_state") == "idle":
            return printed


def read_terminal(socket, wanted, seconds):
    end, seen = time.monotonic() + seconds, ""
    while not re.search(wanted, seen):
        kind, *rest = json.loads(socket.recv(timeout=max(0.1, end - time.monotonic())))
        if kind == "stdout":
            seen += rest[0]
    return seen
