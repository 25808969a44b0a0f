# Two commands do everything on a machine with git, make and Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BASE   := $(VENV)/.base
STAMP  := $(VENV)/.installed
DOCS   := $(VENV)/.docs
JOBS   ?= 3
# Folders of tests that mostly compute; all others wait for processes and servers.
COMPUTING := tests/laws tests/properties tests/unit/reactive
# Runs each type checker once, over the whole project and the tests of types.
TYPES := tests/unit/test_types.py
# Half of the work of test-fast.
FAST_ONE := tests/unit/reactive tests/unit/testing tests/unit/durable
KILLS  ?= 1000
ENGINE ?= sqlite

# Hundreds of interpreters are started by the tests: without their bytecode each would compile everything anew.
export PYTHONDONTWRITEBYTECODE =
# Pyright makes much garbage: with a larger nursery it takes a sixth less time.
export NODE_OPTIONS ?= --max-semi-space-size=64

.PHONY: help setup demo test suite suite-computing suite-types suite-waiting test-fast fast-one fast-two lint types mypy pyright needs crash fuzz bench bench-reactive bench-jobs bench-cli bench-dashboard bench-engines bench-notify screenshots docs format clean
.DEFAULT_GOAL := help

help:                ## list the commands
	@grep -E '^[a-z-]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 16

setup: $(STAMP)      ## create .venv and install the project with its development tools

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tetherpy needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(BASE): pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing what the demo needs."
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[cli,cron,postgres]'
	@touch $@

$(STAMP): pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing the project and its development tools. This is done once, and takes about a minute."
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint requirements.lock \
		--editable '.[cli,cron,django,fastapi,notify,postgres,starlette,textual,web]' --group dev --group recipes
	@touch $(BASE) $@

demo: $(BASE)       ## analyse the standard library in the background, through a crash
	@$(BIN)/python -m examples.demo

test: lint needs      ## lint, types and the whole test suite
	@$(MAKE) --no-print-directory suite

suite: $(STAMP)      ## the whole test suite, in which mypy and pyright check the whole project
	@$(MAKE) --no-print-directory --jobs=3 suite-waiting suite-types suite-computing

# Tests that only compute run in one process: distributing them costs as much processor time as they take.
suite-computing: $(STAMP)
	$(BIN)/python -m pytest $(COMPUTING)

suite-waiting: $(STAMP)
	$(BIN)/python -m pytest $(COMPUTING:%=--ignore=%) --ignore=$(TYPES) -n $(JOBS) --dist worksteal

suite-types: $(STAMP)
	$(BIN)/python -m pytest $(TYPES)

test-fast: $(STAMP)  ## the unit tests that take no long time and start no processes: for each change
	@$(MAKE) --no-print-directory --jobs=2 --output-sync fast-one fast-two

fast-one: $(STAMP)
	$(BIN)/python -m pytest $(FAST_ONE) -m "not slow"

fast-two: $(STAMP)
	$(BIN)/python -m pytest tests/unit $(FAST_ONE:%=--ignore=%) -m "not slow"

lint: $(STAMP)       ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)      ## mypy strict and pyright strict, side by side
	@$(MAKE) --no-print-directory --jobs=2 --output-sync mypy pyright

mypy pyright: $(STAMP)
	$(BIN)/$@

needs: $(STAMP)      ## find the programs that some tests need (a Chromium, a D-Bus daemon), or install them
	@$(BIN)/python -m tests.needs

crash: $(STAMP)      ## kill KILLS times (1000), then account for every job; ENGINE=postgres kills servers too; SEED repeats
	@$(BIN)/python -m tests.campaigns.crash --kills $(KILLS) --engine $(ENGINE) $(if $(SEED),--seed $(SEED))

fuzz: $(STAMP)       ## the property tests with many more examples; takes long
	TETHERPY_FUZZ=1 $(BIN)/python -m pytest tests/properties tests/unit/reactive/container/test_container_leaks.py --timeout 0 -n $(JOBS)

bench: bench-reactive bench-jobs  ## measure beside the peers, and write docs/explanation/performance.md

bench-reactive: $(STAMP)  ## the reactive core and dependency injection only
	$(BIN)/python tests/benchmarks/bench_reactive.py

bench-jobs: $(STAMP) ## the jobs only
	$(BIN)/python tests/benchmarks/bench_jobs.py

bench-cli: $(STAMP)  ## the command line over a million jobs; prints what it measures
	$(BIN)/python tests/benchmarks/bench_command_line.py

bench-dashboard: $(STAMP)  ## the page in a browser, written into docs/explanation/dashboard-performance.md
	$(BIN)/python -m tests.benchmarks.bench_dashboard

bench-notify: $(STAMP)  ## what notifications cost the commits of a PostgreSQL server with eight writers
	$(BIN)/python -m tests.benchmarks.bench_notify

bench-engines: $(STAMP)  ## both engines beside Procrastinate and Oban; TETHERPY_PYTHON312 names a Python 3.12 for Oban
	$(BIN)/python tests/benchmarks/bench_engines.py

screenshots: needs   ## draw the pictures in docs/images from a real run
	$(BIN)/python -m tests.screenshots.terminal
	$(BIN)/python -m tests.browser.screenshots

$(DOCS): $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --group docs
	@touch $@

docs: $(DOCS)        ## build the documentation site into build/site, where any warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs build/site
	@echo "The site is built: open build/site/index.html"

format: $(STAMP)     ## format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:               ## remove everything that the commands above made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
