# Needs GNU make 4 and Python 3.11, 3.12 or 3.13; the network is only used to install the pinned packages, once.

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

# A python3.13 on the path may be a shim that does not run, or lack a standard module: only running it tells.
SUITABLE := import ensurepip, sqlite3, ssl, sys, venv; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
VERSION := import sys; print("%d.%d" % sys.version_info[:2])
ifndef PYTHON
PYTHON := $(shell for each in python3.13 python3.12 python3.11 python3; do \
	if $$each -c '$(SUITABLE)' >/dev/null 2>&1; then echo $$each; break; fi; done)
endif

.DEFAULT_GOAL := help
.PHONY: help run serve test test-versions check bench peers docs lock wheel clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

run: $(VENV)/run ## demonstration: start the gateway, submit, find, retrieve and replace documents, stop
	@$(BIN)/xds-gateway demo

serve: $(VENV)/run ## a gateway with throw-away keys on this machine, until Ctrl-C
	@test -e var/pki/issuer.crt || $(BIN)/xds-gateway pki --force
	@exec $(BIN)/xds-gateway serve

# Tests start hundreds of programs: compiled once, also where PYTHONDONTWRITEBYTECODE is set
test: $(VENV)/dev ## all tests (PYTEST="-k name" chooses)
	@$(BIN)/python -m compileall -q xds_gateway tests
	@$(BIN)/python -m pytest -n 3 $(PYTEST)

PEERS = softhsm2 rsyslog rsyslog-gnutls openssl curl

# What another version of Python may change: all that runs in one process, and of the wire what sockets, TLS, programs
# and libraries make of it. Rules, pages, attacks, kills, races and other products are tried once.
EACH = tests/unit tests/contract $(addprefix tests/wire/test_,assertions.py audit_fhir.py calling_with_assertions.py cli.py \
	feeds.py feeds_v3.py forwarding.py http.py identity.py mime.py nodes.py reload.py retrieve.py sdk.py soap.py \
	submissions.py tls.py xop.py) $(addprefix --ignore=tests/unit/,test_docs.py test_project.py rules/test_any_message.py \
	server/test_attacks.py server/test_every_rule.py server/test_hidden.py)

test-versions: $(VENV)/dev ## tests on each other supported Python of this machine
	@seen=$$($(BIN)/python -c '$(VERSION)'); \
	for each in $$(command -v python3.11 python3.12 python3.13; ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/*/bin/python3 2>/dev/null); do \
		"$$each" -c '$(SUITABLE)' >/dev/null 2>&1 || continue; \
		version=$$("$$each" -c '$(VERSION)'); \
		case " $$seen " in *" $$version "*) continue;; esac; seen="$$seen $$version"; \
		echo "Python $$version"; \
		$(MAKE) --no-print-directory test PYTHON="$$each" VENV=var/venv/$$version PYTEST="$(EACH) $(PYTEST)" || exit 1; \
	done

check: $(VENV)/dev ## lint, types, import contracts, stale documentation
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python -m compileall -q xds_gateway tests docs setup.py

peers: ## install the other products that tests talk to (Debian, as root): an HSM in software, a syslog server
	@dpkg -s $(PEERS) >/dev/null 2>&1 || { apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PEERS) >/dev/null; }

bench: $(VENV)/dev ## measure every transaction; also writes var/bench.json
	@$(BIN)/python -m tests.bench

docs: $(VENV)/dev ## write the generated pages again
	@$(BIN)/python docs/generate.py

lock: ## pin the newest packages that setup.cfg allows
	@$(PYTHON) -m venv var/venv/lock && var/venv/lock/bin/pip install --quiet uv
	@for each in "build requirements/build.in" "run setup.py" "dev setup.py --extra dev --constraints requirements/run.txt"; do \
		set -- $$each; name=$$1; shift; \
		var/venv/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header -o requirements/$$name.txt "$$@" || exit 1; \
	done

wheel: $(VENV)/dev ## build dist/*.whl
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove what make made; keys and data in var/ stay
	@rm -rf $(VENV) var/venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find xds_gateway tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@if ! "$(PYTHON)" -c '$(SUITABLE)' 2>/dev/null; then \
		echo "make: this needs Python 3.11, 3.12 or 3.13 with its venv, ssl and sqlite3 modules; install one, or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
	@echo "Making $(VENV) with the pinned packages, once"
	@"$(PYTHON)" -m venv $(VENV)

# The package itself is installed editable, so that a changed line counts at once.
$(VENV)/run: requirements/build.txt requirements/run.txt setup.cfg pyproject.toml setup.py | $(BIN)/python
	@$(PIP) -r requirements/build.txt
	@$(PIP) --no-build-isolation -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	@$(PIP) --no-build-isolation -r requirements/dev.txt
	@touch $@
