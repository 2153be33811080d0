# make demo: install into .venv what simulating and training need, compare all agents on the smart factory, write
#   demo-output/report.html
# make test: install what tests need, lint, type-check and run them
# make coverage: run the tests that are not long, and say which lines they miss
# make bench: run all benchmarks but the longest runs, and write their tables to benchmarks/*.md

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: bench coverage demo test

demo: $(VENV)/installed
	rm -rf demo-output
	$(BIN)/simoffload compare smart-factory --out demo-output

test: $(VENV)/installed-for-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist worksteal

coverage: $(VENV)/installed-for-tests
	$(ONE_THREAD) $(BIN)/pytest -n 2 -m 'not long' --cov --cov-report=term:skip-covered

bench: $(VENV)/installed-for-tests
	$(INSTALL) --requirement benchmarks/requirements.txt
	$(ONE_THREAD) $(BIN)/python -m benchmarks.engine --out benchmarks
	for each in recording horizon decision analysis training; do \
	  $(ONE_THREAD) $(BIN)/python -m benchmarks.$$each > benchmarks/$$each.tmp || exit; \
	  mv benchmarks/$$each.tmp benchmarks/$$each.md; \
	done

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) --editable '.[train]'
	touch $@

$(VENV)/installed-for-tests: setup.cfg pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) --editable '.[test,train,environments,bounds]'
	touch $@ $(VENV)/installed

# Debian keeps ensurepip in a package of its own; without it, the pip of the system puts one into the environment.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Python 3.11 or newer is needed; name one with: make PYTHON=python3.12' >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	  $(PYTHON) -m venv $(VENV); \
	else \
	  $(PYTHON) -m venv --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; \
	fi || { \
	  echo 'Cannot make a virtual environment: install venv (on Debian: apt install python3-venv)' >&2; exit 1; }
