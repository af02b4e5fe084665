# Wirewatch: the targets a person needs. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run test lint bench quality crash crash-cluster lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(STAMP): pyproject.toml requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Wirewatch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 run") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(STAMP) ## Start everything on this machine with the sample newsroom
	$(BIN)/wirewatch run --sample

test: $(VENV)/.installed-dev ## Run the whole test-suite
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## Check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev ## Print speeds as ratios and absolute figures
	$(BIN)/python -m tests.benchmarks

crash: $(VENV)/.installed-dev ## 200 random kills over a known ledger of items
	$(BIN)/python -m tests.crash --kills 200

crash-cluster: $(VENV)/.installed-dev ## 20 kills over a real Kafka and Elasticsearch
	$(BIN)/python -m tests.crash_cluster --kills 20

lock: $(VENV)/.installed-dev ## Write the lock files anew
	$(BIN)/python -m uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.txt
	$(BIN)/python -m uv pip compile pyproject.toml --extra distributed --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-distributed.txt
	$(BIN)/python -m uv pip compile pyproject.toml --group dev --extra cluster --extra distributed --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-dev.txt

clean: ## Remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
