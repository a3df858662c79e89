# `make demo` and `make test` need Python ≥ 3.10, git and make, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed
AUDIT = .venv-audit
# Test processes, and what goes to each pytest: `make test ARGS='-k sampler'`.
JOBS ?= 2
ARGS ?=
# One thread per test process: two processes that share two cores would wait for each other.
# Neighbours share fixtures, so each process gets a run of them; one that has finished takes over.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
# The tests of pure functions and of single modules: no run, no new process.
UNIT = tests/patches tests/evaluation tests/checkpoints tests/datasets/formats tests/inference \
    tests/models tests/visualization

.PHONY: help demo check unit fast test test-slow test-offline test-upstream types imports lint format docs audit sbom clean
help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# A fresh .venv with the tested set of versions; made again when a requirement changes.
$(STAMP): setup.py requirements/constraints.txt
	@echo "== making $(VENV) and installing (about 2 minutes, 5.5 GB)"; date +%s > .install-start
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c requirements/constraints.txt -e '.[test,vis,app]'
	@echo "== installed in $$(( $$(date +%s) - $$(cat .install-start) )) s"; rm -f .install-start
	@touch $(STAMP)

demo: $(STAMP)  ## train and test the method on the embedded data set, draw a result
	$(BIN)/tcnn demo

# mypy runs beside the tests: a process that waits for a file leaves it the core.
check: lint imports  ## lint, types, imports and unit tests (under 45 seconds)
	@$(MAKE) --no-print-directory -j 2 types unit

unit: $(STAMP)
	$(PYTEST) -q -m "not slow" $(UNIT) $(ARGS)

test: lint imports  ## everything but the slow tests (no network, no GPU, about 6 minutes)
	@$(MAKE) --no-print-directory -j 2 types fast

fast: $(STAMP)
	$(PYTEST) -m "not slow" $(ARGS)

test-slow: $(STAMP)  ## all tests, with the minutes-long ones
	$(BIN)/python -m pytest $(ARGS)

# A network namespace with nothing but this machine in it: Linux, for users who may make one.
test-offline: $(STAMP)  ## the fast tests without a network, in their subprocesses too (Linux)
	unshare -rn sh -c 'ip link set lo up && exec $(MAKE) fast'

test-upstream:  ## the fast tests beside OpenMMLab's own packages, in an environment of their own
	.ci/upstream

lint: $(STAMP)  ## ruff, without changing files
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)  ## mypy on the package
	$(BIN)/mypy

imports: $(STAMP)  ## import-linter: which package may import which
	$(BIN)/lint-imports

format: $(STAMP)  ## ruff, changing files
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

docs: $(STAMP)  ## the site, built strictly, into work_dirs/site
	$(BIN)/pip install --quiet -c requirements/constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

$(AUDIT)/installed: requirements/audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet -r requirements/audit.txt
	@touch $@

# --strict: a package that cannot be looked up is a failure too, and not "no known vulnerabilities".
audit: $(STAMP) $(AUDIT)/installed  ## known vulnerabilities of the tested set (asks pypi.org)
	@mkdir -p work_dirs && $(BIN)/pip freeze --exclude-editable > work_dirs/tested_set.txt
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r work_dirs/tested_set.txt $(ARGS)

sbom: $(STAMP) $(AUDIT)/installed  ## bill of materials of the tested set: work_dirs/sbom.cdx.json
	@mkdir -p work_dirs
	$(AUDIT)/bin/cyclonedx-py environment $(BIN)/python --output-reproducible \
	    --output-file work_dirs/sbom.cdx.json

clean:  ## remove the environment and the runs
	rm -rf $(VENV) .venv-upstream $(AUDIT) work_dirs
