"""Small things that the rest of the lab shares."""
import os
import pathlib
import random
import shutil
import socket
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
STRICT = os.environ.get("GATEHOUSE_CI") == "1"
MEGABYTE = 1024 * 1024


def need(found, words):
    """What is missing skips a test on a developer's machine and fails it in CI."""
    if found:
        return found
    if STRICT:
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


def program(name, package):
    return need(shutil.which(name), f"{name} is missing (Debian: {package})")


def free_port():
    """A number for a program that binds it later. It lies below those that the kernel gives to
    outgoing connections, one of which would take it away in between."""
    while True:
        number = random.randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
                return number
            except OSError:
                continue


def wait_until(condition, seconds, what):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise AssertionError(f"process {pid} has ended")


def stop_process(process, seconds=10):
    """Ends a process that we started, gently first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except Exception:
            process.kill()
            process.wait(seconds)


def has_ended(pid):
    """Whether this process is no more, or waits only for its parent to notice."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def processes_below(folder):
    """All processes whose home is in this folder: what a program of ours with a home of its own
    started, however it detached it."""
    found, home = [], f"HOME={folder}".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if any(one == home or one.startswith(home + b"/")
                       for one in environment.read().split(b"\0")):
                    found.append(int(pid))
        except (OSError, ValueError):
            pass
    return found
