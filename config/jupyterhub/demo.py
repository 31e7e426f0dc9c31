"""JupyterHub in the demonstration: `make run JUPYTERHUB=1` uses this file as it stands.

It is good for trying things out only. Everybody's notebooks run as the one who started the
demonstration, and can read whatever that one can. scripts/demo-with sets the variables.
"""
import os
import sys

c = get_config()  # noqa: F821

url = os.environ["GATEHOUSE_DEMO_URL"]          # what browsers say, without a slash at the end
issuer = os.environ["GATEHOUSE_DEMO_ISSUER"]
folder = os.environ["GATEHOUSE_DEMO_FOLDER"]
hub_port = os.environ["GATEHOUSE_DEMO_HUB_PORT"]
api_port = os.environ["GATEHOUSE_DEMO_API_PORT"]

# The gateway runs already. It takes routes on its `api` listener, by CONFIGPROXY_AUTH_TOKEN.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{api_port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub_port}"
c.JupyterHub.public_url = url + "/"

# The Hub is a client of its own at the same provider: who has signed in for the gateway is not
# asked again. Its secret is in OAUTH_CLIENT_SECRET.
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.client_id = "jupyterhub"
c.GenericOAuthenticator.oauth_callback_url = f"{url}/hub/oauth_callback"
c.GenericOAuthenticator.authorize_url = f"{issuer}/protocol/openid-connect/auth"
c.GenericOAuthenticator.token_url = f"{issuer}/protocol/openid-connect/token"
c.GenericOAuthenticator.userdata_url = f"{issuer}/protocol/openid-connect/userinfo"
c.GenericOAuthenticator.scope = ["openid"]
c.GenericOAuthenticator.username_claim = "preferred_username"
c.GenericOAuthenticator.auto_login = True
c.GenericOAuthenticator.allow_all = True        # whom the provider knows may come in
# The authority of the development certificate, which the system does not know.
c.GenericOAuthenticator.http_request_kwargs = {"ca_certs": os.environ["GATEHOUSE_DEMO_CA"]}

# Servers are plain processes and need no user of the system.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{folder}/home/{{username}}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--LabApp.news_url=None",
                  "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
if os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

c.JupyterHub.db_url = f"sqlite:///{folder}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{folder}/cookie-secret"
