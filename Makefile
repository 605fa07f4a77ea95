# Everything that is done with this checkout, on a machine with Python 3.11 or newer.
# The programs run in .venv; a stamp says that it is up to date, so a second call is instant.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTEST := $(BIN)/python -m pytest
ARGS ?=

# Without bytecode each of the hundreds of processes that the suite starts compiles the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-fast check format screenshots docs bench servers venv clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP) ## try it: client, daemon and simulated model in a temporary directory
	@$(BIN)/palaver demo

test: $(STAMP) ## run all tests, on all cores (ARGS="..." goes to pytest)
	$(PYTEST) -n auto --dist worksteal $(ARGS)

# The counts beside which the everyday ones are small; see CONTRIBUTING.md.
test-all: $(STAMP) ## run all tests with full counts: about an hour
	PALAVER_EXAMPLES=10 PALAVER_MODEL_EXAMPLES=10000 PALAVER_CRASH_ROUNDS=200 PALAVER_STOPS=2000 \
	PALAVER_ORDERS=1 PALAVER_BURSTS=5000 PALAVER_CHATS=3000 PALAVER_ANSWERS=100 PALAVER_CLIENTS=200 \
	PALAVER_CROWD=1000 PALAVER_DISTURBED_S=120 \
	$(PYTEST) -n auto --dist worksteal $(ARGS)

test-fast: $(STAMP) ## run the tests that take less than 40 s together: no processes, no whole clients
	$(PYTEST) -n auto --dist worksteal -m "not process and not long" -q $(ARGS)

check: $(STAMP) ## formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -q tests/imports tests/structure

format: $(STAMP) ## format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(STAMP) ## redraw screenshots/ from the running client
	PYTHONPATH=tests $(BIN)/python -m tui.screenshots $(ARGS)
	PYTHONPATH=tests $(BIN)/python -m tui.scenario_pictures $(ARGS)

docs: $(STAMP) ## generate the pages of docs/ from tables in the code
	PYTHONPATH=tests $(BIN)/python -m failures.page > docs/failures.md
	PYTHONPATH=tests $(BIN)/python -m servers.page > docs/servers.md

bench: $(STAMP) ## run the benchmarks, print a table
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

# Each is installed once, into ~/.cache/palaver-servers or PALAVER_SERVERS: 2 GB, a quarter of an hour.
servers: $(STAMP) ## test with real model servers through a real daemon (ARGS="llama.cpp --case answer")
	@PYTHONPATH=tests $(BIN)/python -m servers $(ARGS)
	@PYTHONPATH=tests $(BIN)/python -m servers.page > docs/servers.md

venv: $(STAMP) ## only create the virtual environment

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# pip compiles what it installs, but not what it links to: where PYTHONDONTWRITEBYTECODE is set, each
# start of a program would compile it anew, which takes a third of a daemon's start.
# A name on the path may be a stub without a Python behind it, so each is asked for its version.
$(STAMP): pyproject.toml constraints.txt
	@set -e; python=; \
	for name in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Palaver needs Python 3.11 or newer, and none was found on the PATH." >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$python cannot make virtual environments: install its venv package" \
	    "(on Debian and Ubuntu: apt-get install $$($$python -c \
	    'import sys; print("python3.%d-venv" % sys.version_info[1])'))." >&2; exit 1; fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  echo "Making $(VENV) with $$python ..."; $$python -m venv --clear $(VENV); fi; \
	echo "Installing into $(VENV), which takes a minute ..."; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 \
	  --constraint constraints.txt --editable '.[dev]'; \
	$(BIN)/python -m compileall -q common server tui || true; \
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps \
	  --no-binary markdown-it-py --constraint constraints.txt --dest $(VENV)/commonmark \
	  markdown-it-py \
	  || echo "CommonMark's examples could not be fetched; their tests will be skipped."; \
	touch $@
