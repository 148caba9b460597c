# Two commands do everything: `make reports` and `make test`. Both make the
# environment first, once, and are quick the second time.
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
COACH  := $(VENV)/bin/coach
DEMO   := data/demo
# Python keeps what it compiled: a test that starts Python would wait for it again each time.
unexport PYTHONDONTWRITEBYTECODE
# A file's tests stay in one worker, for what they share; slow files are begun first. Three
# workers on two cores: while one waits for a browser or a clock, the others work. A unit test
# waits for nothing, and each worker collects them all.
WORKERS := 3
PYTEST = OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help env reports test unit docs picture lint lock clean forget-demo

help:  ## Say what each command does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(READY)  ## Make the Python environment in .venv

# A half-made environment never counts: the marker is written last.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python cannot make an environment here. On Debian: apt-get install python3-venv"; exit 1; }
	$(VENV)/bin/python -m pip install -qq --no-compile --require-hashes -r requirements.lock
	$(VENV)/bin/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

reports: $(READY)  ## Render the demo district's reports
	$(COACH) import $(DEMO) --store $(DEMO)/store
	$(COACH) report --window 2026-EOY --store $(DEMO)/store --out reports

test: $(READY)  ## Run every test
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .
	$(PYTEST)

unit: WORKERS := 2
unit: $(READY)  ## Run the tests that need no browser and no second
	$(PYTEST) -m "not slow and not browser"

docs: $(READY)  ## Build the documents as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --quiet
	@echo "Open site/index.html in a browser."

picture: $(READY)  ## Render the picture of a report that the documents show (needs Chromium)
	$(VENV)/bin/python tools/picture.py

lint: $(READY)  ## Mend what ruff can mend
	$(VENV)/bin/python -m ruff check --fix .
	$(VENV)/bin/python -m ruff format .

lock:  ## Pin the dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-annotate --upgrade \
	  --output-file requirements.lock

forget-demo:
	rm -rf $(DEMO)/store $(DEMO)/plans reports/editions reports/current reports/runs reports/.lock \
	  reports/students reports/families reports/caseload reports/schedule.json reports/schedule.log \
	  reports/last-run.json

clean: forget-demo  ## Remove the environment and everything rendered
	rm -rf $(VENV) site
