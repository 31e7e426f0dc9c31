"""Silence in the wrong place: a process that is stopped for a while, half a request."""
import os
import signal
import socket
import subprocess
import time

import pytest

from lab.basics import free_port, stop_process, wait_until
from lab.gateway import binary


@pytest.fixture
def proxy(folder):
    port, api = free_port(), free_port()
    process = subprocess.Popen(
        [binary(), "proxy", "--ip=127.0.0.1", f"--port={port}", "--api-ip=127.0.0.1",
         f"--api-port={api}", "--state-dir=none", "--keep-alive-timeout=4000"],
        env={"CONFIGPROXY_AUTH_TOKEN": "t", "HOME": str(folder)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), 10, "the proxy answers")
        yield process, port
    finally:
        stop_process(process, 10)


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def test_what_came_in_time_while_it_was_stopped_is_answered(proxy):
    process, port = proxy
    request = b"GET /_chp_healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    connections = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(5)]
    for connection in connections:
        connection.sendall(request)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    os.kill(process.pid, signal.SIGSTOP)
    try:
        for connection in connections:
            connection.sendall(request)
        # Beyond every deadline of these connections.
        time.sleep(6)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    for connection in connections:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.close()


def test_half_a_request_behind_a_whole_one_is_no_idle_connection(folder):
    port = free_port()
    text = (f"loops: 1\nlisteners: [{{address: \"127.0.0.1:{port}\"}}]\nstate_dir: none\n"
            "routes: [{path: /, upstream: http://127.0.0.1:9}]\naccess: [{path: /**, allow: public}]\n"
            "limits: {head_time: 1s, keep_alive_idle: 30s}\n")
    (folder / "head.yaml").write_text(text)
    process = subprocess.Popen(
        [binary(), "serve", "--config", str(folder / "head.yaml")], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), 10, "the gateway answers")
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(b"GET /.gatehouse/healthz HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo")
            answers = b""
            # Ten seconds of silence, or the end.
            while chunk := connection.recv(65536):
                answers += chunk
        assert answers.count(b"HTTP/1.1 ") == 2 and b"HTTP/1.1 408 " in answers, answers
    finally:
        stop_process(process, 10)
