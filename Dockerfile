# A small image without root: docker build --tag gatehouse .
#
#   docker run --rm -p 8443:8443 -v /etc/gatehouse:/etc/gatehouse:ro \
#       -v gatehouse:/var/lib/gatehouse gatehouse
#   docker run --rm -p 8000:8000 -e CONFIGPROXY_AUTH_TOKEN gatehouse --default-target=http://hub:8081
#
# The process is user 65534: the configuration and what it names must be readable for it, and the
# state folder writable (a new named volume is). Both names of the command are on the PATH, for
# Kubernetes, which replaces the entry point (docs/zero-to-jupyterhub.md). There is no curl in it:
# whoever probes does it from outside (GET /_chp_healthz).

# The toolchain of .swift-version.
FROM swift:6.3.1-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev libyaml-dev libsqlite3-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY .swift-version Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY scripts/build-release scripts/need-swift scripts/
RUN scripts/build-release --product gatehouse \
    && strip -o /gatehouse .build/release/gatehouse

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 libyaml-0-2 libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65534 -g 65534 -m 0700 /var/lib/gatehouse
COPY --from=build /gatehouse /usr/local/bin/gatehouse
COPY scripts/container-entrypoint /usr/local/bin/container-entrypoint
RUN ln -s gatehouse /usr/local/bin/configurable-http-proxy
USER 65534:65534
ENV STATE_DIRECTORY=/var/lib/gatehouse
VOLUME /var/lib/gatehouse
# TLS, `proxy` in clear, its routes API.
EXPOSE 8443 8000 8001
# `serve` gives what is in flight up to 30 s (limits.drain); `proxy` ends at once without --drain.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/container-entrypoint"]
CMD ["serve", "--config", "/etc/gatehouse/gatehouse.yaml"]
