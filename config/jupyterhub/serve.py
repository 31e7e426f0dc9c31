# As jupyterhub_config.py, with a gateway that the Hub does not start: `gatehouse serve --config
# gatehouse-serve.yaml`. The address and the certificate of the other file mean nothing then.
import os

# By its whole path: a mere name is looked for where the Hub was started.
load_subconfig(os.path.join(os.path.dirname(__file__), "jupyterhub_config.py"))

c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
# Its token is CONFIGPROXY_AUTH_TOKEN in the Hub's environment, and the same in proxy-token.

# Servers go on while the Hub restarts, and it tells a gateway that has forgotten them soon.
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.last_activity_interval = 60
