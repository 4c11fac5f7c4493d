# Two commands carry the project: `make demo` and `make test`. `make` alone lists them all.
#
# They start from git, make and python3 on Debian 12, Debian 13 or Raspberry Pi OS (64-bit). What else is needed from Debian
# .ci/need installs, or names; what is needed from Python .ci/install puts into .venv, exactly as requirements.lock says.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
DEMO_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_ARGS ?=
CAMPAIGN_ARGS ?=
export PYTHON

# The version of uv that writes requirements.lock; nothing else uses it.
UV := uv==0.13.9

# Debian packages. The tests talk to peers that others wrote: mosquitto and its clients, a Modbus server made with libmodbus (in C,
# compiled by the test), and mbpoll, a Modbus client. faketime sets the clock of one process to 1970.
PEERS := mosquitto mosquitto-clients mbpoll gcc libc6-dev libmodbus-dev faketime
NEEDS := python3-venv $(if $(filter test bench campaign,$(MAKECMDGOALS)),$(PEERS))

.PHONY: help
help:
	@echo 'make demo    shows live values from simulated devices: no root, no broker needed'
	@echo '             DEMO_ARGS="--seconds 20 --json" for scripts'
	@echo 'make test    runs all tests with branch coverage'
	@echo '             TEST_ARGS="-k outbox" for some of them, without coverage'
	@echo 'make check   lint, format, types, import rules, documents in step'
	@echo 'make fuzz    feeds the Modbus driver 10 million frames of all kinds'
	@echo '             FUZZ_ARGS="--frames 100000 --seed 7" for fewer and others'
	@echo 'make bench   measures this machine; BENCH_ARGS="modbus --json" for one of them'
	@echo 'make campaign  runs the fault campaign at full length, for hours'
	@echo 'make fmt     formats the code and mends what ruff can mend'
	@echo 'make lock    writes requirements.lock anew from pyproject.toml'
	@echo 'make clean   removes .venv and everything else that was made here'
	@echo
	@echo 'PYTHON=python3.13 chooses the interpreter (3.11 to 3.13, 64-bit).'

.PHONY: demo
demo: .venv/.installed
	@.venv/bin/edge-gateway demo config $(DEMO_ARGS)

.PHONY: test
test: .venv/.installed
	@.venv/bin/pytest $(or $(TEST_ARGS),--cov -n 4 --dist loadfile --no-loadscope-reorder)

.PHONY: fuzz
fuzz: .venv/.installed
	@.venv/bin/python -m tests.fuzz $(FUZZ_ARGS)

.PHONY: bench
bench: .venv/.installed
	@.venv/bin/python -m tests.bench $(or $(BENCH_ARGS),all)

# Each row of the fault campaign at full length; CAMPAIGN_ARGS="-k n3" for some of them.
.PHONY: campaign
campaign: .venv/.installed
	@.venv/bin/pytest tests/faults --campaign -v $(CAMPAIGN_ARGS)

.PHONY: check
check: .venv/.installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m gateway.config.reference --check

.PHONY: fmt
fmt: .venv/.installed
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

.PHONY: lock
lock:
	@.ci/lock $(UV)

.PHONY: clean
clean:
	rm -rf .venv .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements.lock pyproject.toml | debian
	@.ci/install

# Runs each time, costs a tenth of a second, and never makes .venv out of date.
.PHONY: debian
debian:
	@.ci/need $(NEEDS)
