# nanogap: environment, demonstration, tests. `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := demo-run
# test files at a time; the files' own fixtures are costly, so a file stays in one process
TEST_PROCESSES ?= 2

.PHONY: help venv demo test lint docs bench clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */\1\t/' \
	  | expand -t 8

venv: $(VENV)/.installed  ## make .venv with nanogap in it

demo: venv  ## simulate a gap that closes, about 2 minutes; an interrupted demo goes on
	@BIN=$(BIN) scripts/demo.sh $(DEMO)

test: $(VENV)/.tools  ## run the tests
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

lint: $(VENV)/.tools  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: venv  ## write the generated pages of docs/ anew
	$(BIN)/python -m docs.build.settings_reference

bench: venv  ## run the benchmarks
	@for script in benchmarks/[a-z]*.py; do \
	  echo "== $$script"; $(BIN)/python -m benchmarks.$$(basename "$$script" .py) || exit 1; \
	done

clean:  ## remove the environment and all caches, not the runs
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests docs validation parametrisation -name __pycache__ -prune -exec rm -rf {} +

# an environment counts as finished once the installation is: an interrupted one is made anew
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "nanogap: needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Choose another with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "nanogap: $(PYTHON) cannot make environments; on Debian: apt-get install python3-venv" \
	       >&2; exit 2; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tools: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	@touch $@
