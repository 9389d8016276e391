# Casewire. `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run test check bench soak schema words migrations console lock clean

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

run: $(VENV)/.runs ## Install, migrate, load the demo world and serve on http://127.0.0.1:8000 (PORT=… changes it)
	@$(RUN) web/fetch_assets.py || true
	@$(RUN) -m server serve --with-demo

test: $(VENV)/.tests ## Install what tests need and run them all
	$(RUN) -m pytest -n auto

check: test ## Tests (layers among them), format, lint, types, schema.graphql up to date
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(RUN) -m server schema | diff -u schema.graphql -

bench: $(VENV)/.tests ## Measure against a floor and peers in one run, and say what moved
	$(RUN) -m bench

soak: $(VENV)/.tests ## Long storms of faults over every combination, then every mutant: make soak MINUTES=10
	$(RUN) -m tests.realtime.faults.soak --minutes $(or $(MINUTES),10)
	$(RUN) -m tests.realtime.faults.soak --mutants

schema: $(VENV)/.runs ## Write schema.graphql
	$(RUN) -m server schema > schema.graphql

words: $(VENV)/.tests ## Bring the catalogues of translations up to date, and say what is left to translate
	@$(RUN) -m tests.words

migrations: $(VENV)/.tests ## Write a migration for what changed in the models: make migrations name=what_changed
	$(RUN) -m models.makemigrations $(name)
	$(VENV)/bin/ruff format models/migrations/*.py

console: $(VENV)/.runs ## Fetch the files of the GraphQL console, where npm is there to fetch them
	@$(RUN) web/fetch_assets.py

lock: ## Resolve the dependencies anew and write the hashed locks (needs uv)
	uv lock --upgrade
	uv export --format requirements.txt --no-emit-project --frozen --no-header --no-default-groups -q -o requirements.lock
	uv export --format requirements.txt --no-emit-project --frozen --no-header --all-groups -q -o requirements-dev.lock

clean: ## Remove the virtual environment, caches and the local database
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache web/assets

help: ## Show this
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Casewire needs Python 3.11 or newer; PYTHON=python3.12 chooses one.")'
	$(PYTHON) -m venv $(VENV)

# A stamp is the copy of the lock that was installed: a new lock installs again, nothing else does.
$(VENV)/.runs: requirements.lock | $(VENV)/bin/python
	cmp -s requirements.lock $(VENV)/.runs || cmp -s requirements-dev.lock $(VENV)/.tests || $(RUN) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	cp requirements.lock $@

$(VENV)/.tests: requirements-dev.lock | $(VENV)/bin/python
	$(RUN) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	cp requirements-dev.lock $@
