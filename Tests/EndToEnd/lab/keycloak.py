"""The real Keycloak of KEYCLOAK_LAB, and what its administrator does."""
import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .basics import TOP, need, program


class Keycloak:
    def __init__(self, folder, gateway_url, authority):
        self.lab = pathlib.Path(need(os.environ.get("KEYCLOAK_LAB"),
                                     "KEYCLOAK_LAB is not set: a folder with `start` and `stop`"))
        program("java", "openjdk-17-jre-headless")
        self.folder = folder
        self.arguments = ["--gateway", gateway_url, "--trust", str(authority), "--https"]
        self.realm = "lab"
        self.start()

    def start(self):
        answer = subprocess.run(
            [str(self.lab / "start"), "--dir", str(self.folder), *self.arguments],
            check=True, stdout=subprocess.PIPE, text=True, timeout=180)
        self.facts = json.loads(answer.stdout)
        self.base = self.facts["base_url"]
        self.issuer = f"{self.base}/realms/{self.realm}"
        self.https_issuer = f"{self.facts['https_url']}/realms/{self.realm}"
        self.https_authority = self.facts["ca_file"]

    def stop(self, kill=False):
        subprocess.run([str(self.lab / "stop"), "--dir", str(self.folder),
                        *(["--kill"] if kill else [])], check=False, timeout=60)

    # What an administrator does.

    def _call(self, method, path, body=None):
        token = self._token()
        request = urllib.request.Request(
            f"{self.base}/admin/realms/{self.realm}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": "Bearer " + token, "Content-Type": "application/json"},
            method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def _token(self):
        form = {"grant_type": "client_credentials", "client_id": "lab-admin",
                "client_secret": "lab-admin-secret"}
        with urllib.request.urlopen(f"{self.issuer}/protocol/openid-connect/token",
                                    urllib.parse.urlencode(form).encode(), timeout=30) as answer:
            return json.load(answer)["access_token"]

    def user(self, name):
        return self._call("GET", f"/users?exact=true&username={name}")[0]["id"]

    def sessions(self, name):
        """The sids of a user's sessions, the newest last."""
        found = self._call("GET", f"/users/{self.user(name)}/sessions")
        return [one["id"] for one in sorted(found, key=lambda one: one["start"])]

    def end_session(self, sid):
        self._call("DELETE", f"/sessions/{sid}")

    def log_out_user(self, name):
        self._call("POST", f"/users/{self.user(name)}/logout")

    def end_all(self):
        """Every session of the realm, between tests."""
        try:
            self._call("POST", "/logout-all")
        except urllib.error.HTTPError:
            pass

    def add_client(self, file, name, url, **others):
        """The client that a file of config/keycloak describes, by this name and for this URL.
        `others` are the URLs of more hosts."""
        text = (TOP / "config/keycloak" / file).read_text(encoding="utf-8")
        for host, here in {"gatehouse": url, **others}.items():
            text = text.replace(f"https://{host}.example.org", here)
        client = json.loads(text)
        for old in self._call("GET", f"/clients?clientId={name}"):
            self._call("DELETE", f"/clients/{old['id']}")
        self._call("POST", "/clients", client | {"clientId": name, "secret": name + "-secret"})

    def allow_addresses(self, urls):
        """Gives the client gatehouse these public URLs besides its own."""
        client = self._call("GET", "/clients?clientId=gatehouse")[0]
        client["redirectUris"] = sorted(
            {*client["redirectUris"], *(url + "/.gatehouse/callback" for url in urls)})
        landing = client["attributes"]["post.logout.redirect.uris"].split("##")
        client["attributes"]["post.logout.redirect.uris"] = "##".join(
            sorted({*landing, *(url + "/.gatehouse/logged-out" for url in urls)}))
        self._call("PUT", f"/clients/{client['id']}", client)
