"""The program under test: `gatehouse serve` on a port of its own, with its log read along."""
import datetime
import json
import os
import pathlib
import re
import ssl
import subprocess
import threading
import time

import yaml

from .basics import TOP, need, resident_kilobytes, stop_process, wait_until

HOSTS = ("localhost", "app-a.localhost", "app-b.localhost")


def binary():
    """The program under test."""
    return need(
        next((path for path in [os.environ.get("GATEHOUSE_BINARY"),
                                str(TOP / ".build/release/gatehouse")]
              if path and os.access(path, os.X_OK)), None),
        "there is no .build/release/gatehouse: run `make build`")


def listener(port, certificates):
    """A public address with the development certificate."""
    return {"address": f"127.0.0.1:{port}", "role": "public", "tls": {"certificates": [{
        "certificate": str(certificates / "server.pem"),
        "key": str(certificates / "server.key")}]}}


def provider(folder, oidc):
    """The settings `oidc`, with the secret of a client of the lab's in a file."""
    filled = {"client_id": "gatehouse", "client_secret_file": str(folder / "client-secret"), **oidc}
    secret = pathlib.Path(filled["client_secret_file"])
    secret.write_text(filled["client_id"] + "-secret")
    secret.chmod(0o600)
    return filled


LOG = {"format": "json", "level": "debug", "access": True}


class AccessLog:
    """What the gateway says of its exchanges. `lines` are (arrival or none, text)."""

    def log(self):
        return "\n".join(line for _, line in list(self.lines))

    def mark(self):
        return len(self.lines)

    def wait_for_log(self, condition, what):
        """Waits for what the log will say: it is written after the answer, and read by a thread."""
        return wait_until(lambda: condition(self.log()), 5, what)

    def records(self, since=0):
        """The log's JSON lines that arrived after the mark, as dictionaries."""
        found = []
        for _, line in list(self.lines)[since:]:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found

    def deaths(self, since, cause, method="POST"):
        """Milliseconds, by the gateway's own stamps, from the head of the first request with this
        path to the end of every exchange that it ended."""
        return [(one["path"], after) for one, after in self.after(since, cause, method)
                if "ended" in one]

    def after(self, since, cause, method="POST"):
        """All exchanges, each with the milliseconds from the head of that request to its end."""
        def stamp(record):
            return datetime.datetime.fromisoformat(record["time"]).timestamp() * 1000
        lines = [one for one in self.records(since) if one.get("level") == "access"]
        began = next((stamp(one) - float(one["total_ms"]) for one in lines
                      if one["method"] == method and one["path"] == cause), None)
        return [] if began is None else [(one, round(stamp(one) - began)) for one in lines]


class Gateway(AccessLog):
    def __init__(self, folder, port, certificates, *, routes, access, oidc, hosts=HOSTS,
                 tls=True, **more):
        self.binary = binary()
        self.folder, self.port = folder, port
        self.authority = certificates / "ca.pem"
        scheme = "https" if tls else "http"
        self.urls = [f"{scheme}://{host}:{port}" for host in hosts]
        self.url = self.urls[0]
        folder.mkdir(parents=True, exist_ok=True)
        public = listener(port, certificates)
        if not tls:
            del public["tls"]
        self.configuration = {
            "public_urls": self.urls,
            "state_dir": str(folder / "state"),
            "listeners": [public],
            "routes": routes,
            "access": access,
            "log": LOG,
            **more,
        }
        if oidc:
            self.configuration["oidc"] = provider(folder, oidc)
        self.file = folder / "gatehouse.yaml"
        self.write()
        self.lines = []         # (our monotonic clock at arrival, the line)
        self.start()

    def write(self):
        # JSON is YAML; the reference file shows the form that people write.
        self.file.write_text(yaml.safe_dump(self.configuration, sort_keys=False))

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True)
        self.reader = threading.Thread(target=self._read, args=[self.process], daemon=True)
        self.reader.start()

        def listening():
            if self.process.poll() is not None:
                raise AssertionError(f"gatehouse ended with {self.process.returncode}:\n{self.log()}")
            return re.search(r"listening on https?://", self.log())
        wait_until(listening, 20, "the line 'listening on …'")

    def _read(self, process):
        with open(self.folder / "gatehouse.log", "a") as copy:
            for line in process.stdout:
                self.lines.append((time.monotonic(), line.rstrip("\n")))
                copy.write(line)
                copy.flush()

    def resident(self):
        return resident_kilobytes(self.process.pid)

    def stop(self):
        stop_process(self.process, 35)
        self.reader.join(5)
        return self.process.returncode

    def tls(self):
        return ssl.create_default_context(cafile=str(self.authority))
