"""A scripted upstream: it keeps what it was sent byte for byte, and answers what a test says."""
import base64
import hashlib
import socket
import struct
import threading

from basics import wait_until
from wire import Closed, Connection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


def response(status="200 OK", fields=(), body=b"ok", length=True):
    if isinstance(body, str):
        body = body.encode()
    lines = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Seen(Connection):
    """One request as it arrived, and the connection that it came on."""

    def __init__(self, connection, number):
        self.socket, self.buffer = connection, b""
        self.number = number
        self.raw_body = self.body = self.trailers = b""
        self.complete = False

    def read_request(self):
        self.raw = self.until(b"\r\n\r\n", 30)
        lines = self.raw.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ", 2)
        self.fields = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields.append((name, value.strip()))
        return self

    def copy(self):
        """What later requests of the connection must not overwrite."""
        kept = Seen(self.socket, self.number)
        kept.__dict__.update(self.__dict__)
        return kept

    def all(self, name):
        return [value for one, value in self.fields if one.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    def read_body(self):
        if "chunked" in (self.get("transfer-encoding") or "").lower():
            while True:
                line = self.until(b"\r\n", 30)
                size = int(line.split(b";")[0], 16)
                self.raw_body += line + b"\r\n"
                if size == 0:
                    break
                data = self.exactly(size, 30)
                self.body += data
                self.raw_body += data + self.exactly(2, 30)
            while True:
                line = self.until(b"\r\n", 30)
                if not line:
                    break
                self.trailers += line + b"\r\n"
        elif self.get("content-length"):
            self.body = self.exactly(int(self.get("content-length")), 30)
            self.raw_body = self.body
        self.complete = True
        return self

    def accept(self, early=b"", fields=()):
        """Answers a WebSocket handshake with 101; `early` goes out in the same write."""
        key = self.get("sec-websocket-key").encode()
        accept = base64.b64encode(hashlib.sha1(
            key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Accept: {accept}"]
        lines += [f"{name}: {value}" for name, value in fields]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + early)


class Backend:
    """Listens on a free port of loopback or on a UNIX socket. `script` is bytes, the answer to
    everything, or a function of what was seen; with `bodies=False` it reads the body itself."""

    def __init__(self, script=OK, path=None, tls=None, bodies=True):
        self.script, self.tls, self.bodies = script, tls, bodies
        self.requests, self.connections, self.closed_connections = [], 0, 0
        self.handshakes, self.failed_handshakes = [], 0
        self.open = set()
        self.path = path
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
        else:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self.accept_all, daemon=True).start()

    @property
    def url(self):
        if self.path:
            return "http+unix://" + self.path.replace("/", "%2F")
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def last(self):
        return self.requests[-1]

    def accept_all(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection, self.connections),
                             daemon=True).start()

    def serve(self, connection, number):
        try:
            if self.tls:
                connection.settimeout(5)
                try:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                except OSError:
                    self.failed_handshakes += 1
                    return
                self.handshakes.append(connection.getpeercert())
            self.open.add(connection)
            seen = Seen(connection, number)
            while True:
                left = seen.buffer
                seen = Seen(connection, number)
                seen.buffer = left
                seen.read_request()
                self.requests.append(seen)
                if self.bodies:
                    seen.read_body()
                if isinstance(self.script, bytes):
                    seen.send(self.script)
                elif self.script(seen) == "end":
                    return
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.open.discard(connection)
            self.closed_connections += 1
            connection.close()

    def wait(self, count=1, seconds=5):
        """Until so many requests have been seen."""
        wait_until(lambda: len(self.requests) >= count, seconds, f"{count} requests upstream")
        return self.requests[count - 1]

    def close(self):
        self.listener.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def cut(seen):
    """Closes with a reset."""
    seen.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    seen.socket.close()
    return "end"


def echo_tunnel(seen):
    """A WebSocket whose every byte comes back."""
    seen.accept()
    try:
        while True:
            if not seen.buffer:
                seen.more(30)
            data, seen.buffer = seen.buffer, b""
            seen.send(data)
    except (Closed, TimeoutError):
        return "end"
