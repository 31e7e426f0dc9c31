# What a developer and CI call. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8443
FUZZ_SECONDS ?= 20
OLDER_JUPYTERHUB ?= 5.5.4

.PHONY: help deps build test e2e conformance lint format sanitize fuzz check fuzz-long soak bench image certs run clean

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@echo "  make run PORT=9443    another port"
	@echo "  make run JUPYTERHUB=1 a real JupyterHub behind it (from PyPI, below .demo)"
	@echo "  make run KEYCLOAK=1   sign in at a real Keycloak (KEYCLOAK_HOME or KEYCLOAK_LAB)"

deps: ## install the Debian packages that building needs, if any is missing
	@scripts/need-swift
	@scripts/install-packages build

build: deps ## both programs, optimised, into .build/release
	scripts/build-release

test: deps ## unit, corpus and integration tests (under 5 minutes)
	scripts/test

e2e: build ## a real Keycloak, JupyterLab and Chromium against .build/release/gatehouse
	@scripts/install-packages e2e
	scripts/e2e

conformance: build ## beside configurable-http-proxy 4.5 and 5.3; writes the table of docs/COMPATIBILITY.md
	scripts/install-packages e2e
	@CONFORMANCE_SLOW=1 scripts/conformance --peer all --outcomes=$(CURDIR)/.e2e/conformance.json || \
		echo "Some tests failed: the table says which." >&2
	scripts/conformance-table .e2e/conformance.json
	scripts/jupyterhub-tests
	JUPYTERHUB=$(OLDER_JUPYTERHUB) scripts/jupyterhub-tests
	JUPYTERHUB=$(OLDER_JUPYTERHUB) scripts/e2e -k test_proxy

lint: ## formatting, edges between modules, sizes, unsafe code, docs/THREATS.md
	scripts/lint

format: ## lay the sources out by .swift-format
	swift format --in-place --parallel --recursive Package.swift Sources Tests

sanitize: deps ## unit and integration tests under AddressSanitizer and ThreadSanitizer
	scripts/sanitize

fuzz: deps ## every fuzz target for FUZZ_SECONDS (20)
	scripts/fuzz $(FUZZ_SECONDS)

check: deps ## what CI runs: lint, test, sanitizers, short fuzzing, e2e, conformance
	@scripts/install-packages e2e
	@scripts/check $(FUZZ_SECONDS)

fuzz-long: ## every fuzz target for 15 minutes
	$(MAKE) fuzz FUZZ_SECONDS=900

soak: build ## an hour (SOAK_SECONDS) of a busy Hub's load and of failures: nothing may leak
	scripts/install-packages soak
	scripts/soak

bench: build ## CPU time per forwarded request and more, beside nginx and configurable-http-proxy
	scripts/install-packages bench
	scripts/bench

image: ## a container image: gatehouse on Debian slim, without root
	docker build --tag gatehouse .

certs: ## a development CA and a certificate for localhost, in certs/
	@certs/make-certs.sh

run: deps certs ## build and start the demonstration on https://localhost:8443
	@PORT=$(PORT) JUPYTERHUB=$(JUPYTERHUB) KEYCLOAK=$(KEYCLOAK) scripts/run-demo

clean: ## remove everything that was built
	rm -rf .build .e2e .demo
