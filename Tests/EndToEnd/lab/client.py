"""A browser without a screen: a cookie jar, redirects, a sign-in at Keycloak's form; raw TLS."""
import collections
import html
import http.client
import re
import socket
import ssl
import threading
import time
import urllib.parse

import websockets.sync.client
from websockets.exceptions import ConnectionClosed

SESSION = "__Host-Http-gatehouse"
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
              "Sec-Fetch-Site": "none", "Sec-Fetch-User": "?1"}

Answer = collections.namedtuple("Answer", "status fields body url")


def field(answer, name):
    return next((value for key, value in answer.fields if key.lower() == name.lower()), None)


class Client:
    """Cookies are kept by host, as NAME or NAME;PATH. Every host is this machine."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.tls = gateway.tls() if gateway.url.startswith("https") else None
        # A WebSocket here reads and writes in two threads. Python before 3.13 does not guard its
        # TLS against that, and under load ends a connection by itself where the reader takes
        # TLS 1.3's tickets while the writer sends the request (10 of 2,400; none of 5,100 with 1.2).
        self.socket_tls = gateway.tls() if self.tls else None
        if self.socket_tls:
            self.socket_tls.maximum_version = ssl.TLSVersion.TLSv1_2
        self.cookies = collections.defaultdict(dict)

    def copy(self):
        """Another program that has got hold of all cookies."""
        twin = Client(self.gateway)
        for host, cookies in self.cookies.items():
            twin.cookies[host] = dict(cookies)
        return twin

    def cookie(self, host="localhost"):
        return self.cookies[host].get(SESSION)

    def cookie_field(self, host="localhost", path="/"):
        return "; ".join(f"{name}={value}" for name, value in self._matching(host, path))

    def value(self, wanted, path, host="localhost"):
        """What a page at this path sees, the longest path first (RFC 6265, 5.4)."""
        return next((value for name, value in self._matching(host, path)
                     if name == wanted), None)

    def _matching(self, host, path):
        for key, value in sorted(self.cookies[host].items(),
                                 key=lambda one: -len(one[0].partition(";")[2])):
            name, _, below = key.partition(";")
            if path.startswith(below):
                yield name, value

    def absolute(self, url):
        return url if re.match("https?://", url) else self.gateway.url + url

    def dial(self, port, timeout=30):
        path = getattr(self.gateway, "socket", None)
        if path is None:
            return socket.create_connection(("127.0.0.1", port), timeout)
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(timeout)
        plain.connect(str(path))
        return plain

    def connect(self, url, timeout=30):
        parts = urllib.parse.urlsplit(url)
        plain = self.dial(parts.port, timeout)
        if parts.scheme == "http":
            return plain
        return self.tls.wrap_socket(plain, server_hostname=parts.hostname)

    def request(self, method, url, fields=None, body=None, timeout=30):
        url = self.absolute(url)
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        connection.sock = self.connect(url, timeout)
        sent = {"Accept": "*/*", **(fields or {})}
        cookies = self.cookie_field(parts.hostname, parts.path)
        if cookies and "Cookie" not in sent:
            sent["Cookie"] = cookies
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.getheaders(), answer.read(), url)
        connection.close()
        self.keep(parts.hostname, found)
        return found

    def keep(self, host, answer):
        for name, value in answer.fields:
            if name.lower() != "set-cookie":
                continue
            pair, *attributes = value.split(";")
            cookie, _, content = pair.strip().partition("=")
            gone = any(re.match(r"\s*max-age=(0|-\d+)\s*$", one, re.I)
                       or re.match(r"\s*expires=.*\b19[67]\d\b", one, re.I) for one in attributes)
            path = next((one.strip()[5:] for one in attributes
                         if one.strip().lower().startswith("path=")), "/")
            if path != "/":
                cookie += ";" + path
            if gone:
                self.cookies[host].pop(cookie, None)
            else:
                self.cookies[host][cookie] = content

    def get(self, url, fields=None):
        return self.request("GET", url, fields)

    def navigate(self, url, method="GET", body=None, fields=None, hops=15):
        """As a browser shows a page: follows redirects over all hosts. Where it came from stays
        what it was, until another site comes in between."""
        answer = self.request(method, url, {**NAVIGATION, **(fields or {})}, body)
        site = (fields or {}).get("Sec-Fetch-Site", "none")
        while answer.status in (301, 302, 303, 307, 308) and hops:
            hops -= 1
            target = urllib.parse.urljoin(answer.url, field(answer, "Location"))
            if site != "none" and urllib.parse.urlsplit(target)[:2] != \
                    urllib.parse.urlsplit(answer.url)[:2]:
                site = "cross-site"
            answer = self.request("GET", target, {**NAVIGATION, "Sec-Fetch-Site": site})
        return answer

    def submit(self, page, **values):
        """Sends the page's first form as a person would, with these values."""
        form = re.search(r"<form\b[^>]*>.*?</form>", page.body.decode(), re.S | re.I)[0]
        action = re.search(r'action="([^"]*)"', form)
        method = re.search(r'method="([^"]*)"', form, re.I)
        filled = {name: content for name, content in hidden(form)} | values
        target = urllib.parse.urljoin(page.url, html.unescape(action[1]) if action else "")
        encoded = urllib.parse.urlencode(filled)
        origin = urllib.parse.urlsplit(page.url)
        fields = {"Sec-Fetch-Site": "same-origin",
                  "Origin": f"{origin.scheme}://{origin.netloc}", "Referer": page.url}
        if method and method[1].lower() == "post":
            fields["Content-Type"] = "application/x-www-form-urlencoded"
            return self.navigate(target, "POST", encoded, fields)
        return self.navigate(target + ("?" + encoded if encoded else ""), fields=fields)

    def sign_in(self, user, url="/", password=None):
        """All the way from a page to the page; the last answer."""
        page = self.navigate(url)
        if b"kc-form-login" not in page.body:
            return page
        return self.submit(page, username=user, password=password or f"{user}-pw")

    def sign_out(self, host_url=None):
        page = self.navigate((host_url or self.gateway.url) + "/.gatehouse/logout")
        assert page.status == 200, (page.status, page.body[:300])
        return self.submit(page)

    def web_socket(self, url, origin=None, cookie=True, **more):
        url = self.absolute(url)
        parts = urllib.parse.urlsplit(url)
        headers = {"Cookie": self.cookie_field(parts.hostname, parts.path)} if cookie else {}
        if parts.scheme == "https":
            more |= {"ssl": self.socket_tls, "server_hostname": parts.hostname}
        return websockets.sync.client.connect(
            "ws" + url.removeprefix("http"), sock=self.dial(parts.port, None),
            origin=origin or f"{parts.scheme}://{parts.netloc}", additional_headers=headers,
            compression=None, open_timeout=15, **more)


def hidden(form):
    for tag in re.findall(r"<(?:input|button)\b[^>]*>", form, re.I):
        name = re.search(r'\bname="([^"]*)"', tag)
        value = re.search(r'\bvalue="([^"]*)"', tag)
        kind = re.search(r'\btype="([^"]*)"', tag)
        if name and (kind is None or kind[1] in ("hidden", "submit")):
            yield html.unescape(name[1]), html.unescape(value[1]) if value else ""


class Live:
    """Something that goes on until somebody ends it; a thread looks when that is."""

    def __init__(self, what):
        self.what = what
        self.running = threading.Event()
        self.over = threading.Event()
        self.ended_at, self.how, self.bytes = None, None, 0
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def start(self):
        self.thread.start()
        assert self.running.wait(20), f"{self.what} did not begin: {self.how}"
        return self

    def alive(self):
        return self.running.is_set() and not self.over.is_set()

    def _watch(self):
        try:
            self.how = self.run()
        except (OSError, ConnectionClosed, ssl.SSLError, http.client.HTTPException) as error:
            self.how = repr(error)
        self.ended_at = time.monotonic()
        self.over.set()


class LiveSocket(Live):
    """A WebSocket that only listens. Its close code is in `how`."""

    def __init__(self, client, url, what=None):
        super().__init__(what or "WebSocket " + url)
        self.client, self.url = client, url

    def run(self):
        with self.client.web_socket(self.url) as connection:
            self.connection = connection
            self.running.set()
            try:
                while True:
                    message = connection.recv()
                    self.bytes += len(message)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else "reset"

    def send(self, text):
        self.connection.send(text)


class LiveDownload(Live):
    """Reads an answer that does not end by itself, with a pause after each part of it."""

    def __init__(self, client, url, pause=0):
        super().__init__("download " + url.partition("?")[0])
        self.client, self.url, self.pause = client, url, pause

    def run(self):
        url = self.client.absolute(self.url)
        parts = urllib.parse.urlsplit(url)
        with self.client.connect(url) as connection:
            if self.pause:      # what lies in a buffer is read after the end too
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.sendall((
                f"GET {parts.path}{'?' * bool(parts.query)}{parts.query} HTTP/1.1\r\n"
                f"Host: {parts.netloc}\r\nCookie: "
                f"{self.client.cookie_field(parts.hostname, parts.path)}\r\n\r\n").encode())
            head = connection.recv(65536)
            assert head.startswith(b"HTTP/1.1 200"), head[:200]
            self.running.set()
            tail = b""
            while chunk := connection.recv(65536 if self.pause else 262144):
                self.bytes += len(chunk)
                tail = (tail + chunk)[-16:]
                time.sleep(self.pause)
            return "complete" if tail.endswith(b"0\r\n\r\n") else "cut"


class LiveUpload(Live):
    """Sends a chunked body, a little at a time."""

    def __init__(self, client, url):
        super().__init__("upload " + url)
        self.client, self.url = client, url

    def run(self):
        url = self.client.absolute(self.url)
        parts = urllib.parse.urlsplit(url)
        with self.client.connect(url) as connection:
            connection.sendall((
                f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                f"Cookie: {self.client.cookie_field(parts.hostname, parts.path)}\r\n"
                f"Origin: https://{parts.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
            connection.settimeout(0.02)
            while True:
                connection.sendall(b"400\r\n" + b"u" * 1024 + b"\r\n")
                self.bytes += 1024
                if self.bytes > 4096:
                    self.running.set()
                try:
                    answer = connection.recv(65536)
                except (TimeoutError, ssl.SSLWantReadError):
                    continue
                return answer[:200] or "closed"
