# `make demo` and `make test` need Python ≥ 3.10, git and make, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed

.PHONY: help demo test test-slow test-upstream lint format clean
help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# A fresh .venv with the tested set of versions; made again when a requirement changes.
$(STAMP): setup.py requirements/constraints.txt
	@echo "== making $(VENV) and installing (about 2 minutes, 5.5 GB)"; date +%s > .install-start
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c requirements/constraints.txt -e '.[test,vis]'
	@echo "== installed in $$(( $$(date +%s) - $$(cat .install-start) )) s"; rm -f .install-start
	@touch $(STAMP)

demo: $(STAMP)  ## train and test the method on the embedded data set, draw a result
	$(BIN)/tcnn demo

# One thread a test process: two processes that share two cores would wait for each other.
test: $(STAMP)  ## lint and the fast tests (no network, no GPU, under 5 minutes)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow"

test-slow: $(STAMP)  ## everything, with the minutes-long tests
	$(BIN)/python -m pytest

test-upstream:  ## the fast tests beside OpenMMLab's own packages, in an environment of their own
	.ci/upstream

lint: $(STAMP)  ## ruff, without changing files
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(STAMP)  ## ruff, changing files
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

clean:  ## remove the environment and the runs
	rm -rf $(VENV) .venv-upstream work_dirs
