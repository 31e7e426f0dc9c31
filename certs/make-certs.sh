#!/usr/bin/env bash
# Makes a certificate authority and a server certificate for development and tests.
#   certs/make-certs.sh [DIR]        DIR is this folder unless given; see README.md.
# Run again, it leaves what is still good for a week and makes anew what is not.
set -euo pipefail
umask 077

dir=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}
week=$((7 * 24 * 3600))
mkdir -p "$dir"
cd "$dir"

command -v openssl >/dev/null || {
    echo "make-certs.sh: openssl is missing (Debian: apt-get install openssl)" >&2
    exit 1
}

# Whether a certificate file is there, reads as one and lasts another week.
lasts() { openssl x509 -in "$1" -noout -checkend "$week" >/dev/null 2>&1; }

# Whether a certificate and a private key belong together.
pair() {
    [ "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" = \
        "$(openssl pkey -in "$2" -pubout 2>/dev/null || echo none)" ]
}

# Two runs at once, `make run` beside `make e2e` for example, must not mix their files.
exec 9<.
flock 9

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

work=$(mktemp -d ./.new.XXXXXX)
trap 'rm -rf "$work"' EXIT

if ! { lasts ca.pem && pair ca.pem ca.key; }; then
    cat >"$work/ca.cnf" <<'CONF'
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = Gatehouse development CA
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
# Whoever steals this key can impersonate only the owner's own machine (RFC 5280, 4.2.1.10).
nameConstraints = critical, permitted;DNS:localhost, permitted;IP:127.0.0.0/255.0.0.0, permitted;IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF
CONF
    new_key "$work/ca.key"
    openssl req -new -x509 -config "$work/ca.cnf" -key "$work/ca.key" -sha256 -days 825 \
        -out "$work/ca.pem"
    chmod 644 "$work/ca.pem"
    mv -f "$work/ca.key" ca.key
    mv -f "$work/ca.pem" ca.pem
    rm -f server.pem
fi

if ! { lasts server.pem && pair server.pem server.key &&
    openssl verify -CAfile ca.pem server.pem >/dev/null 2>&1; }; then
    cat >"$work/server.cnf" <<'CONF'
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:*.localhost, DNS:app-a.localhost, DNS:app-b.localhost, IP:127.0.0.1, IP:::1
CONF
    new_key "$work/server.key"
    openssl req -new -key "$work/server.key" -subj /CN=localhost -out "$work/server.csr"
    openssl x509 -req -in "$work/server.csr" -CA ca.pem -CAkey ca.key -sha256 -days 397 \
        -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/server.cnf" \
        -out "$work/server.pem" 2>/dev/null
    chmod 644 "$work/server.pem"
    mv -f "$work/server.key" server.key
    mv -f "$work/server.pem" server.pem
fi
