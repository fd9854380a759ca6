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

.PHONY: help setup run test test-fast coverage check check-deploy lock release-contract assets pictures contract agree crash-node bench bench-search bench-vocabulary bench-node bench-import bench-lag bench-rebuild bench-audit bench-outage cluster cluster-faults load boards bench-connections bench-traces bench-encodings bench-pages chaos attack fuzz format clean distclean bench-compare bench-hit bench-workers cluster-exact cluster-instances cluster-alerts bench-idle prove-k8s bench-live

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv/

$(STAMP): $(ROOT)/requirements/dev.txt $(ROOT)/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed on PATH (or: make PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is not (make PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) has no venv or no pip: install them (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "Installing into $(VENV) (about a minute the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --require-hashes -r $(ROOT)/requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e $(ROOT)
	@touch $(STAMP)

run: $(STAMP) ## Serve the whole product with a demo catalogue on http://127.0.0.1:8000
	@cd $(ROOT) && exec $(BIN)/thmanyah up

# A file's tests stay together; files with slow tests go first (tests/conftest.py). Many tests wait for a process
# or a lease: half as many workers again as cores keep the cores busy.
WORKERS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) * 3 + 1) / 2 )))
PYTEST = -m pytest -n $(WORKERS) --maxprocesses 12 --dist loadfile --no-loadscope-reorder
test: $(STAMP) ## Run every test, in parallel, against real servers started for it (WORKERS=3 processes; COVERAGE=1: and measure)
	cd $(ROOT) && $(if $(COVERAGE),rm -f .coverage .coverage.* && $(BIN)/python -m coverage run,$(BIN)/python) $(PYTEST) --durations=20
	$(if $(COVERAGE),cd $(ROOT) && $(BIN)/python -m tests.support.rooms)

test-fast: $(STAMP) ## Run the tests that take moments: what most changes need (make check has the rules of the tree)
	cd $(ROOT) && $(BIN)/python $(PYTEST) -m "not slow" --ignore=tests/house

coverage: ## Run every test; show the coverage of lines and branches by room, which has a floor
	@$(MAKE) --no-print-directory test COVERAGE=1

check: $(STAMP) ## Format, lint, types, import contracts, unused dependencies, rules of the tree, compose file
	cd $(ROOT) && $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/basedpyright && $(BIN)/lint-imports && $(BIN)/deptry . && $(BIN)/python -m pytest --noconftest -q -p no:cacheprovider tests/house \
	  && $(BIN)/pre-commit validate-config .pre-commit-config.yaml \
	  && $(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml deploy/docker/stack.yaml

# The checkers of deploy/ have many dependencies: they get an environment of their own.
check-deploy: $(STAMP) ## The files of deploy/ by the checkers of their fields: hadolint, gixy, checkov, the AWS provider's schema
	@test -x $(VENV)-deployment/bin/python || $(BIN)/python -m venv $(VENV)-deployment
	@$(VENV)-deployment/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(ROOT)/requirements/deployment.txt
	cd $(ROOT) && $(VENV)-deployment/bin/python -m tests.support.deployment

cluster: $(STAMP) ## The production shape on this machine, from the files of deploy/ (PROGRAMS=20000); needs nginx, pgbouncer, prometheus
	@cd $(ROOT) && exec $(BIN)/python -m deploy.proving $(if $(PROGRAMS),--programs $(PROGRAMS))

load: $(STAMP) ## The mission's load on such a cluster, scaled to two cores; its thresholds fail it (OPTIONS="--scale 1 --pace 1 --url ...")
	@cd $(ROOT) && exec $(BIN)/python -m perf.load $(if $(PROGRAMS),--programs $(PROGRAMS)) $(OPTIONS)

cluster-faults: $(STAMP) ## A rolling upgrade of such a cluster, then parts of it die, under load; each ends with the drift audit (OPTIONS="--only engine")
	@cd $(ROOT) && exec $(BIN)/python -m perf.cluster.faults $(OPTIONS)

cluster-exact: $(STAMP) ## What is exact across such a cluster's processes: the rate limit, invalidations within a second, counted views
	@cd $(ROOT) && exec $(BIN)/python -m perf.cluster.exact $(OPTIONS)

cluster-instances: $(STAMP) ## What three instances of the API answer beside one, on the same processors, by turns; needs wrk
	@cd $(ROOT) && exec $(BIN)/python -m perf.cluster.instances $(OPTIONS)

cluster-alerts: $(STAMP) ## Every alert fires from a real fault of such a cluster, and clears; half an hour (OPTIONS="--only Sender")
	@cd $(ROOT) && exec $(BIN)/python -m perf.cluster.alerts $(OPTIONS)

prove-k8s: $(STAMP) ## The manifests of Kubernetes on a real control plane, where its programs are on PATH: admission, upgrade, eviction, scaling
	@cd $(ROOT) && exec $(BIN)/python -m deploy.proving.kubernetes $(OPTIONS)

boards: $(STAMP) ## Write Grafana's boards anew after a change of deploy/observability/boards/
	cd $(ROOT) && $(BIN)/python -m deploy.observability.boards

SEED ?= 1
MINUTES ?= 10
chaos: $(STAMP) ## Writers, readers and faults mixed by SEED and those after it, for MINUTES; each ends with the audit
	cd $(ROOT) && $(BIN)/python -m tests.faults.chaos --seed $(SEED) --minutes $(MINUTES)

attack: $(STAMP) ## Attack a running product on loopback as docs/security.md lists it; says what held
	cd $(ROOT) && ADDRESSES=200000 REQUESTS=2000 $(BIN)/python -m tests.attack

fuzz: $(STAMP) ## 20,000 random requests from the OpenAPI document in every role (CASES= sets another number)
	cd $(ROOT) && $(BIN)/python -m tests.attack.fuzz $(if $(CASES),--cases $(CASES))

lock: $(STAMP) ## Pin requirements/*.txt anew after a change of pyproject.toml
	cd $(ROOT) && for pair in "base:" "otel:--extra otel" "local:--extra local" "dev:--extra local --extra otel --extra dev"; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header $${pair#*:} pyproject.toml -o requirements/$${pair%%:*}.txt; done
	cd $(ROOT) && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header requirements/deployment.in -o requirements/deployment.txt

release-contract: $(STAMP) ## At a release: today's OpenAPI document becomes the one that later builds may not break
	cd $(ROOT) && $(BIN)/python -m tests.support.released

assets: $(STAMP) ## Compare the files of other projects in this tree with requirements/assets.toml and their releases
	cd $(ROOT) && $(BIN)/python -m tests.support.assets

pictures: $(STAMP) ## Take the pictures of the README from a running product (URL=http://127.0.0.1:8000)
	cd $(ROOT) && $(BIN)/python -m tests.support.pictures $(if $(URL),--url $(URL))

contract: $(STAMP) ## Replay the recordings against MEILI_URL with MEILI_KEY
	cd $(ROOT) && $(BIN)/python -m tests.searchnode.contract.replay --url $(MEILI_URL) --key $(MEILI_KEY) --verbose

agree: $(STAMP) ## The search node beside MEILI_URL with MEILI_KEY: random queries and requests (CATALOGUE=file.jsonl)
	cd $(ROOT) && $(BIN)/python -m tests.searchnode.contract.agree --url $(MEILI_URL) --key $(MEILI_KEY) --verbose 3 \
	  $(if $(CATALOGUE),--catalogue $(CATALOGUE))

crash-node: $(STAMP) ## Kill the search node 200 times under writes and look for what is lost
	cd $(ROOT) && $(BIN)/python -m tests.searchnode.contract.crashes --crashes 200

bench: $(STAMP) ## Hot answers with wrk beside the server alone, over RSGI and ASGI; perf/results/ keeps each run
	cd $(ROOT) && $(BIN)/python -m perf.bench $(if $(PROGRAMS),--programs $(PROGRAMS)) $(OPTIONS)

bench-compare: $(STAMP) ## This tree and another commit by turns (BASE=commit OPTIONS="--rounds 5")
	cd $(ROOT) && $(BIN)/python -m perf.compare --base $(BASE) $(if $(PROGRAMS),--programs $(PROGRAMS)) $(OPTIONS)

bench-search: $(STAMP) ## How listeners find titles, by how they type them (CATALOGUE=file OPTIONS="--map name=title"; MEILI_URL beside)
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.search $(if $(CATALOGUE),--catalogue $(abspath $(CATALOGUE))) $(OPTIONS)

bench-vocabulary: $(STAMP) ## The words of 1,000,000 programs in an API process: memory, reading, corrections
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.vocabulary

bench-node: $(STAMP) ## The search node's figures (PROGRAMS=20000), and MEILI_URL's beside them
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.node --programs $(or $(PROGRAMS),20000)

bench-import: $(STAMP) ## A CSV of 50,000 rows and a feed of 6,000 items: time, memory (AGAINST=another checkout)
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.imports $(if $(AGAINST),--against $(AGAINST))

bench-lag: $(STAMP) ## Commit -> searchable at 50 publishes a second (MEILI_URL, MEILI_KEY: on another engine)
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.lag

bench-rebuild: $(STAMP) ## A rebuild of 200,000 programs while editors write and listeners search
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.rebuild $(if $(PROGRAMS),--programs $(PROGRAMS))

bench-audit: $(STAMP) ## An audit of 1,000,000 documents with 1,000 injected faults: memory, time, what it finds
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.audit $(if $(PROGRAMS),--programs $(PROGRAMS))

bench-outage: $(STAMP) ## The engine away for five minutes while editors publish; a sender that freezes
	cd $(ROOT) && $(BIN)/python -m perf.benches.index.outage

bench-connections: $(STAMP) ## 2,000 requests beside 10,000 idle connections
	cd $(ROOT) && $(BIN)/python -m perf.benches.answers.connections $(if $(CONNECTIONS),--connections $(CONNECTIONS))

bench-encodings: $(STAMP) ## Hot answers in zstd, br and gzip: their sizes, and their rates beside the plain ones
	cd $(ROOT) && $(BIN)/python -m perf.benches.answers.encodings

bench-pages: $(STAMP) ## How soon a listener sees a page with a slow processor, and how much it loads; needs Chromium
	cd $(ROOT) && $(BIN)/python -m perf.benches.answers.pages

bench-workers: $(STAMP) ## Two workers of the API beside one, by turns; needs wrk
	cd $(ROOT) && $(BIN)/python -m perf.workers $(OPTIONS)

bench-hit: $(STAMP) ## A hot answer at the edge by stages
	cd $(ROOT) && $(BIN)/python -m perf.benches.answers.hit

bench-idle: $(STAMP) ## What a product takes that nobody asks: processor time and memory by part, its second start (PROGRAMS=5000)
	cd $(ROOT) && $(BIN)/python -m perf.resting $(if $(PROGRAMS),--programs $(PROGRAMS)) $(OPTIONS)

bench-live: $(STAMP) ## 20 publishes a second under a mix of 50,000 queries: hit rate, and the rate beside the quiet one
	cd $(ROOT) && $(BIN)/python -m perf.benches.answers.live $(if $(PROGRAMS),--programs $(PROGRAMS)) $(OPTIONS)

bench-traces: $(STAMP) ## Processor time of a hot answer with traces off, with a part of them, with all
	cd $(ROOT) && $(BIN)/python -m perf.benches.answers.traces

format: $(STAMP) ## Format the code and apply safe lint fixes
	cd $(ROOT) && $(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## Remove the local data folder (.thmanyah/): demo catalogue, caches, logs
	rm -rf $(ROOT)/.thmanyah

distclean: clean ## Also remove the virtual environment and tool caches
	rm -rf $(VENV) $(VENV)-deployment $(ROOT)/.mypy_cache $(ROOT)/.ruff_cache $(ROOT)/.pytest_cache $(ROOT)/.import_linter_cache $(ROOT)/.hypothesis $(ROOT)/.coverage*
