"""A single-user JupyterLab, as JupyterHub or a person would start it, and a tap before it."""
import os
import selectors
import socket
import subprocess
import sys
import threading
import urllib.request

from .basics import free_port, stop_process, wait_until


class JupyterLab:
    """JupyterLab of one user at /user/NAME/, without a sign-in of its own, on loopback."""

    def __init__(self, folder, user):
        self.user, self.port = user, free_port()
        self.base = f"/user/{user}/"
        work = folder / "work"
        work.mkdir(parents=True)
        environment = dict(
            os.environ, HOME=str(folder), JUPYTER_CONFIG_DIR=str(folder / "config"),
            JUPYTER_DATA_DIR=str(folder / "data"), JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
            IPYTHONDIR=str(folder / "ipython"), JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"),
            JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"), SHELL="/bin/sh")
        self.log = folder / "jupyter.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                 "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}",
                 "--ServerApp.port_retries=0", f"--ServerApp.base_url={self.base}",
                 f"--ServerApp.root_dir={work}", "--IdentityProvider.token=",
                 "--ServerApp.allow_remote_access=True", "--LabApp.news_url=None",
                 "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=work,
                start_new_session=True)

    def await_ready(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError("JupyterLab ended:\n" + self.log.read_text()[-2000:])
            try:
                with urllib.request.urlopen(
                        f"http://127.0.0.1:{self.port}{self.base}api", timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False
        wait_until(answers, 60, f"{self.user}'s JupyterLab answers")
        self.tap = Tap(self.port)
        self.url = f"http://127.0.0.1:{self.tap.port}"

    def stop(self):
        self.tap.close()
        stop_process(self.process)


class Tap:
    """A TCP relay that counts: what reached the server behind it, and how many connections."""

    def __init__(self, target):
        self.target, self.bytes, self.connections = target, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def seen(self):
        return (self.connections, self.bytes)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._relay, args=[near, far], daemon=True).start()

    def _relay(self, near, far):
        other = {near: far, far: near}
        with selectors.DefaultSelector() as selector:
            for side in other:
                selector.register(side, selectors.EVENT_READ)
            try:
                while selector.get_map():
                    for key, _ in selector.select():
                        side = key.fileobj
                        chunk = side.recv(262144)
                        if side is near:
                            self.bytes += len(chunk)
                        if not chunk:
                            selector.unregister(side)
                            other[side].shutdown(socket.SHUT_WR)
                        else:
                            other[side].sendall(chunk)
            except OSError:
                pass
            near.close()
            far.close()

    def close(self):
        self.listener.close()
