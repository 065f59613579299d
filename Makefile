# Two commands: make demo, make test. Everything they need is installed into .venv from constraints.txt.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Take a Debian package where that is possible: as root, with apt-get.
debian = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && echo "installing $(1)" \
  && apt-get update -qq && apt-get install -y -qq --no-install-recommends $(1) >/dev/null; }

.PHONY: demo test lint fix browser database clean help

help:
	@echo "make demo   forecast the next hits on the bundled data, offline; writes whyrec-demo/report.html"
	@echo "make test   lint, types, import contracts and all tests: what CI runs"
	@echo "make fix    format and repair what ruff can"

demo: $(VENV)/.core
	$(BIN)/whyrec demo

# Three processes for two cores: many tests wait for servers, browsers and databases. Files are kept in the order of
# tests/conftest.py, the slow ones first; xdist alone would begin with those that have most tests.
test: lint browser database
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev
	$(BIN)/ruff format src tests benchmarks tools
	$(BIN)/ruff check --fix src tests benchmarks tools

# The report is tested in a real browser. Where there is none and Debian's packages can be had, take theirs;
# otherwise those tests skip and say so.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || $(call debian,chromium) \
	  || echo "no browser: the browser tests will be skipped"

# The store is tested on a real PostgreSQL too, started by the tests; without one those tests skip and say so.
database:
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1 \
	  || $(call debian,postgresql) || echo "no PostgreSQL: its tests will be skipped"

# LightGBM needs the system's OpenMP library; Debian keeps venv in a package of its own.
$(BIN)/python:
	@PATH="$$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null | grep -q 'libgomp\.so\.1' || $(call debian,libgomp1) \
	  || echo "LightGBM needs the library libgomp (Debian: apt-get install libgomp1)"
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call debian,python3.11-venv) || true
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact version: later requirements are then satisfied and nothing pulls another build.
$(VENV)/.core: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) torch
	$(INSTALL) --editable '.[serve]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(INSTALL) --editable '.[dev,llm,api,serve,offline]'
	@touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
