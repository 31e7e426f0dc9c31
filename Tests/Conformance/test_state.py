"""What a disk can do to the routes that are stored on it.

The originals store nothing, so that this is about Gatehouse alone.
"""
import os
import re
import signal
import subprocess

import pytest

from basics import free_port, missing, unique
from proxy import start_at


@pytest.fixture(autouse=True)
def ours(peer):
    if peer.is_chp:
        pytest.skip("it stores nothing")


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        missing("only root can mount a small tmpfs")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(file):
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            pass


def test_full_disk(start, backend, small_disk):
    port, words = free_port(3), ["--state-dir", small_disk / "state"]
    proxy = start_at(start, port, *words)
    before = proxy.add(unique("/user/"), backend)
    assert proxy.metric("gatehouse_store_failures_total") == 0
    fill(small_disk / "other")
    # A spawn does not fail for it.
    meanwhile = [proxy.add(unique("/user/"), backend, filling="x" * 5000) for _ in range(20)]
    assert {proxy.get(path).status for path in [before, *meanwhile]} == {200}
    assert proxy.metric("gatehouse_store_failures_total") >= 1
    assert proxy.log().count("routes cannot be stored and are in memory alone") == 1
    (small_disk / "other").unlink()
    after = proxy.add(unique("/user/"), backend)
    proxy.wait_log("routes are stored again")
    proxy.signal(signal.SIGKILL)
    proxy = start_at(start, port, *words)
    assert {proxy.get(path).status for path in [before, *meanwhile, after]} == {200}


def test_cut_file(start, backend, tmp_path):
    port, words = free_port(3), ["--state-dir", tmp_path / "state"]
    proxy = start_at(start, port, *words)
    old = proxy.add(unique("/user/"), backend)
    proxy.signal(signal.SIGTERM)
    file, = (tmp_path / "state").glob("routes-*.sqlite")
    cut = file.read_bytes()[:5000]
    file.write_bytes(cut)
    proxy = start_at(start, port, *words)
    kept, = (one for one in (tmp_path / "state").glob("*.damaged-*") if one.suffix[-4:] != "-wal")
    assert kept.read_bytes() == cut
    proxy.wait_log(re.escape(f"it is kept unchanged as {kept}"))
    assert proxy.get(old).status == 503
    new = proxy.add(unique("/user/"), backend)
    proxy.signal(signal.SIGKILL)
    proxy = start_at(start, port, *words)
    assert proxy.get(new).status == 200
