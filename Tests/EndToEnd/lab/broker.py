"""A Keycloak that signs people in by a provider of its own, as a university's does: on the way out
it sends the browser there, to another origin, and only then ends its session."""
import http.client
import http.server
import threading
import time
import urllib.parse

DROPPED = {"connection", "transfer-encoding", "keep-alive"}


class Brokered:
    """Stands before Keycloak under a name of its own, which Keycloak takes for its issuer's."""

    def __init__(self, keycloak):
        target = urllib.parse.urlsplit(keycloak.base).netloc
        self.visits = []        # of the other provider
        self.hands_on = True
        self.delay = 0          # seconds until its metadata are there
        self.other = serve(self._other)
        self.front = serve(lambda request, body: self._front(target, request, body))
        self.base = f"http://localhost:{self.front.server_port}"
        self.issuer = f"{self.base}/realms/{keycloak.realm}"

    def close(self):
        for one in (self.front, self.other):
            one.shutdown()
            one.server_close()

    def _other(self, request, body):
        query = urllib.parse.urlsplit(request.path).query
        self.visits.append(query)
        return redirect(f"{self.issuer}/protocol/openid-connect/logout?{query}&was=there")

    def _front(self, target, request, body):
        parts = urllib.parse.urlsplit(request.path)
        if "/.well-known/" in parts.path:
            time.sleep(self.delay)
        is_logout = parts.path.endswith("/protocol/openid-connect/logout")
        if is_logout and self.hands_on and "was=there" not in parts.query:
            asked = parts.query or body.decode()
            return redirect(f"http://127.0.0.1:{self.other.server_port}/logout?{asked}")
        onward = http.client.HTTPConnection(target, timeout=30)
        try:
            onward.request(request.command, request.path, body or None, dict(request.headers))
            answer = onward.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            onward.close()


def redirect(url):
    return 302, [("Location", url)], b""


def serve(answer):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, fields, content = answer(self, body)
            self.send_response_only(status)
            for name, value in fields:
                if name.lower() not in DROPPED | {"content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
