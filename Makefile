# make reports | test | lab | bench: each sets up .venv from the hash-pinned lock when it has to.
# Needs only Python 3.11+ and make; PYTHON=python3.12 make test chooses another interpreter.
# --no-deps: the lock is whole, and pip would ask for a newer release of what a package wants with extras.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS   ?= 2

.PHONY: help reports demo lab test lint types floors unit notebooks bench docs lock clean

help:
	@echo "make reports  demo reports for every region (reports/demo/index.html)"
	@echo "make lab      JupyterLab in Russian"
	@echo "make test     lint, types, floors, tests with coverage, notebooks"
	@echo "make bench    measurements, side by side in one run"
	@echo "make docs     generated documents (coverage of the methodology, tables)"
	@echo "make lock     pin the dependencies anew (needs uv)"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Нужен Python 3.11 или новее: PYTHON=python3.12 make ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Не удалось создать $(VENV). В Debian и Ubuntu нужен пакет: sudo apt install python3-venv; затем повторите make."; \
		exit 1; }

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --no-deps --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m kcrr_analysis.lab --prefix $(VENV)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) install --require-hashes --no-deps --requirement requirements-dev.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	$(PIP) install --require-hashes --no-deps --requirement requirements-bench.lock
	@touch $@

reports: $(VENV)/.run
	$(BIN)/kcrr report --params params/demo.yaml

demo: $(VENV)/.run
	$(BIN)/kcrr demo

lab: $(VENV)/.run
	$(BIN)/jupyter lab --notebook-dir=.

test: lint types floors unit notebooks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

floors: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses $(JOBS) --cov --cov-report=term

notebooks: $(VENV)/.dev
	$(BIN)/nbstripout --verify --keep-count notebooks/*.ipynb
	$(BIN)/python -m pytest --nbval-lax --no-cov notebooks

bench: $(VENV)/.bench
	$(BIN)/python -m tests.bench

docs: $(VENV)/.dev
	$(BIN)/python -m kcrr_analysis.methodology.coverage
	$(BIN)/python -m kcrr_analysis.tables.document

lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--python-version 3.11 pyproject.toml --group build --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--python-version 3.11 pyproject.toml --group build --group dev \
		--constraint requirements.lock --output-file requirements-dev.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--python-version 3.11 pyproject.toml --group build --group dev --group bench \
		--constraint requirements-dev.lock --output-file requirements-bench.lock

clean:
	rm -rf $(VENV) reports/demo .coverage .pytest_cache .mypy_cache .ruff_cache
