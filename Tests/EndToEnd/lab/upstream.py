"""An application that remembers every request, byte for byte, and answers in all the odd ways."""
import base64
import collections
import hashlib
import json
import socket
import threading
import time
import urllib.parse

Received = collections.namedtuple(
    "Received", "method target version fields body_bytes sha256 trailers at")

LINE = b"0123456789abcdef" * 64


class Upstream:
    """Paths: anything echoes; /events /endless /big?bytes=N /range /trailers /cut /socket /worker."""

    def __init__(self, name="upstream"):
        self.name = name
        self.requests = []
        self.connections = 0
        self.broken = []        # targets whose connection ended before the exchange was over
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def targets(self):
        return [request.target for request in self.requests]

    def last(self, target):
        return next(one for one in reversed(self.requests) if one.target == target)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=_Connection(self, connection).serve, daemon=True).start()


class _Connection:
    def __init__(self, upstream, connection):
        self.upstream, self.socket = upstream, connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = connection.makefile("rb", 262144)

    def serve(self):
        target = None
        try:
            while True:
                line = self.file.readline()
                if not line:
                    return
                method, target, version = line.decode("latin-1").rstrip("\r\n").split(" ")
                if not self._exchange(method, target, version):
                    return
                target = None
        except (OSError, ValueError):
            self.upstream.broken.append(target)
        finally:
            try:
                self.socket.close()
                self.file.close()
            except OSError:
                pass

    def _fields(self):
        found = []
        while (line := self.file.readline().decode("latin-1").rstrip("\r\n")):
            name, value = line.split(":", 1)
            found.append((name, value.strip()))
        return found

    def _exchange(self, method, target, version):
        fields = self._fields()
        self.by_name = {name.lower(): value for name, value in fields}
        digest, length, trailers = hashlib.sha256(), 0, []
        record = Received(method, target, version, fields, None, None, [], time.monotonic())
        place = len(self.upstream.requests)
        self.upstream.requests.append(record)
        if self.by_name.get("upgrade", "").lower() == "websocket":
            self._web_socket()
            return False
        if self.by_name.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        for chunk in self._body(trailers):
            digest.update(chunk)
            length += len(chunk)
        record = record._replace(body_bytes=length, sha256=digest.hexdigest(), trailers=trailers)
        self.upstream.requests[place] = record
        self.method = method
        path, _, query = target.partition("?")
        values = dict(urllib.parse.parse_qsl(query))
        answer = getattr(self, "_" + path.strip("/").split("/")[-1].replace("-", "_"), None)
        if answer and path.strip("/").split("/")[-1] in PATHS:
            return answer(values)
        return self._echo(record)

    def _body(self, trailers):
        if "chunked" in self.by_name.get("transfer-encoding", "").lower():
            while size := int(self.file.readline().split(b";")[0], 16):
                yield from self._exactly(size)
                self.file.readline()
            trailers.extend(self._fields())
        else:
            yield from self._exactly(int(self.by_name.get("content-length", 0)))

    def _exactly(self, size):
        while size:
            chunk = self.file.read1(min(size, 262144))
            if not chunk:
                raise ValueError("the body ended early")
            size -= len(chunk)
            yield chunk

    # Answers.

    def _head(self, status, *fields):
        return ("\r\n".join([f"HTTP/1.1 {status}", *fields]) + "\r\n\r\n").encode()

    def _send(self, status, body, *fields):
        head = self._head(status, f"Content-Length: {len(body)}", *fields)
        self.socket.sendall(head + (b"" if self.method == "HEAD" else body))
        return True

    def _echo(self, record):
        body = json.dumps({
            "upstream": self.upstream.name, "method": record.method, "target": record.target,
            "version": record.version, "fields": record.fields, "bytes": record.body_bytes,
            "sha256": record.sha256, "trailers": record.trailers}).encode()
        if "text/html" in self.by_name.get("accept", ""):
            page = (b"<!doctype html><html lang=en><title>" + self.upstream.name.encode()
                    + b"</title><h1>" + self.upstream.name.encode() + b"</h1><pre id=echo>"
                    + body.replace(b"<", b"&lt;") + b"</pre>")
            return self._send("200 OK", page, "Content-Type: text/html; charset=utf-8")
        return self._send("200 OK", body, "Content-Type: application/json")

    def _page_with_sign_out(self, values):
        page = (b"<!doctype html><html lang=en><title>application</title>"
                b"<a id=out href='/.gatehouse/logout'>Sign out</a>")
        return self._send("200 OK", page, "Content-Type: text/html")

    def _worker(self, values):
        """A service worker that only hands on, as those of many applications do with pages."""
        script = (b"self.addEventListener('activate', event => event.waitUntil(clients.claim()));"
                  b"self.addEventListener('fetch', event => event.respondWith(fetch(event.request)));")
        return self._send("200 OK", script, "Content-Type: text/javascript")

    def _events(self, values):
        self.socket.sendall(self._head("200 OK", "Content-Type: text/event-stream",
                                       "Cache-Control: no-cache", "Transfer-Encoding: chunked"))
        for number in range(3000):
            event = f"data: {number}\n\n".encode()
            self.socket.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            time.sleep(0.1)
        return False

    def _endless(self, values):
        self.socket.sendall(self._head("200 OK", "Content-Type: application/octet-stream",
                                       "Transfer-Encoding: chunked"))
        chunk = LINE * 16
        for _ in range(6000):
            self.socket.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            time.sleep(0.05)
        return False

    def _big(self, values):
        size = int(values["bytes"])
        self.socket.sendall(self._head("200 OK", "Content-Type: application/octet-stream",
                                       f"Content-Length: {size}"))
        chunk = LINE * 256
        while size:
            part = chunk[:size]
            self.socket.sendall(part)
            size -= len(part)
        return True

    def _range(self, values):
        whole = bytes(range(256)) * 4
        wanted = self.by_name.get("range", "")
        if not wanted:
            return self._send("200 OK", whole, "Accept-Ranges: bytes")
        first, last = (int(one) for one in wanted.removeprefix("bytes=").split("-"))
        return self._send("206 Partial Content", whole[first:last + 1],
                          f"Content-Range: bytes {first}-{last}/{len(whole)}")

    def _trailers(self, values):
        self.socket.sendall(
            self._head("200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum")
            + b"5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n")
        return True

    def _cut(self, values):
        self.socket.sendall(self._head("200 OK", "Content-Length: 1000") + b"only this")
        return False

    def _web_socket(self):
        accept = base64.b64encode(hashlib.sha1(
            (self.by_name["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
        ).digest()).decode()
        self.socket.sendall(self._head("101 Switching Protocols", "Upgrade: websocket",
                                       "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"))
        while True:
            first, second = self.file.read(2)
            length = second & 0x7F
            if length > 125:
                length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
            mask = self.file.read(4) if second & 0x80 else bytes(4)
            payload = bytes(byte ^ mask[index % 4]
                            for index, byte in enumerate(self.file.read(length)))
            opcode = first & 0x0F
            size = (bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
                    if length < 65536 else b"\x7f" + length.to_bytes(8, "big"))
            self.socket.sendall(
                bytes([(first & 0xF0) | (10 if opcode == 9 else opcode)]) + size + payload)
            if opcode == 8:
                return


PATHS = {"events", "endless", "big", "range", "trailers", "cut", "page-with-sign-out", "worker"}
