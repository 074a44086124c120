# Everything a fresh machine needs is Python 3.11 to 3.14 and make: `make table` and `make test` set up the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Rules and subprocesses call `python`, `snakemake` and `dvc` by name: they must find this environment's.
export PATH := $(CURDIR)/$(BIN):$(PATH)
CORES ?= all
# Twice: errors only. pip warns once a package of an index that it skips, hundreds of lines.
QUIET := --quiet --quiet

.PHONY: help table quick test check lint wheels repro lock clean

help: ## what can be made
	@grep -hE '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z.]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

table: $(VENV) ## the comparison table: snakemake --cores all reports/table.md
	snakemake --cores $(CORES) reports/table.md

quick: $(VENV) ## the whole table at the smallest scale, for a first look: its numbers mean nothing
	snakemake --cores $(CORES) reports/smoke/toyworld/table.md

repro: $(VENV) ## the same work under DVC
	dvc repro

test: $(VENV) ## the tests, the smoke pipeline included, a process a core
	python -m pytest --numprocesses auto --dist worksteal

check: lint ## lint, and the tests that take seconds
	python -m pytest --numprocesses auto --dist worksteal -m "not slow"

lint: $(VENV) ## formatting, style, types, the wall between pipeline and selfsup
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile pipeline/rules
	snakemake --lint

# Those that are for Python alone are built from source anywhere. torch's for macOS are for 14 and later.
PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin
wheels: $(VENV) ## whether the lock installs without a compiler on x86-64 and ARM Linux and on Apple silicon (seconds)
	for platform in $(PLATFORMS); do MACOSX_DEPLOYMENT_TARGET=14.0 uv pip compile requirements.lock --no-deps --quiet \
		--only-binary :all: --no-binary antlr4-python3-runtime --no-binary connection-pool \
		--python-version 3.11 --python-platform $$platform -o /dev/null || exit 1; done

$(VENV): $(VENV)/installed ## the environment, from the hash-locked requirements; remade when they change

# --copies would double the size; a half-made environment is recognised by its missing stamp and made anew.
$(VENV)/installed: requirements.lock
	rm -rf $(VENV)
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15) and "Python 3.11 to 3.14 is needed, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(QUIET) --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install $(QUIET) --no-deps --no-build-isolation --editable .
	touch $@

lock: $(VENV) ## resolve pyproject.toml's requirements anew
	uv pip compile pyproject.toml --group dev --generate-hashes --universal \
		--python-version 3.11 --custom-compile-command 'make lock' --quiet -o requirements.lock
	uv pip compile pyproject.toml --group benchmarks --generate-hashes --universal \
		--python-version 3.11 --custom-compile-command 'make lock' --quiet -o benchmarks/requirements.lock

clean: ## remove what the pipeline made (not the environment)
	rm -rf data/raw data/decoded runs reports/*/*/ .snakemake
