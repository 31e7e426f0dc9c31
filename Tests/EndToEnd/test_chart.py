"""The Zero to JupyterHub chart: its arguments, environment and probes, as the user that it takes."""
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time

import pytest
import yaml

from lab.basics import TOP, free_port, need, program, stop_process, wait_until
from lab.gateway import binary

USER = 65534
TOKEN = "chart-token"
# A Hub must have read the table, and then have been quiet for this long (decision 0015).
QUIET = 2

# As templates/proxy/deployment.yaml of the chart has it, with what our patch must not lose.
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: proxy
  labels: {component: proxy}
spec:
  replicas: 1
  selector:
    matchLabels: {component: proxy}
  strategy: {type: Recreate}
  template:
    metadata:
      labels: {component: proxy}
    spec:
      terminationGracePeriodSeconds: 60
      volumes:
        - name: tls-secret
          secret: {secretName: proxy-manual-tls}
      containers:
        - name: chp
          image: registry.example.org/gatehouse:1
          command: [configurable-http-proxy, --ip=, --api-ip=, --api-port=8001, --port=8443]
          volumeMounts:
            - {name: tls-secret, mountPath: /etc/chp/tls, readOnly: true}
          env:
            - name: CONFIGPROXY_AUTH_TOKEN
              valueFrom: {secretKeyRef: {name: hub, key: hub.config.ConfigurableHTTPProxy.auth_token}}
          securityContext:
            runAsUser: 65534
            runAsGroup: 65534
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
"""


@pytest.fixture(scope="module")
def image(certificates):
    """What the Dockerfile lays into the image, where user 65534 can read it; TLS as a Secret."""
    need(os.getuid() == 0, "not started as root: the chart's user cannot be taken")
    made = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-image-"))
    made.chmod(0o755)
    shutil.copy(binary(), made / "gatehouse")
    shutil.copy(TOP / "scripts/container-entrypoint", made)
    (made / "configurable-http-proxy").symlink_to("gatehouse")
    for name, source in (("tls.crt", "server.pem"), ("tls.key", "server.key")):
        shutil.copy(certificates / source, made / name)
        (made / name).chmod(0o644)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def volume(image):
    """A fresh block device's file system, as the kubelet mounts it with fsGroup 65534."""
    made = image / f"volume-{free_port()}"
    made.mkdir()
    os.chown(made, 0, USER)
    made.chmod(0o2775)
    return made


@pytest.fixture
def start(image, upstream):
    started = []

    def start(*words, **options):
        started.append(Container(image, upstream, words, **options))
        return started[-1]
    yield start
    for one in started:
        stop_process(one.process)


class Container:
    """The chart's command, with a root that nobody can write to."""

    def __init__(self, image, hub, words, *, tls=False, environment=None, volume=None):
        self.port, self.api_port, self.redirect_port = free_port(), free_port(), free_port()
        self.tls = tls
        self.hub = f"http://127.0.0.1:{hub.port}"
        self.command = [
            "configurable-http-proxy", "--ip=", "--api-ip=", f"--api-port={self.api_port}",
            f"--default-target={self.hub}", f"--error-target={self.hub}/hub/error",
            *([f"--port={self.port}", f"--redirect-port={self.redirect_port}", "--redirect-to=443",
               f"--ssl-key={image}/tls.key", f"--ssl-cert={image}/tls.crt"]
              if tls else [f"--port={self.port}"]), *words]
        if volume:
            self.keep_addresses(volume)
        self.environment = {
            "PATH": f"{image}:/usr/bin:/bin", "HOME": "/nonexistent",
            "CONFIGPROXY_AUTH_TOKEN": TOKEN,
            "STATE_DIRECTORY": str(volume or "/var/lib/gatehouse"), **(environment or {})}
        self.writable = [volume] if volume else []
        self.run()

    def keep_addresses(self, volume):
        """Stored routes belong to addresses: a container on the same volume has the same ones."""
        file = volume.with_suffix(".words")
        if file.exists():
            self.port, self.api_port, self.command = json.loads(file.read_text())
        else:
            file.write_text(json.dumps([self.port, self.api_port, self.command]))

    def run(self):
        read_only = "mount --make-rprivate / && " + "".join(
            f"mount --bind {one} {one} && " for one in self.writable
        ) + 'mount -o remount,bind,ro / && exec "$@"'
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [program("unshare", "util-linux"), "--mount", "sh", "-c", read_only, "sh",
             program("setpriv", "util-linux"), f"--reuid={USER}", f"--regid={USER}",
             "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
             *self.command],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        self.lines = []
        threading.Thread(target=self._read, args=[self.process.stdout], daemon=True).start()

    def _read(self, output):
        for line in output:
            self.lines.append(line)

    def log(self):
        return "".join(self.lines)

    def get(self, path, *, port=None, tls=None, timeout=5, **fields):
        tls = self.tls if tls is None else tls
        # A kubelet asks by the pod's address and verifies nothing.
        connection = (
            http.client.HTTPSConnection("127.0.0.1", port or self.port, timeout=timeout,
                                        context=ssl._create_unverified_context()) if tls
            else http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout))
        try:
            connection.request("GET", path, headers=fields)
            answer = connection.getresponse()
            answer.body = answer.read().decode(errors="replace")
            return answer
        finally:
            connection.close()

    def probe(self, timeout):
        try:
            answer = self.get("/_chp_healthz", timeout=timeout, **{"User-Agent": "kube-probe/1.32"})
        except (OSError, http.client.HTTPException):
            assert self.process.poll() is None, self.log()
            return False
        return answer.status == 200 and json.loads(answer.body) == {"status": "OK"}

    def await_ready(self):
        """The chart's readiness probe; returns the seconds from the start."""
        wait_until(lambda: self.probe(1), 10, "the readiness probe")
        return time.monotonic() - self.began

    def api(self, method, path="", body=None, token=TOKEN):
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=5)
        connection.request(method, "/api/routes" + path, body and json.dumps(body),
                           {"Authorization": f"token {token}"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def synchronise(self):
        """What the chart's Hub does every 60 s."""
        assert self.api("GET")[0] == 200
        time.sleep(QUIET + 0.3)

    def stop(self):
        began = time.monotonic()
        self.process.terminate()
        return self.process.wait(10), time.monotonic() - began


def status_of(process):
    with open(f"/proc/{process.pid}/status") as status:
        return {name: value.split() for name, _, value in (
            line.partition(":") for line in status)}


def test_the_chart_in_clear(start, upstream):
    container = start()
    assert container.await_ready() <= 2
    status = status_of(container.process)
    assert status["Uid"] == status["Gid"] == [str(USER)] * 4
    assert int(status["CapEff"][0], 16) == int(status["CapBnd"][0], 16) == 0
    assert os.readlink(f"/proc/{container.process.pid}/exe").endswith("/gatehouse")

    assert json.loads(container.get("/hub/home").body)["target"] == "/hub/home"
    assert container.api("GET", token="wrong")[0] == 403
    body = {"target": container.hub, "jupyterhub": True, "user": "alice"}
    assert container.api("POST", "/user/alice", body)[0] == 201
    assert container.get("/user/alice/lab").status == 200
    assert container.probe(3), "the liveness probe"
    code, seconds = container.stop()
    assert code == 2 and seconds <= 0.5


def test_the_chart_with_manual_tls(start):
    container = start("--state-dir=none", tls=True)
    assert container.await_ready() <= 2
    assert "routes end with this process: 'state_dir' is 'none'" in container.log()
    assert json.loads(container.get("/hub/home").body)["target"] == "/hub/home"
    sent = container.get("/hub/home?x=1", port=container.redirect_port, tls=False, Host="hub.test")
    assert sent.status == 301
    assert sent.getheader("Location") in (
        "https://hub.test/hub/home?x=1", "https://hub.test:443/hub/home?x=1")
    assert container.get("/hub/home").status == 200
    code, seconds = container.stop()
    assert code == 2 and seconds <= 0.5


def test_extra_flags_come_last_and_settings_by_environment(start):
    container = start(
        "--log-level=debug", "--log-level=error", "--host-routing",
        environment={"GATEHOUSE_CONFIG_YAML":
                     "log: {access: true}\nlimits: {request_fields: 20}\n"})
    container.await_ready()
    assert container.get("/hub/home").status == 200
    assert container.get("/hub/home", **{f"X-{n}": "x" for n in range(30)}).status == 431
    wait_until(lambda: re.search(r"method=GET .*path=/hub/home .*status=200", container.log()), 5,
               "the access log's line")
    assert "Adding route" not in container.log(), "the last --log-level wins"


def test_a_mistake_in_the_environment_ends_the_start_with_its_line(start):
    container = start(environment={"GATEHOUSE_CONFIG_YAML": "limts: {}\n"})
    assert container.process.wait(10) == 1
    wait_until(lambda: "did you mean 'limits'" in container.log(), 5, "the remedy")
    assert "GATEHOUSE_CONFIG_YAML:1:1" in container.log()


def test_without_a_volume_users_wait_for_the_hub_after_a_restart(start):
    container = start()
    container.await_ready()
    assert "routes end with this process" in container.log()
    container.synchronise()
    assert container.api("POST", "/user/alice", {"target": container.hub})[0] == 201
    assert container.get("/user/alice/lab").status == 200
    container.process.kill()
    container.process.wait()
    container.run()
    container.await_ready()
    refused = container.get("/user/alice/lab")
    assert (refused.status, refused.getheader("Retry-After")) == (503, "2")
    assert container.get("/hub/home").status == 200
    assert list(container.api("GET")[1]) == ["/"]
    container.synchronise()
    assert container.get("/user/alice/lab").status == 200, "the Hub's own answer"


def test_with_a_volume_users_are_back_at_once(start, volume):
    container = start(volume=volume)
    container.await_ready()
    assert "routes end with this process" not in container.log()
    assert container.api("POST", "/user/alice", {"target": container.hub})[0] == 201
    container.process.kill()
    container.process.wait()
    container.run()
    container.await_ready()
    assert json.loads(container.get("/user/alice/lab").body)["target"] == "/user/alice/lab"
    assert container.get("/user/bob/lab").status == 503
    owners = {(one.stat().st_uid, one.stat().st_mode & 0o777) for one in volume.iterdir()}
    assert owners == {(USER, 0o600)}


# The image.

def test_the_dockerfile_has_both_names_and_the_user():
    text = (TOP / "Dockerfile").read_text().rpartition("FROM ")[2]
    assert "COPY --from=build /gatehouse /usr/local/bin/gatehouse\n" in text
    assert "ln -s gatehouse /usr/local/bin/configurable-http-proxy\n" in text
    assert "COPY scripts/container-entrypoint /usr/local/bin/container-entrypoint\n" in text
    assert re.search(r'^ENTRYPOINT \["/usr/local/bin/container-entrypoint"\]$', text, re.M)
    assert re.search(r"^USER 65534:65534$", text, re.M)
    assert re.search(r"^ENV STATE_DIRECTORY=/var/lib/gatehouse$", text, re.M)


EVERYWHERE = "--api-ip=0.0.0.0"


@pytest.mark.parametrize(("words", "environment", "expected"), [
    (["--port=8000"], {}, ["proxy", EVERYWHERE, "--port=8000"]),
    (["--default-target", "http://a b"], {}, ["proxy", EVERYWHERE, "--default-target", "http://a b"]),
    (["configurable-http-proxy", "--ip="], {}, ["proxy", EVERYWHERE, "--ip="]),
    (["proxy"], {}, ["proxy", EVERYWHERE]),
    (["proxy", "--api-ip=::1"], {}, ["proxy", "--api-ip=::1"]),
    (["--api-ip", "::1"], {}, ["proxy", "--api-ip", "::1"]),
    (["--api-socket=/run/api"], {}, ["proxy", "--api-socket=/run/api"]),
    (["--config", "a.yaml"], {}, ["proxy", "--config", "a.yaml"]),
    (["--port=1"], {"GATEHOUSE_CONFIG_YAML": "a: b"}, ["proxy", "--port=1"]),
    (["check", "a.yaml"], {}, ["check", "a.yaml"]),
    (["gatehouse", "check", "a.yaml"], {}, ["check", "a.yaml"]),
    ([], {}, []),
])
def test_the_entry_point_takes_both_kinds_of_words(tmp_path, words, environment, expected):
    stub = tmp_path / "gatehouse"
    stub.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stub.chmod(0o755)
    said = subprocess.run(
        [TOP / "scripts/container-entrypoint", *words], check=True, capture_output=True, text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **environment})
    assert said.stdout == "".join(word + "\n" for word in expected or [""])


def test_the_entry_point_runs_the_old_image_s_words(image, upstream):
    token = image / "token"
    token.write_text(TOKEN + "\n")
    port, api = free_port(), free_port()
    words = [image / "container-entrypoint", f"--port={port}", f"--api-port={api}",
             f"--default-target={upstream.url}"]
    environment = {"PATH": f"{image}:/usr/bin:/bin", "CONFIGPROXY_AUTH_TOKEN_FILE": str(token)}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        lines = []
        while not any("Proxy API at" in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], f"it ended: {lines}"
        assert f"http://0.0.0.0:{api}/" in lines[-1]
        # Another address of this machine, as other containers reach it.
        for given, expected in ((TOKEN, 200), ("wrong", 403)):
            connection = http.client.HTTPConnection("127.0.0.2", api, timeout=5)
            connection.request("GET", "/api/routes", headers={"Authorization": f"token {given}"})
            assert connection.getresponse().status == expected
            connection.close()
        os.kill(process.pid, 15)
        assert process.wait(5) == 2, "the signal reaches the program itself"
    finally:
        stop_process(process)
    both = subprocess.run(words, env={**environment, "CONFIGPROXY_AUTH_TOKEN": TOKEN},
                          capture_output=True, text=True, timeout=10)
    assert both.returncode == 1 and "CONFIGPROXY_AUTH_TOKEN_FILE" in both.stderr


@pytest.mark.parametrize("line", ["Route added /", "Proxy API at"])
def test_a_signal_during_the_start_is_kept(image, upstream, line):
    """Process 1 of a container has no default for it: what no handler takes is lost."""
    for _ in range(5):
        process = subprocess.Popen(
            [image / "configurable-http-proxy", f"--port={free_port()}",
             f"--api-port={free_port()}", f"--default-target={upstream.url}"],
            env={}, stdout=subprocess.PIPE, text=True)
        try:
            while line not in (said := process.stdout.readline()):
                assert said, "it ended"
            process.terminate()
            assert process.wait(5) == 2
            assert "Terminated" in process.stdout.read()
        finally:
            stop_process(process)


# The patch.

def test_the_patch_gives_the_chart_s_deployment_a_volume():
    program("kubectl", "kubernetes-client")
    rendered = subprocess.run([TOP / "config/kubernetes/post-render"], input=DEPLOYMENT, check=True,
                              capture_output=True, text=True, timeout=60).stdout
    made = {one["kind"]: one for one in yaml.safe_load_all(rendered)}
    assert set(made) == {"Deployment", "PersistentVolumeClaim"}
    before = yaml.safe_load(DEPLOYMENT)["spec"]["template"]["spec"]
    pod = made["Deployment"]["spec"]["template"]["spec"]
    old, new = before["containers"][0], pod["containers"][0]

    assert pod["securityContext"]["fsGroup"] == old["securityContext"]["runAsGroup"] == USER
    claim = made["PersistentVolumeClaim"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert volumes["state"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    state = next(one["value"] for one in new["env"] if one["name"] == "STATE_DIRECTORY")
    assert state == next(
        one["mountPath"] for one in new["volumeMounts"] if one["name"] == "state")

    # Nothing of the chart's is lost.
    assert len(pod["containers"]) == 1
    assert volumes["tls-secret"] == before["volumes"][0]
    assert old["env"][0] in new["env"] and old["volumeMounts"][0] in new["volumeMounts"]
    for kept in ("image", "command", "securityContext"):
        assert new[kept] == old[kept]
    assert made["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
