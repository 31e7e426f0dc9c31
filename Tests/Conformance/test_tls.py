"""Section 1 and 4: TLS on the public side, on the API and towards targets."""
import ssl
import subprocess

import pytest

from backend import response
from basics import unique
from contract import contract
from wire import Closed, Connection, request_bytes, upgrade_bytes

PUBLIC = ("--ssl-key", "{certs}/server.key", "--ssl-cert", "{certs}/server.crt")
OLD = ssl.TLSVersion.TLSv1_2


def flags(certificates, *words):
    return [word.replace("{certs}", str(certificates.folder)) for word in words]


@pytest.fixture
def tls_proxy(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC))
    proxy.tls = certificates.trusting()
    return proxy


def greeted(proxy, tls, server_name="localhost"):
    """Whether a request gets through; None if the handshake fails."""
    try:
        with Connection(proxy.public, tls=tls, server_name=server_name) as connection:
            connection.send(request_bytes("GET", "/_chp_healthz"))
            return connection.answer().status
    except (OSError, Closed):
        return None


# Public.

@contract("1", "`--ssl-key` and `--ssl-cert` turn TLS on for the public port, and only there")
def test_public(tls_proxy, backend):
    path = tls_proxy.add(unique(), backend)
    assert tls_proxy.get(path).status == 200
    with Connection(tls_proxy.public) as plain:
        plain.send(request_bytes("GET", path))
        assert b"200 OK" not in plain.to_the_end()
    tls_proxy.wait_log(r"info: Proxying https://")


@contract("4", "Behind TLS `x-forwarded-proto` is https and `x-forwarded-port` 443, that of a WebSocket wss")
def test_forwarded(tls_proxy, backends):
    backend = backends(lambda seen: seen.accept() if seen.get("upgrade") else seen.send(response()))
    path = tls_proxy.add(unique(), backend)
    tls_proxy.get(path, host="hub.test")
    assert (backend.last.get("x-forwarded-proto"), backend.last.get("x-forwarded-port")) == ("https", "443")
    with tls_proxy.connect() as connection:
        connection.send(upgrade_bytes(path, host="hub.test"))
        assert connection.answer().status == 101
    assert (backend.last.get("x-forwarded-proto"), backend.last.get("x-forwarded-port")) == ("wss", "443")


@contract("1", "By default TLS 1.2 and 1.3 are spoken")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_versions(tls_proxy, certificates, version):
    assert greeted(tls_proxy, certificates.trusting(minimum=version, maximum=version)) == 200


@contract("1", "By default TLS 1.0 and 1.1 are refused")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_old_versions(tls_proxy, certificates, version):
    assert greeted(tls_proxy, certificates.trusting(minimum=version, maximum=version, ciphers="ALL:@SECLEVEL=0")) is None
    assert greeted(tls_proxy, certificates.trusting()) == 200


@contract("1", "`--ssl-protocol TLSv1_2` is TLS 1.2 only")
def test_protocol(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-protocol", "TLSv1_2"))
    assert greeted(proxy, certificates.trusting(maximum=ssl.TLSVersion.TLSv1_2)) == 200
    assert greeted(proxy, certificates.trusting(minimum=ssl.TLSVersion.TLSv1_3)) is None


@contract("1", "`--ssl-ciphers` says which suites TLS 1.2 uses; TLS 1.3 is not touched")
def test_ciphers(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-ciphers", "ECDHE-RSA-AES256-GCM-SHA384"))
    assert greeted(proxy, certificates.trusting(maximum=OLD, ciphers="ECDHE-RSA-AES256-GCM-SHA384")) == 200
    assert greeted(proxy, certificates.trusting(maximum=OLD, ciphers="ECDHE-RSA-AES128-GCM-SHA256")) is None
    assert greeted(proxy, certificates.trusting(minimum=ssl.TLSVersion.TLSv1_3)) == 200


@contract("1", "The order of the server's suites counts", gatehouse="the client's, unless --ssl-ciphers is given",
          why="all of ours are strong, and a client knows which is fast for it")
def test_cipher_order(tls_proxy, certificates, differs):
    client = certificates.trusting(maximum=OLD, ciphers="ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")
    with Connection(tls_proxy.public, tls=client) as connection:
        assert connection.socket.cipher()[0] == f"ECDHE-RSA-AES{256 if differs else 128}-GCM-SHA{384 if differs else 256}"


@contract("1", "`--ssl-dhparam` offers finite-field Diffie-Hellman")
def test_dhparam(proxy_with, certificates):
    file = certificates.folder / "dh.pem"
    if not file.exists():
        subprocess.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "dh_param:ffdhe2048", "-out", str(file)],
                       check=True, capture_output=True)
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-dhparam", str(file)))
    assert greeted(proxy, certificates.trusting(maximum=OLD, ciphers="DHE-RSA-AES128-GCM-SHA256")) == 200


@contract("1", "`--ssl-allow-rc4` is accepted and has no effect in practice")
def test_rc4(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-allow-rc4"))
    assert greeted(proxy, certificates.trusting()) == 200


@contract("1", "`--ssl-request-cert` alone lets only a client with a trusted certificate through, as if `--ssl-reject-unauthorized` were there")
@pytest.mark.parametrize("identity, wanted", [("client", 200), (None, None), ("stranger", None)])
def test_request_cert(proxy_with, certificates, identity, wanted):
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-ca", "{certs}/ca.crt", "--ssl-request-cert"))
    assert greeted(proxy, certificates.trusting(identity)) == wanted


def test_authorities_told(proxy_with, certificates):
    """A browser offers those certificates alone that one of these has signed."""
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-ca", "{certs}/both.crt", "--ssl-request-cert"))
    said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-tls1_2"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10).stdout
    names = said.partition("Acceptable client certificate CA names\n")[2].splitlines()[:2]
    assert {one.replace(" = ", "=") for one in names} == {"CN=conformance ca", "CN=conformance other"}


@contract("1", "`--ssl-reject-unauthorized` alone asks for no certificate")
def test_reject_alone(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-ca", "{certs}/ca.crt", "--ssl-reject-unauthorized"))
    assert greeted(proxy, certificates.trusting()) == 200
    assert greeted(proxy, certificates.trusting("stranger")) == 200


@contract("1", "With `--ssl-reject-unauthorized`, too, only one that `--ssl-ca` signed is let through")
@pytest.mark.parametrize("identity, wanted", [("client", 200), (None, None), ("stranger", None)])
def test_require_cert(proxy_with, certificates, identity, wanted):
    proxy = proxy_with(*flags(certificates, *PUBLIC, "--ssl-ca", "{certs}/ca.crt", "--ssl-request-cert", "--ssl-reject-unauthorized"))
    assert greeted(proxy, certificates.trusting(identity)) == wanted


@contract("1", "`CONFIGPROXY_SSL_KEY_PASSPHRASE` opens an encrypted key")
def test_passphrase(start, certificates):
    proxy = start(*flags(certificates, "--ssl-key", "{certs}/locked.key", "--ssl-cert", "{certs}/server.crt"),
                  environment={"CONFIGPROXY_SSL_KEY_PASSPHRASE": "open sesame"})
    assert greeted(proxy, certificates.trusting()) == 200


@contract("1", "A file of TLS that cannot be read ends the start with 1 and words on stderr", gatehouse="with a line of the log on stdout",
          why="an error of the configuration is a line of the log")
def test_unreadable(peer, certificates, differs):
    ended = peer.run("--ssl-key", "/nowhere/key.pem", "--ssl-cert", certificates["server.crt"])
    assert ended.returncode == 1
    assert "/nowhere/key.pem" in (ended.stdout if differs else ended.stderr)


@contract("1", "A key without a certificate starts, and every handshake fails", gatehouse="the start ends with 1",
          why="what cannot work should not look as if it ran")
def test_key_alone(start, peer, certificates, differs):
    if differs:
        ended = peer.run("--ssl-key", certificates["server.key"])
        assert ended.returncode == 1 and ended.stderr
    else:
        proxy = start("--ssl-key", certificates["server.key"])
        assert greeted(proxy, certificates.trusting()) is None


@contract("4", "ALPN chooses `http/1.1`, and never h2")
def test_alpn(tls_proxy, certificates):
    client = certificates.trusting()
    client.set_alpn_protocols(["h2", "http/1.1"])
    with Connection(tls_proxy.public, tls=client) as connection:
        assert connection.socket.selected_alpn_protocol() == "http/1.1"


# API.

API = ("--api-ssl-key", "{certs}/server.key", "--api-ssl-cert", "{certs}/server.crt", "--api-ssl-ca", "{certs}/ca.crt")


@contract("1", "`--api-ssl-key` and `--api-ssl-cert` turn TLS on for the API")
def test_api(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *API))
    proxy.api_tls = certificates.trusting()
    assert proxy.routes() is not None
    assert proxy.get("/_chp_healthz").status == 200
    proxy.wait_log(r"info: Proxy API at https://")


@contract("1", "With both booleans of the API a client without a certificate, or with a stranger's, fails")
@pytest.mark.parametrize("identity, good", [("client", True), (None, False), ("stranger", False)])
def test_api_require_cert(proxy_with, certificates, identity, good):
    proxy = proxy_with(*flags(certificates, *API, "--api-ssl-request-cert", "--api-ssl-reject-unauthorized"))
    proxy.api_tls = certificates.trusting(identity)
    try:
        found = proxy.api("GET", "/api/routes").status
    except (OSError, Closed):
        found = None
    assert found == (200 if good else None)


@contract("1", "`--ssl-protocol` and `--ssl-ciphers` hold for the API, too")
def test_api_protocol(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *API, "--ssl-protocol", "TLSv1_2", "--ssl-ciphers", "ECDHE-RSA-AES256-GCM-SHA384"))
    proxy.api_tls = certificates.trusting(maximum=OLD, ciphers="ECDHE-RSA-AES256-GCM-SHA384")
    assert proxy.api("GET", "/api/routes").status == 200
    for client in (certificates.trusting(minimum=ssl.TLSVersion.TLSv1_3),
                   certificates.trusting(maximum=OLD, ciphers="ECDHE-RSA-AES128-GCM-SHA256")):
        proxy.api_tls = client
        with pytest.raises((OSError, Closed)):
            proxy.api("GET", "/api/routes")


@contract("1", "`CONFIGPROXY_API_SSL_KEY_PASSPHRASE` opens the API's encrypted key")
def test_api_passphrase(start, certificates):
    proxy = start(*flags(certificates, "--api-ssl-key", "{certs}/locked.key", "--api-ssl-cert", "{certs}/server.crt"),
                  environment={"CONFIGPROXY_API_SSL_KEY_PASSPHRASE": "open sesame"})
    proxy.api_tls = certificates.trusting()
    assert proxy.api("GET", "/api/routes").status == 200


# Targets.

CLIENT = ("--client-ssl-key", "{certs}/client.key", "--client-ssl-cert", "{certs}/client.crt", "--client-ssl-ca", "{certs}/ca.crt")


@contract("1", "An https target whose certificate `--client-ssl-ca` signed is trusted; the file may hold several")
@pytest.mark.parametrize("file", ["ca.crt", "both.crt"])
def test_client_ca(proxy_with, backends, certificates, file):
    proxy = proxy_with("--client-ssl-ca", certificates[file])
    path = proxy.add(unique(), backends(tls=certificates.serving()))
    assert proxy.get(path, host="127.0.0.1").status == 200


@contract("4", "An https target whose certificate nobody trusted signed is 503")
@pytest.mark.parametrize("words", [(), ("--client-ssl-ca", "{certs}/other.crt")])
def test_untrusted(proxy_with, backends, certificates, words):
    proxy = proxy_with(*flags(certificates, *words))
    backend = backends(tls=certificates.serving())
    assert proxy.get(proxy.add(unique(), backend), host="127.0.0.1").status == 503
    assert backend.requests == []


@pytest.mark.parametrize("words, status", [((), 200), (("--client-ssl-ca", "{certs}/other.crt"), 503)])
def test_client_ca_alone(proxy_with, backends, certificates, words, status):
    """It vouches in place of the system's authorities, not beside them."""
    proxy = proxy_with(*flags(certificates, *words), environment={
        "SSL_CERT_FILE": str(certificates["ca.crt"]), "NODE_OPTIONS": "--use-openssl-ca"})
    backend = backends(tls=certificates.serving())
    assert proxy.get(proxy.add(unique(), backend), host="127.0.0.1").status == status
    assert len(backend.requests) == (status == 200)


@contract("1", "`--client-ssl-key` and `--client-ssl-cert` are shown to a target that asks")
def test_client_identity(proxy_with, backends, certificates):
    proxy = proxy_with(*flags(certificates, *CLIENT))
    backend = backends(tls=certificates.serving(clients="ca.crt"))
    assert proxy.get(proxy.add(unique(), backend), host="127.0.0.1").status == 200
    subject = dict(part[0] for part in backend.handshakes[0]["subject"])
    assert subject["commonName"] == "client"


@contract("1", "`--ssl-protocol` and `--ssl-ciphers` hold towards https targets, too, where there is a flag of client TLS",
          chp="they have no effect there")
@pytest.mark.parametrize("version, ciphers, wanted", [
    (ssl.TLSVersion.TLSv1_3, None, 503), (OLD, "ECDHE-RSA-AES256-GCM-SHA384", 200), (OLD, "ECDHE-RSA-AES128-GCM-SHA256", 503)])
def test_client_protocol(proxy_with, backends, certificates, version, ciphers, wanted, differs):
    wanted = 200 if differs else wanted
    target = certificates.serving()
    target.minimum_version = target.maximum_version = version
    if ciphers:
        target.set_ciphers(ciphers)
    backend = backends(tls=target)
    limited = proxy_with(*flags(certificates, *CLIENT, "--ssl-protocol", "TLSv1_2", "--ssl-ciphers", "ECDHE-RSA-AES256-GCM-SHA384"))
    assert limited.get(limited.add(unique(), backend), host="127.0.0.1").status == wanted
    # The target itself is one that others reach.
    usual = proxy_with(*flags(certificates, *CLIENT))
    assert usual.get(usual.add(unique(), backend), host="127.0.0.1").status == 200
    assert len(backend.requests) == (2 if wanted == 200 else 1)


@contract("1", "`--client-ssl-request-cert` and `--client-ssl-reject-unauthorized` are accepted without effect")
def test_client_booleans(proxy_with, backends, certificates):
    proxy = proxy_with(*flags(certificates, *CLIENT, "--client-ssl-request-cert", "--client-ssl-reject-unauthorized"))
    assert proxy.get(proxy.add(unique(), backends(tls=certificates.serving())), host="127.0.0.1").status == 200


@contract("1", "The client's identity is used towards an https error target, too")
def test_client_error_target(start, backends, certificates):
    errors = backends(response(body="page"), tls=certificates.serving(clients="ca.crt"))
    proxy = start(*flags(certificates, *CLIENT, "--error-target", errors.url))
    assert proxy.get("/nowhere", host="127.0.0.1").text == "page"


@contract("1", "`--insecure` skips the verification of https targets", chp53="no effect, defect 13.5")
def test_insecure(proxy_with, backends, certificates, differs):
    proxy = proxy_with("--insecure")
    assert proxy.get(proxy.add(unique(), backends(tls=certificates.serving()))).status == (503 if differs else 200)


@contract("4", "SNI and the verified name are those of the target, whatever the Host", chp="those of the Host, defect 13.5")
def test_server_name(proxy_with, backends, certificates, differs):
    proxy = proxy_with("--client-ssl-ca", certificates["ca.crt"])
    names = []
    context = certificates.serving()
    context.sni_callback = lambda _, name, __: names.append(name)
    backend = backends(tls=context)
    status = proxy.get(proxy.add(unique(), backend), host="hub.example.org").status
    assert status == (503 if differs else 200)
    assert names == (["hub.example.org"] if differs else [None])


# Redirect.

@contract("1", "`--redirect-port` answers 301 to https with the public port, in clear, and says so")
def test_redirect(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC), "--redirect-port", "{metrics}")
    answer = proxy_get(proxy, "/a/b?c=d", "hub.test:1234")
    assert (answer.status, answer.get("location")) == (301, f"https://hub.test:{proxy.port}/a/b?c=d")
    proxy.wait_log(rf"info: Added HTTP to HTTPS redirection from {proxy.port + 2} to {proxy.port}$")


def proxy_get(proxy, target, host):
    with Connection(proxy.metrics) as connection:
        connection.send(request_bytes("GET", target, host=host))
        return connection.answer()


@contract("1", "`--redirect-to` is the port in the redirect")
def test_redirect_to(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC), "--redirect-port", "{metrics}", "--redirect-to", "8443")
    assert proxy_get(proxy, "/x", "hub.test").get("location") == "https://hub.test:8443/x"


@contract("1", "The health check on the redirect port is redirected like all else", gatehouse="200",
          why="a probe asks whether somebody is there")
def test_redirect_health(proxy_with, certificates, differs):
    proxy = proxy_with(*flags(certificates, *PUBLIC), "--redirect-port", "{metrics}")
    answer = proxy_get(proxy, "/_chp_healthz", "hub.test")
    if differs:
        assert (answer.status, answer.json()) == (200, {"status": "OK"})
    else:
        assert answer.get("location") == f"https://hub.test:{proxy.port}/_chp_healthz"


@contract("12", "`--redirect-to=443` redirects to `https://host/…`", chp="to `https://host:443/…`")
def test_redirect_to_443(proxy_with, certificates, differs):
    proxy = proxy_with(*flags(certificates, *PUBLIC), "--redirect-port={metrics}", "--redirect-to=443")
    location = proxy_get(proxy, "/x", "hub.test").get("location")
    assert location in (["https://hub.test:443/x"] if differs else ["https://hub.test/x"])


@contract("1", "A request without Host to the redirect port is 400")
def test_redirect_without_host(proxy_with, certificates):
    proxy = proxy_with(*flags(certificates, *PUBLIC), "--redirect-port", "{metrics}")
    with Connection(proxy.metrics) as connection:
        connection.send("GET /x HTTP/1.0\r\n\r\n")
        assert connection.answer().status == 400


@contract("1", "`--redirect-port` without TLS ends the start with 1 and `HTTPS redirection specified but certificates not provided.`")
def test_redirect_without_tls(peer):
    ended = peer.run("--redirect-port", "8080")
    assert ended.returncode == 1
    assert "HTTPS redirection specified but certificates not provided." in ended.stdout + ended.stderr
