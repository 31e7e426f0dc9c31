"""An HTTP/1 client and a WebSocket that say every byte and keep every byte of the answer."""
import base64
import json
import os
import socket
import ssl
import struct

PATIENCE = 5.0


class Closed(Exception):
    """The peer closed or reset the connection before what was waited for had come."""


class Answer:
    """One response: the fields in their order, as they were spelled."""

    def __init__(self, head):
        self.head = head
        lines = head.decode("latin-1").split("\r\n")
        self.version, _, rest = lines[0].partition(" ")
        code, _, self.reason = rest.partition(" ")
        self.status = int(code)
        self.fields = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields.append((name, value.strip()))
        self.body = b""
        self.trailers = b""
        self.interim = []

    def all(self, name):
        return [value for one, value in self.fields if one.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<{self.head!r} {self.body[:200]!r}>"


class Connection:
    """One connection to ("host", port) or to the path of a UNIX socket."""

    def __init__(self, address, tls=None, server_name="localhost", source=None, timeout=PATIENCE):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout, source)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def more(self, timeout=PATIENCE):
        """Reads what is there into the buffer. TimeoutError if nothing comes."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise Closed(str(error)) from None
        if not data:
            raise Closed("end of file")
        self.buffer += data

    def until(self, mark, timeout=PATIENCE):
        while mark not in self.buffer:
            self.more(timeout)
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def exactly(self, count, timeout=PATIENCE):
        while len(self.buffer) < count:
            self.more(timeout)
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def to_the_end(self, timeout=PATIENCE):
        """Everything until the peer closes."""
        try:
            while True:
                self.more(timeout)
        except Closed:
            found, self.buffer = self.buffer, b""
            return found

    def is_closed(self, within):
        """Whether the peer closes in that time; what it sends meanwhile stays in the buffer."""
        try:
            while True:
                self.more(within)
        except Closed:
            return True
        except TimeoutError:
            return False

    def is_silent(self, during):
        """Whether neither a byte nor an end comes in that time."""
        try:
            self.more(during)
        except TimeoutError:
            return not self.buffer
        except Closed:
            return False
        return False

    def head(self, timeout=PATIENCE):
        return Answer(self.until(b"\r\n\r\n", timeout))

    def answer(self, method="GET", timeout=PATIENCE):
        """A whole response; 1xx before it are kept in `interim`."""
        interim = []
        while True:
            answer = self.head(timeout)
            if answer.status == 101 or answer.status >= 200:
                break
            interim.append(answer)
        answer.interim = interim
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if "chunked" in (answer.get("transfer-encoding") or ""):
            while True:
                size = int(self.until(b"\r\n", timeout).split(b";")[0], 16)
                if size == 0:
                    break
                answer.body += self.exactly(size, timeout)
                assert self.exactly(2, timeout) == b"\r\n"
            while True:
                line = self.until(b"\r\n", timeout)
                if not line:
                    break
                answer.trailers += line + b"\r\n"
        elif answer.get("content-length") is not None:
            answer.body = self.exactly(int(answer.get("content-length")), timeout)
        else:
            answer.body = self.to_the_end(timeout)
        return answer


def request_bytes(method, target, fields=(), body=b"", host="localhost", version="1.1"):
    """A request; a Host and a Content-Length are added where `fields` has none."""
    if isinstance(body, str):
        body = body.encode()
    fields = list(fields.items()) if isinstance(fields, dict) else list(fields)
    names = {name.lower() for name, _ in fields}
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None and "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in fields]
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


def chunked(*chunks, trailers=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks) + b"0\r\n" + trailers + b"\r\n"


def upgrade_bytes(target, fields=(), method="GET", upgrade="websocket", host="localhost"):
    key = base64.b64encode(os.urandom(16)).decode()
    return request_bytes(method, target, [
        ("Connection", "Upgrade"), ("Upgrade", upgrade), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key), *fields], host=host)


def frame(payload, opcode=1, masked=True):
    """One final frame of less than 64 KiB."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload)
    length = bytes([size]) if size < 126 else bytes([126]) + struct.pack(">H", size)
    if not masked:
        return bytes([0x80 | opcode]) + length + payload
    mask = os.urandom(4)
    length = bytes([length[0] | 0x80]) + length[1:]
    return (bytes([0x80 | opcode]) + length + mask
            + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))


def read_frame(connection, timeout=PATIENCE):
    """(opcode, payload) of the next frame, with or without a mask."""
    first, second = connection.exactly(2, timeout)
    size = second & 0x7F
    if size == 126:
        size, = struct.unpack(">H", connection.exactly(2, timeout))
    elif size == 127:
        size, = struct.unpack(">Q", connection.exactly(8, timeout))
    mask = connection.exactly(4, timeout) if second & 0x80 else None
    payload = connection.exactly(size, timeout)
    if mask:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return first & 0x0F, payload
