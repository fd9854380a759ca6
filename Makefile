# Run `make help` for what each target does.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Every path is relative to this file, so `make -C elsewhere` works.
ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VENV := $(ROOT)/.venv
BIN := $(VENV)/bin
# The first interpreter on PATH that is new enough.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
STAMP := $(VENV)/.installed

.PHONY: help setup run test check lock contract agree crash-node bench bench-node bench-import bench-lag bench-rebuild bench-audit bench-outage chaos format clean distclean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv/

$(STAMP): $(ROOT)/requirements/dev.txt $(ROOT)/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed on PATH (or: make PYTHON=/path/to/python3)"; exit 1; }
	@echo "Installing into .venv/ (about a minute the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(ROOT)/requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e $(ROOT)
	@touch $(STAMP)

run: $(STAMP) ## Serve the whole product with a demo catalogue on http://127.0.0.1:8000
	@cd $(ROOT) && exec $(BIN)/thmanyah up

test: $(STAMP) ## Run every test, in parallel, against real servers started for it
	cd $(ROOT) && $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP) ## Format, lint, types, import contracts, unused dependencies, compose file
	cd $(ROOT) && $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/deptry . \
	  && $(BIN)/pre-commit validate-config .pre-commit-config.yaml \
	  && $(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

SEED ?= 1
MINUTES ?= 10
chaos: $(STAMP) ## Writers, readers and faults mixed by SEED and those after it, for MINUTES; each ends with the audit
	cd $(ROOT) && $(BIN)/python -m tests.faults.chaos --seed $(SEED) --minutes $(MINUTES)

lock: $(STAMP) ## Pin requirements/*.txt anew after a change of pyproject.toml
	cd $(ROOT) && for pair in "base:" "local:--extra local" "dev:--extra local --extra dev"; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header $${pair#*:} pyproject.toml -o requirements/$${pair%%:*}.txt; done

contract: $(STAMP) ## Replay the recordings against MEILI_URL with MEILI_KEY
	cd $(ROOT) && $(BIN)/python -m tests.contract.replay --url $(MEILI_URL) --key $(MEILI_KEY) --verbose

agree: $(STAMP) ## The search node beside MEILI_URL with MEILI_KEY: random queries and requests (CATALOGUE=file.jsonl)
	cd $(ROOT) && $(BIN)/python -m tests.contract.agree --url $(MEILI_URL) --key $(MEILI_KEY) --verbose 3 \
	  $(if $(CATALOGUE),--catalogue $(CATALOGUE))

crash-node: $(STAMP) ## Kill the search node 200 times under writes and look for what is lost
	cd $(ROOT) && $(BIN)/python -m tests.contract.crashes --crashes 200

bench: $(STAMP) ## Warm mix of search, browse and lookups with wrk, beside an empty handler
	cd $(ROOT) && $(BIN)/python -m perf.bench

bench-node: $(STAMP) ## The search node's figures (PROGRAMS=20000), and MEILI_URL's beside them
	cd $(ROOT) && $(BIN)/python -m perf.bench_node --programs $(or $(PROGRAMS),20000)

bench-import: $(STAMP) ## A CSV of 50,000 rows: time, memory, when it is searchable
	cd $(ROOT) && $(BIN)/python -m perf.bench_import

bench-lag: $(STAMP) ## Commit -> searchable at 50 publishes a second (MEILI_URL, MEILI_KEY: on another engine)
	cd $(ROOT) && $(BIN)/python -m perf.bench_lag

bench-rebuild: $(STAMP) ## A rebuild of 200,000 programs while editors write and listeners search
	cd $(ROOT) && $(BIN)/python -m perf.bench_rebuild $(if $(PROGRAMS),--programs $(PROGRAMS))

bench-audit: $(STAMP) ## An audit of 1,000,000 documents with 1,000 injected faults: memory, time, what it finds
	cd $(ROOT) && $(BIN)/python -m perf.bench_audit $(if $(PROGRAMS),--programs $(PROGRAMS))

bench-outage: $(STAMP) ## The engine away for five minutes while editors publish; a sender that freezes
	cd $(ROOT) && $(BIN)/python -m perf.bench_outage

format: $(STAMP) ## Format the code and apply safe lint fixes
	cd $(ROOT) && $(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## Remove the local data folder (.thmanyah/): demo catalogue, caches, logs
	rm -rf $(ROOT)/.thmanyah

distclean: clean ## Also remove the virtual environment and tool caches
	rm -rf $(VENV) $(ROOT)/.mypy_cache $(ROOT)/.ruff_cache $(ROOT)/.pytest_cache $(ROOT)/.import_linter_cache $(ROOT)/.hypothesis
