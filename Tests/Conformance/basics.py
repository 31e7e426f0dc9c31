"""Small things that all tests share."""
import itertools
import os
import pathlib
import random
import socket
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
STRICT = os.environ.get("GATEHOUSE_CI") == "1"

numbers = itertools.count(1)


def missing(words):
    """What is missing skips a test on a developer's machine and fails it in CI."""
    if STRICT:
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


def free_port(count=1):
    """The first of `count` numbers in a row for a program that binds them later. They lie below
    those that the kernel gives to outgoing connections, one of which would take them away."""
    while True:
        first = random.randrange(20000, 32000)
        try:
            for number in range(first, first + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", number))
            return first
        except OSError:
            continue


def unique(word="/t"):
    """A path that no other test of the run uses."""
    return f"{word}{next(numbers)}"


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
