"""JupyterHub in the demonstration: `make run JUPYTERHUB=1` uses this file as it stands.

It is good for trying things out only. Everybody's notebooks run as the one who started the
demonstration, and can read whatever that one can. scripts/demo-with sets the variables, among
them HUB_URL, OIDC_ISSUER, OAUTH_CLIENT_SECRET and CONFIGPROXY_AUTH_TOKEN.
"""
import os
import pathlib
import sys

c = get_config()  # noqa: F821

# What every JupyterHub behind Gatehouse is told; its address, certificate and proxy command mean
# nothing here. By its whole path: a mere name is looked for where the Hub was started.
load_subconfig(str(pathlib.Path(__file__).with_name("jupyterhub_config.py")))  # noqa: F821

folder = os.environ["GATEHOUSE_DEMO_FOLDER"]

# The gateway runs already and takes routes on its `api` listener.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['GATEHOUSE_DEMO_API_PORT']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['GATEHOUSE_DEMO_HUB_PORT']}"
# The authority of the development certificate, which the system does not know.
c.GenericOAuthenticator.http_request_kwargs = {"ca_certs": os.environ["GATEHOUSE_DEMO_CA"]}

# Servers are plain processes and need no user of the system.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{folder}/home/{{username}}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args += ["--LabApp.news_url=None",
                   "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
if os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

c.JupyterHub.db_url = f"sqlite:///{folder}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{folder}/cookie-secret"
