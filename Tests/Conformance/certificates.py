"""A certificate authority of the run and what it signed, made by the openssl command."""
import ssl
import subprocess


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def sign(folder, name, names, authority="ca", use="serverAuth,clientAuth"):
    (folder / f"{name}.ext").write_text(
        f"subjectAltName={names}\nextendedKeyUsage={use}\nbasicConstraints=CA:FALSE\n")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt",
            "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2", "-sha256",
            "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def make(folder):
    for authority in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-keyout", f"{authority}.key", "-out", f"{authority}.crt",
                "-subj", f"/CN=conformance {authority}",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    sign(folder, "server", "DNS:localhost,DNS:proxy.test,IP:127.0.0.1")
    sign(folder, "backend", "IP:127.0.0.1")
    sign(folder, "client", "DNS:client.test")
    sign(folder, "stranger", "DNS:client.test", authority="other")
    openssl(folder, "rsa", "-aes256", "-passout", "pass:open sesame", "-in", "server.key",
            "-out", "locked.key")
    (folder / "both.crt").write_text(
        (folder / "other.crt").read_text() + (folder / "ca.crt").read_text())


class Certificates:
    def __init__(self, folder):
        self.folder = folder

    def __getitem__(self, name):
        return str(self.folder / name)

    def trusting(self, identity=None, minimum=None, maximum=None, ciphers=None):
        """For a client that trusts the run's authority and shows `identity`."""
        made = ssl.create_default_context(cafile=self["ca.crt"])
        if identity:
            made.load_cert_chain(self[f"{identity}.crt"], self[f"{identity}.key"])
        if minimum:
            made.minimum_version = minimum
        if maximum:
            made.maximum_version = maximum
        if ciphers:
            made.set_ciphers(ciphers)
        return made

    def serving(self, name="backend", clients=None):
        """For an upstream; with `clients` it requires a certificate that this authority signed."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self[f"{name}.crt"], self[f"{name}.key"])
        if clients:
            made.verify_mode = ssl.CERT_REQUIRED
            made.load_verify_locations(self[clients])
        return made
