"""People who come through a front: nginx, or the wire of cloudflared as its source has it."""
import gzip
import http.client
import json
import re
import socket
import ssl
import time
import urllib.parse

import websockets.sync.client

from .client import Answer
from .gated_hub import Guest


class Fronted(Guest):
    """Signs in at the public URL, which is at another port of this machine than it says; comes
    from an address of its own."""

    def __init__(self, hub, user, port, address="127.0.0.9"):
        super().__init__(hub, user)
        self.front, self.address = port, address
        self.set_cookies = []       # the values of all fields Set-Cookie so far

    def copy(self):
        twin = type(self)(self.hub, self.user, self.front, self.address)
        for host, cookies in self.cookies.items():
            twin.cookies[host] = dict(cookies)
        return twin

    def dial(self, port, timeout=30):
        here = self.front if port == self.hub.port else port
        return socket.create_connection(("127.0.0.1", here), timeout, (self.address, 0))

    def keep(self, host, answer):
        super().keep(host, answer)
        self.set_cookies += [value for name, value in answer.fields
                             if name.lower() == "set-cookie"]

    def ask(self, method, path, fields=None, body=None, timeout=30):
        """The connection and the answer, of which nobody has read the body."""
        connection = http.client.HTTPConnection("localhost", self.hub.port)
        connection.sock = self.connect(self.absolute(path), timeout)
        connection.request(method, path, body, self.sent(path, fields))
        return connection, connection.getresponse()

    def sent(self, path, fields):
        return {"Cookie": self.cookie_field(path=path.partition("?")[0]), **(fields or {})}

    def events(self, count, timeout=30):
        """The first events of how `slow` starts, each with the seconds from the first to it."""
        slow = f"/users/{self.user}/servers/slow"
        if "slow" not in self.ask_hub("GET", f"/users/{self.user}")["servers"]:
            self.ask_hub("POST", slow, {})
        xsrf = urllib.parse.quote(self.value("_xsrf", "/hub/"))
        connection, answer = self.ask(
            "GET", f"/hub/api{slow}/progress?_xsrf={xsrf}", {"Accept": "text/event-stream"},
            timeout=timeout)
        assert answer.status == 200, (answer.status, answer.read(300))
        found, began = [], None
        while len(found) < count:
            line = answer.readline()
            assert line, "the stream ended"
            if line.startswith(b"data:"):
                began = began or time.monotonic()
                found.append((json.loads(line[5:])["message"], time.monotonic() - began))
        connection.close()
        return found

    def put(self, path, model):
        """To the person's own server, as JupyterLab saves and uploads."""
        xsrf = self.value("_xsrf", f"/user/{self.user}/")
        return self.request(
            "PUT", f"/user/{self.user}{path}",
            {"Content-Type": "application/json", "X-XSRFToken": xsrf, "Origin": self.hub.url},
            json.dumps(model))


class Tunnelled(Fronted):
    """As cloudflared brings a browser's requests: TLS that asks for `localhost`, verifies nothing
    and names no protocol; Go's spelling of names; bodies without length; connections that are
    kept and used again; a connection of its own for each WebSocket."""

    peer = "127.0.0.1"          # cloudflared's own address

    def __init__(self, hub, user, port, address="203.0.113.7"):
        super().__init__(hub, user, port, address)
        self.idle = []
        self.origin_tls = ssl.create_default_context()
        self.origin_tls.check_hostname = False
        self.origin_tls.verify_mode = ssl.CERT_NONE
        # As in Client.
        self.origin_tls.maximum_version = ssl.TLSVersion.TLSv1_2

    def dial(self, port, timeout=30):
        here = self.front if port == self.hub.port else port
        return socket.create_connection(("127.0.0.1", here), timeout, (self.peer, 0))

    def edge(self):
        """What Cloudflare's edge adds."""
        return {
            "Cdn-Loop": "cloudflare; loops=1", "Cf-Connecting-Ip": self.address,
            "Cf-Ipcountry": "DE", "Cf-Ray": "8f0c1d2e3f4a5b6c-FRA",
            "Cf-Visitor": '{"scheme":"https"}', "X-Forwarded-For": f"6.6.6.6, {self.address}",
            "X-Forwarded-Proto": "https", "Accept-Encoding": "gzip, br"}

    def sent(self, path, fields):
        ours = super().sent(path, fields)
        return {go_spelling(name): value for name, value in ours.items()} | self.edge() \
            | {"Connection": "keep-alive"}

    def open(self):
        connection = http.client.HTTPConnection("localhost", self.hub.port, timeout=60)
        connection.auto_open = 0        # a connection that has been closed fails
        connection.sock = self.origin_tls.wrap_socket(
            self.dial(self.hub.port), server_hostname="localhost")
        return connection

    def ask(self, method, path, fields=None, body=None, timeout=30, connection=None):
        connection = connection or (self.idle.pop() if self.idle else self.open())
        sent = self.sent(path, fields)
        if body is None:
            connection.request(method, path, headers=sent)
        else:
            text = body.encode() if isinstance(body, str) else body
            sent.pop("Content-Length", None)
            connection.request(
                method, path, pieces(text) if isinstance(text, bytes) else text,
                sent | {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        return connection, connection.getresponse()

    def request(self, method, url, fields=None, body=None, timeout=30, connection=None):
        url = self.absolute(url)
        if not url.startswith(self.hub.url + "/"):
            return super().request(method, url, fields, body, timeout)
        connection, answer = self.ask(
            method, url.removeprefix(self.hub.url), {"Accept": "*/*", **(fields or {})}, body,
            connection=connection)
        text = answer.read()
        if answer.getheader("Content-Encoding") == "gzip":
            text = gzip.decompress(text)
        found = Answer(answer.status, answer.getheaders(), text, url)
        if answer.will_close:
            connection.close()
        else:
            self.idle.append(connection)
        self.keep("localhost", found)
        return found

    def web_socket(self, url, origin=None, cookie=True, **more):
        url = self.absolute(url)
        path = urllib.parse.urlsplit(url).path
        fields = self.edge() | ({"Cookie": self.cookie_field(path=path)} if cookie else {})
        wire = GoSpelling(self.origin_tls.wrap_socket(
            self.dial(self.hub.port, None), server_hostname="localhost"))
        return websockets.sync.client.connect(
            "ws" + url.removeprefix("https"), sock=wire, origin=origin or self.hub.url,
            additional_headers=fields, compression=None, open_timeout=15, **more)


class GoSpelling:
    """A socket whose first bytes are the head of a request, in Go's spelling then."""

    def __init__(self, sock):
        self.sock, self.is_first = sock, True

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def sendall(self, text):
        if self.is_first:
            self.is_first = False
            text = re.sub(rb"(?m)^[\w-]+(?=: )", lambda name: go_spelling(
                name[0].decode()).encode(), bytes(text))
            assert b"\r\nSec-Websocket-Key: " in text, text
        self.sock.sendall(text)


def go_spelling(name):
    return "-".join(part.capitalize() for part in name.split("-"))


def pieces(text):
    """As a body without a length comes."""
    for start in range(0, len(text), 32768):
        yield text[start:start + 32768]
