# `make demo` shows it, `make test` proves it, `make bench` measures it, `make lint` keeps it tidy.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test test-all test-rust test-python bench lint

CARGO ?= cargo
PYTHON ?= python3
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
export PYTHONDONTWRITEBYTECODE := 1

RELEASE := $(CARGO_TARGET_DIR)/release/distil
REQUIREMENTS := tests/python/requirements.txt
VEGA_VERSION := 3.2.1
VEGA := .cache/vega-datasets-$(VEGA_VERSION)

# A million records in 20 files, a tenth of them duplicates, half of these away from their originals.
demo:
	$(CARGO) build --release --locked -p distil-cli
	@directory=$$(mktemp -d); trap 'rm -rf "$$directory"' EXIT; \
	distil=$$(realpath '$(RELEASE)'); cd "$$directory"; set -x; \
	"$$distil" generate data --files 20 --records 45000 --duplicates 5000 --spread 50%; \
	"$$distil" run data -o events.parquet --key ts --order-by 'id, data' --progress always; \
	"$$distil" head events.parquet; \
	"$$distil" verify events.parquet ANSWER.json

test: test-rust test-python

# The pandas backend is tested in the virtual environment.
test-rust: .venv/installed
	$(CARGO) test --workspace --locked

# Outputs read back by pyarrow, DuckDB and Polars, and judged by a naive oracle in Python.
test-python: .venv/installed $(VEGA)/unpacked
	$(CARGO) build --release --locked -p distil-cli
	DISTIL_BIN='$(abspath $(RELEASE))' VEGA_DATA='$(abspath $(VEGA))/package/data' \
		.venv/bin/python -m pytest -p no:cacheprovider tests/python

# The long sweeps: as `test`, with many more generated cases, mutations, kills, and losses of power.
test-all: export DISTIL_CASES ?= 20000
test-all: export DISTIL_MUTATIONS ?= 100000
test-all: export DISTIL_KILLS ?= 200
test-all: export DISTIL_POWER_LOSSES ?= 50
test-all: test

# Tables of docs/benchmarks.md. BENCH chooses scenarios, `all` of them need 25 GB and some hours:
# `make bench BENCH='documents lines'`; `bench/run.py --help` names them. The machine should be idle.
bench: .venv-bench/installed
	$(CARGO) build --release --locked -p distil-cli
	.venv-bench/bin/python bench/run.py --distil '$(RELEASE)' --document docs/benchmarks.md $(BENCH)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked

.venv/installed: $(REQUIREMENTS)
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS)
	touch $@

.venv-bench/installed: bench/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Real data that nobody here wrote; fetched, never committed.
$(VEGA)/unpacked:
	mkdir -p $(VEGA)
	cd $(VEGA) && npm pack --silent vega-datasets@$(VEGA_VERSION)
	tar -xzf $(VEGA)/vega-datasets-$(VEGA_VERSION).tgz -C $(VEGA) package/data
	touch $@
