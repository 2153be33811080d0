# make demo: install into .venv, compare all agents on the smart factory, write demo-output/report.html
# make test: install what tests need, lint, type-check and run them
# make coverage: run the tests that are not long, and say which lines they miss

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: coverage demo test

demo: $(VENV)/installed
	rm -rf demo-output
	$(BIN)/simoffload compare smart-factory --out demo-output

test: $(VENV)/installed-for-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

coverage: $(VENV)/installed-for-tests
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m 'not long' --cov --cov-report=term:skip-covered

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) --editable .
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
