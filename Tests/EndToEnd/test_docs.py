"""What the pages about installations tell people to type."""
import importlib
import os
import re
import subprocess
import sys
import urllib.request

import pytest
import yaml
from traitlets.config import Config

from lab.basics import TOP, free_port, stop_process, wait_until
from lab.gateway import binary

PAGES = ["docs/jupyterhub.md", "docs/zero-to-jupyterhub.md", "docs/sign-in.md", "docs/nginx.md",
         "docs/cloudflare-tunnel.md", "docs/two-hosts.md"]
# Flags of other programs that the pages name.
OTHERS = {"--install", "--namespace", "--values", "--post-renderer", "--tag", "--from-file",
          "--from-literal", "--gateway-url"}
CLASSES = {"JupyterHub": "jupyterhub.app", "ConfigurableHTTPProxy": "jupyterhub.proxy"}

# What The Littlest JupyterHub sets before it reads jupyterhub_config.d, with a stand-in for the
# class of its proxy.
LITTLEST = """
from jupyterhub.proxy import Proxy

class TraefikFileProviderProxy(Proxy):
    pass

c.JupyterHub.cleanup_servers = False
c.JupyterHub.hub_port = {hub}
c.TraefikProxy.should_start = False
c.JupyterHub.proxy_class = TraefikFileProviderProxy
c.JupyterHub.base_url = "/"
c.JupyterHub.authenticator_class = "dummy"
load_subconfig("{folder}/gatehouse.py")
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
"""


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (TOP / page).read_text(), re.M | re.S)


def settings(block):
    configuration = Config()
    exec(block, {"c": configuration})
    return configuration


@pytest.mark.parametrize("block", blocks(PAGES[0], "python"))
def test_every_setting_of_jupyterhub_exists(block):
    for section, values in settings(block).items():
        traits = getattr(importlib.import_module(CLASSES[section]), section).class_traits()
        for name in values:
            assert name in traits, f"c.{section}.{name}"


@pytest.mark.parametrize("page", PAGES)
def test_every_flag_exists(page):
    text = subprocess.run([binary(), "proxy", "--help"], check=True, capture_output=True,
                          text=True).stdout
    known = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", text, re.M))
    # A letter before it belongs to a word, a star behind it to a pattern.
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+[a-z](?![\w*-])", (TOP / page).read_text()))
    assert named - OTHERS <= known, sorted(named - OTHERS - known)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_exists(page):
    text = (TOP / page).read_text()
    for file in re.findall(r"`(config/[\w./-]+)`", text):
        assert (TOP / file).exists(), file
    for file in re.findall(r"\]\(([\w-]+\.md)", text):
        assert (TOP / "docs" / file).exists(), file


def test_a_configuration_is_checked_wherever_it_comes_from(folder):
    text = ("state_dir: none\nroutes: [{path: /, upstream: http://127.0.0.1:8081}]\n"
            "access: [{path: /**, allow: public}]\n")
    (folder / "checked.yaml").write_text(text)

    def check(*words, text="", environment={}):
        return subprocess.run([binary(), "check", *words], input=text, env=environment,
                              capture_output=True, text=True, timeout=10)

    whole = check(str(folder / "checked.yaml"))
    assert whole.returncode == 0 and "upstreams:" in whole.stdout, whole
    for said in (check("-", text=text), check(environment={"GATEHOUSE_CONFIG_YAML": text})):
        assert said.returncode == 0 and said.stderr == whole.stderr, said
        assert said.stdout.count("\n") == whole.stdout.count("\n")
    wrong = check("-", text=text + "loops: many\n")
    assert wrong.returncode == 1 and wrong.stderr.startswith("-:4:8: error: 'loops'"), wrong
    assert check().returncode == 64


def test_the_chart_s_values_can_be_read():
    for block in blocks(PAGES[1], "yaml"):
        chp = yaml.safe_load(block).get("proxy", {}).get("chp", {})
        words = chp.get("extraCommandLineFlags", [])
        # The last word is a mistake that is found after everything before it was taken.
        said = subprocess.run(
            [binary(), "proxy", *words, "--state-dir=none", "--drain=never"], capture_output=True,
            text=True, env=chp.get("extraEnv", {}), timeout=10)
        assert said.returncode == 1 and "error: option '--drain' is 'never'" in said.stderr, said


def test_the_littlest_jupyterhub(folder):
    work = folder / "littlest"
    work.mkdir()
    port = free_port()
    block = next(one for one in blocks(PAGES[0], "python") if "/opt/tljh/state" in one)
    for written, here in (("port = 80", f"port = {port}"), ("/usr/local/bin/gatehouse", binary()),
                          ("/opt/tljh/state", str(work))):
        assert written in block
        block = block.replace(written, here)
    (work / "gatehouse.py").write_text(block)
    (work / "config.py").write_text(
        LITTLEST.format(hub=free_port(), api=free_port(), folder=work))
    environment = {"PATH": os.path.dirname(sys.executable) + ":/usr/bin:/bin", "HOME": str(work)}
    with open(work / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(work / "config.py")], cwd=work,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            start_new_session=True)
    try:
        wait_until(lambda: process.poll() is not None
                   or b"JupyterHub is now running" in (work / "hub.log").read_bytes(), 60,
                   "JupyterHub runs")
        assert process.poll() is None, (work / "hub.log").read_text()[-3000:]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hub/login", timeout=10) as answer:
            assert answer.status == 200
        assert list((work / "gatehouse").glob("routes-*.sqlite"))
    finally:
        stop_process(process, 20)
