# nanogap: environment, demonstration, tests. `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := demo-run
# test files at a time; the files' own fixtures are costly, so a file stays in one process
TEST_PROCESSES ?= 2
# COVERAGE=1 measures which lines the tests run, against the floor in pyproject.toml
COVERAGE ?=

.PHONY: help venv demo test lint docs bench clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */\1\t/' \
	  | expand -t 8

venv: $(VENV)/.installed  ## make .venv with nanogap in it

demo: venv  ## simulate a gap that closes, about 5 minutes; an interrupted demo goes on
	@state=none; \
	if [ -e $(DEMO) ]; then \
	  status=$$($(BIN)/nanogap status $(DEMO) --json) && \
	  state=$$($(BIN)/python -c 'import json, sys; print(json.loads(sys.argv[1])["state"])' \
	    "$$status") || exit 1; \
	fi; \
	case $$state in \
	none) $(BIN)/nanogap run quick -o $(DEMO) ;; \
	finished) \
	  older=$(DEMO)-$$(date -r $(DEMO)/report.html +%Y%m%d-%H%M%S); \
	  mv $(DEMO) "$$older" && echo "The finished demonstration is kept as $$older." && \
	  $(BIN)/nanogap run quick -o $(DEMO) ;; \
	*) $(BIN)/nanogap resume $(DEMO) ;; \
	esac && echo "Open the report in a browser: $(CURDIR)/$(DEMO)/report.html"

test: $(VENV)/.extra-test  ## run the tests; COVERAGE=1 measures what they cover
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(if $(COVERAGE),--cov)

lint: $(VENV)/.extra-lint  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.extra-docs  ## build the site in build/site; a warning is an error
	$(BIN)/python -m docs.build.settings_reference
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html \
	  -d build/doctrees docs build/site
	@echo "Open the site in a browser: $(CURDIR)/build/site/index.html"

bench: venv  ## run the benchmarks
	@for script in benchmarks/[a-z]*.py; do \
	  echo "== $$script"; $(BIN)/python -m benchmarks.$$(basename "$$script" .py) || exit 1; \
	done

clean:  ## remove the environment and all caches, not the runs
	rm -rf $(VENV) build dist docs/api .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
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

# the extra of that name in pyproject.toml: docs, lint, test
$(VENV)/.extra-%: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@
