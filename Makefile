# Each target does its own set-up: a machine needs Python 3.11 or newer, make, git and a C library.
PYTHON ?= python3
VENV   := .venv
PORT   ?= 8000
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run demo test coverage bench lint format types lock hooks clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The lock names every package with its hashes; nothing is installed again until it changes.
$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is not. Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { \
	  echo "The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(VENV)/bin/uv pip install --python $(PY) --require-hashes --requirements requirements.lock
	@touch $@

run: $(STAMP) ## Start the platform on http://127.0.0.1:8000 (PORT=...), with a demonstration on first start
	@exec $(PY) manage.py serve --demo-on-first-start --port $(PORT)

demo: $(STAMP) ## Run the demonstration by itself: real processes, a data folder of its own
	@$(PY) manage.py demo

test: $(STAMP) ## Check everything: lint, types, import contracts, migrations, tests
	@$(PY) -m tests.run_all

coverage: $(STAMP) ## Say which lines and branches the tests on SQLite never reach
	@$(PY) -m pytest -q -n 2 --cov --cov-report=term:skip-covered -m "not acceptance"

bench: $(STAMP) ## Measure what one tenant's flood does to another
	@$(PY) benchmarks/flood.py

lint: $(STAMP) ## Check style and import contracts
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/lint-imports

format: $(STAMP) ## Rewrite the code in the house's format
	@$(VENV)/bin/ruff check --fix . ; $(VENV)/bin/ruff format .

types: $(STAMP) ## Check types
	@$(VENV)/bin/mypy mlplatform registry training feedback monitoring tests

lock: $(STAMP) ## Resolve pyproject.toml anew into requirements.lock (UPGRADE=1 takes newer releases)
	@$(VENV)/bin/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	  $(if $(UPGRADE),--upgrade) --output-file requirements.lock

hooks: $(STAMP) ## Let git run the quick checks before each commit
	@$(VENV)/bin/pre-commit install

clean: ## Remove what the tools leave behind; data and environment stay
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build
	@find . -name __pycache__ -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +
