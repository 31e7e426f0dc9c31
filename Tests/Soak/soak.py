"""Starts a proxy, lets soak.c loose on it and judges what came of it.

    soak.py [--peer gatehouse|chp45|chp53] [--seconds N] [--rate N] [--result FILE]

Everything stays on loopback. The standard library is enough.
"""
import argparse
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]

# Seconds until pools, caches and the allocator have what this load needs.
WARM_UP = 10
# What the last quarter may hold more than the first. The allocator takes memory in steps of some
# hundred KiB; 13,000 failures and 90,000 requests lie between the quarters of one minute, so that a
# connection that is forgotten now and then, or 200 bytes of every failure, go beyond it.
BOUND_KB = 2048
# Of the requests that were to be, the deliberate failures among them, what must have been answered
# while the load went on. The rest of one minute is three seconds' worth: as much as comes at once at
# the start, or as a machine that stalls has not made up for at the end.
ENOUGH = 0.95


class Missing(Exception):
    pass


def command_of(peer):
    """(the command, what its environment needs)."""
    if peer == "gatehouse":
        program = os.environ.get("GATEHOUSE_BINARY", str(TOP / ".build/release/gatehouse"))
        if not os.access(program, os.X_OK):
            raise Missing("there is no .build/release/gatehouse: run `make build`")
        return [program, "proxy"], {}
    if peer == "chp53":
        home = os.environ.get("CHP53_HOME")
        if not home:
            raise Missing("CHP53_HOME names no folder with configurable-http-proxy 5.3")
        return ["node", f"{home}/node_modules/configurable-http-proxy/bin/configurable-http-proxy"], {}
    if not os.access("/usr/bin/configurable-http-proxy", os.X_OK):
        raise Missing("configurable-http-proxy 4.5 is missing (Debian: node-configurable-http-proxy)")
    return ["/usr/bin/configurable-http-proxy"], {"NODE_PATH": "/usr/share/nodejs"}


def available(peer):
    try:
        return command_of(peer)
    except Missing:
        return None


def compiled(folder):
    program = folder / "soak"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-std=c11", "-o", str(program),
                    str(TOP / "Tests/Soak/soak.c"), "-lm"], check=True)
    return program


def free_ports():
    """Two numbers below those that the kernel gives to outgoing connections."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        try:
            for number in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port, port + 1
        except OSError:
            continue


class Proxy:
    """The proxy under load, on two ports of 127.0.0.1 with a state directory of its own."""

    def __init__(self, peer, folder, *flags, tls=False):
        command, environment = command_of(peer)
        folder.mkdir(exist_ok=True)
        self.tls = tls
        self.port, self.api_port = free_ports()
        self.token = secrets.token_hex(16)
        words = [*command, "--ip", "127.0.0.1", "--port", str(self.port), "--api-ip", "127.0.0.1",
                 "--api-port", str(self.api_port), "--log-level", "error", *flags]
        if peer == "gatehouse":
            words += ["--state-dir", str(folder / "state")]
        self.log = folder / "proxy.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8",
                     **{name: value for name, value in os.environ.items()
                        if name == "GATEHOUSE_LOOPS"},
                     "CONFIGPROXY_AUTH_TOKEN": self.token, **environment})
        try:
            self.check()
        except BaseException:
            self.stop()
            raise

    def ask(self, port, path, token=None):
        if self.tls and port == self.port:
            # Whether the certificate is good is nobody's question here.
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=30, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers={
                "Connection": "close", **({"Authorization": f"token {token}"} if token else {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def check(self):
        """The ports answer as the program that was started: it alone knows this token."""
        end = time.monotonic() + 20
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the proxy ended: {self.log.read_text()[-2000:]}")
            try:
                assert self.ask(self.port, "/_chp_healthz")[0] == 200
                break
            except OSError:
                assert time.monotonic() < end, "the proxy does not listen"
                time.sleep(0.1)
        assert self.ask(self.api_port, "/api/routes", "another")[0] == 403
        assert self.routes() == {}, self.routes()

    def routes(self):
        status, body = self.ask(self.api_port, "/api/routes", self.token)
        assert status == 200, status
        return json.loads(body)

    def add(self, path, target):
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30)
        connection.request("POST", "/api/routes" + path, json.dumps({"target": target}),
                           {"Authorization": f"token {self.token}", "Connection": "close"})
        assert connection.getresponse().status == 201
        connection.close()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def settled_descriptors(proxy, wanted, seconds=30):
    """The number of descriptors once it has come down to `wanted`, or after the time."""
    end = time.monotonic() + seconds
    while proxy.descriptors() > wanted and time.monotonic() < end:
        time.sleep(0.2)
    return proxy.descriptors()


def run(peer, seconds, folder, rate=2000):
    """What soak.c reports, with what was seen before and after it."""
    program = compiled(folder)
    proxy = Proxy(peer, folder)
    try:
        time.sleep(1)
        before = proxy.descriptors()
        done = subprocess.run(
            [str(program), str(proxy.port), str(proxy.api_port), proxy.token,
             str(proxy.process.pid), str(seconds), "1000", "500", str(rate)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=seconds + 400)
        if done.returncode:
            raise AssertionError(f"soak: {done.stderr}{proxy.log.read_text()[-2000:]}")
        result = json.loads(done.stdout)
        result["peer"] = peer
        result["rate"] = rate
        result["routes_left"] = len(proxy.routes())
        result["descriptors_before"] = before
        result["descriptors_after"] = settled_descriptors(proxy, before)
    finally:
        proxy.stop()
    memory = result["resident_kb"][min(WARM_UP, seconds // 4):]
    quarter = max(1, len(memory) // 4)
    result["resident_kb_first_quarter"] = max(memory[:quarter])
    result["resident_kb_last_quarter"] = max(memory[-quarter:])
    return result


def judge(result):
    """What is wrong with it, in words; nothing where all is well."""
    found = [f"{count} × {what}" for what, count in result["failures"].items()]
    if result["answered_a_second"] < ENOUGH * result["rate"]:
        found.append(f"{result['answered_a_second']} requests answered a second, "
                     f"{result['rate']} were to be")
    for name, kind in result["rogue_kinds"].items():
        if not kind["done"]:
            found.append(f"'{name}' never happened")
        if kind["left_open"]:
            found.append(f"'{name}': {kind['left_open']} of {kind['done']} connections left open")
    if result["sockets_lost"] or result["sockets"] < 500:
        found.append(f"{result['sockets']} WebSockets at the end, {result['sockets_lost']} lost")
    if not (result["echoes"] and result["listings"] and result["route_cycles"]):
        found.append("no echo, no listing or no route that came and went")
    grown = result["resident_kb_last_quarter"] - result["resident_kb_first_quarter"]
    if grown > BOUND_KB:
        found.append(f"the resident size grew by {grown} KiB from the first quarter to the last")
    if result["descriptors_after"] > result["descriptors_before"]:
        found.append(f"{result['descriptors_after']} descriptors, {result['descriptors_before']} "
                     "before the first connection")
    if result["routes_left"]:
        found.append(f"{result['routes_left']} routes left")
    return found


def summary(result):
    names = ("peer", "seconds", "rate", "answered_a_second", "requests_a_second", "requests",
             "api_calls", "route_cycles", "rogues", "sockets", "sockets_lost", "echoes", "request_ms", "api_ms", "echo_ms",
             "resident_kb_first_quarter", "resident_kb_last_quarter", "descriptors_before",
             "descriptors_after", "routes_left")
    return "\n".join(f"  {name}: {result[name]}" for name in names)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--peer", choices=("gatehouse", "chp45", "chp53"), default="gatehouse")
    words.add_argument("--seconds", type=int, default=int(os.environ.get("SOAK_SECONDS", 3600)))
    words.add_argument("--rate", type=int, default=2000, help="requests a second in all")
    words.add_argument("--result", type=pathlib.Path)
    words = words.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-soak-"))
    try:
        result = run(words.peer, words.seconds, folder, words.rate)
    except Missing as reason:
        print(f"Skipped: {reason}", file=sys.stderr)
        return 1 if os.environ.get("GATEHOUSE_CI") == "1" else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if words.result:
        words.result.write_text(json.dumps(result))
    print(summary(result))
    wrong = judge(result)
    for complaint in wrong:
        print(f"WRONG: {complaint}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
