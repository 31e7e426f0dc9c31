# JupyterHub behind Gatehouse, which is its proxy and its gate (docs/sign-in.md). Nobody reaches
# the Hub or a notebook without having signed in at Keycloak.
import os

hub = os.environ.get("HUB_URL", "https://hub.example.org")
realm = os.environ.get("OIDC_ISSUER", "https://sso.example.org/realms/staff")

# The Hub starts Gatehouse as its proxy, and tells it addresses and certificate.
c.JupyterHub.bind_url = "https://:443"
c.JupyterHub.ssl_cert = "/etc/letsencrypt/live/hub.example.org/fullchain.pem"
c.JupyterHub.ssl_key = "/etc/letsencrypt/live/hub.example.org/privkey.pem"
c.JupyterHub.public_url = hub + "/"
c.ConfigurableHTTPProxy.command = [
    "gatehouse", "proxy", "--config", "/etc/jupyterhub/gatehouse.yaml", "--redirect-port", "80",
]

# The Hub asks Keycloak by itself who its user is: config/keycloak/jupyterhub-client.json. Whoever
# has come through the gate has signed in there and types no second password.
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.client_id = os.environ.get("OAUTH_CLIENT_ID", "jupyterhub")
# The client's secret is OAUTH_CLIENT_SECRET in the Hub's environment.
c.GenericOAuthenticator.authorize_url = realm + "/protocol/openid-connect/auth"
c.GenericOAuthenticator.token_url = realm + "/protocol/openid-connect/token"
c.GenericOAuthenticator.userdata_url = realm + "/protocol/openid-connect/userinfo"
c.GenericOAuthenticator.oauth_callback_url = hub + "/hub/oauth_callback"
c.GenericOAuthenticator.username_claim = "preferred_username"
c.GenericOAuthenticator.scope = ["openid", "profile"]
c.GenericOAuthenticator.auto_login = True
# Who may come in is for `access:` in gatehouse.yaml to say.
c.GenericOAuthenticator.allow_all = True

# After a sign-out the gate refuses everything at once. These two make the Hub and its servers
# forget soon as well: what they were told of a user is good for 30 s, not 300 s, and (with
# enable_auth_state) a user whom Keycloak no longer vouches for gets nothing by a token either.
c.Spawner.args = ["--HubOAuth.cache_max_age=30"]
c.Authenticator.auth_refresh_strict = True
