"""Debian's nginx with TLS before something in clear, as JupyterHub's documentation shows it, or with
a site of another kind."""
import ssl
import subprocess

from .basics import program, stop_process, wait_until

MAIN = """
user root; worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  include {folder}/site.conf;
}}
"""

SITE = """
map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
server {{
  listen 127.0.0.1:{port} ssl; client_max_body_size 0;
  ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;
  location / {{
    proxy_pass http://127.0.0.1:{upstream}; {location}
  }}
}}
"""

LOCATION = """
proxy_http_version 1.1; proxy_buffering off;
proxy_set_header Host $http_host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Scheme $scheme;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
"""


class Nginx:
    """`location` is what stands in the one location, `site` a whole text in place of all this."""

    def __init__(self, folder, port, certificates, upstream, location=LOCATION, site=None):
        folder.mkdir(parents=True)
        self.port = port
        self.url, self.authority = f"https://localhost:{port}", certificates / "ca.pem"
        (folder / "site.conf").write_text(site or SITE.format(
            port=port, certificates=certificates, upstream=upstream, location=location))
        file = folder / "nginx.conf"
        file.write_text(MAIN.format(folder=folder))
        self.process = subprocess.Popen(
            [program("nginx", "nginx-light"), "-p", str(folder), "-c", str(file)],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until((folder / "nginx.pid").exists, 5, "nginx runs")

    def tls(self):
        return ssl.create_default_context(cafile=str(self.authority))

    def stop(self):
        stop_process(self.process)
