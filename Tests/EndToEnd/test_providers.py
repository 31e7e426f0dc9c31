"""A Keycloak with a certificate of its own authority."""
from lab.basics import free_port, wait_until
from lab.client import SESSION, Client
from lab.gateway import Gateway


def with_https(folder, certificates, keycloak, upstream, name, oidc):
    port = free_port()
    keycloak.allow_addresses([f"https://localhost:{port}"])
    return Gateway(
        folder / name, port, certificates, hosts=["localhost"],
        routes=[{"path": "/", "upstream": upstream.url}],
        access=[{"path": "/**", "allow": "signed_in"}],
        oidc={"issuer": keycloak.https_issuer, **oidc})


class Trusting(Client):
    """Believes Keycloak's own authority too."""

    def __init__(self, gateway, authority):
        super().__init__(gateway)
        self.tls.load_verify_locations(authority)


def test_its_authority_named_in_the_configuration(
        folder, certificates, keycloak, upstream, fresh_sessions):
    gateway = with_https(folder, certificates, keycloak, upstream, "own-ca",
                         {"ca_file": keycloak.https_authority})
    try:
        client = Trusting(gateway, keycloak.https_authority)
        assert client.sign_in("alice", "/secure").url == f"{gateway.url}/secure"
        assert client.get("/secure").status == 200
        page = client.sign_out()
        assert page.url.startswith(f"{gateway.url}/.gatehouse/logged-out")
    finally:
        assert gateway.stop() == 0


def test_its_authority_not_named(folder, certificates, keycloak, upstream):
    gateway = with_https(folder, certificates, keycloak, upstream, "no-ca", {})
    try:
        client = Trusting(gateway, keycloak.https_authority)
        before = len(upstream.requests)
        page = client.navigate("/secure")
        assert page.status in (502, 503) and SESSION not in client.cookies["localhost"]
        assert len(upstream.requests) == before
        wait_until(lambda: "certificate" in gateway.log().lower(), 3, "the log names the cause")
    finally:
        assert gateway.stop() == 0
