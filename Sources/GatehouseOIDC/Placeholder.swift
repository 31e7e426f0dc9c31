// OIDC
