# Two commands matter: `make demo` shows Qamtu at full size, `make test` runs every test. Both set up what is missing.
# What is fetched or built stays in QAMTU_CACHE, across clean checkouts.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export QAMTU_CACHE ?= $(HOME)/.cache/qamtu
export CARGO_TARGET_DIR ?= $(QAMTU_CACHE)/target
CARGO ?= cargo
BIN := $(CARGO_TARGET_DIR)/release
ARGS ?=

.PHONY: help setup own build demo test lint bench clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install the system packages that building needs
	@deploy/setup

build: own ## Build the four programs
	$(CARGO) build --release --locked --workspace --bins

# Cargo takes what another checkout built here for this one's, paths to its files included. So what is Qamtu's own is built anew
# when the checkout is another; what it depends on stays.
own: setup
	@[ "$$(cat $(CARGO_TARGET_DIR)/checkout 2>/dev/null)" = "$(CURDIR)" ] || { $(CARGO) clean --quiet --release --workspace; \
	  mkdir -p $(CARGO_TARGET_DIR); echo "$(CURDIR)" >$(CARGO_TARGET_DIR)/checkout; }

demo: build ## Run the whole path at full size; ARGS="--once --out out" ends by itself, ARGS="--kafka local" goes through Kafka
	$(BIN)/qamtu demo $(ARGS)

lint: own ## Formatting, clippy and documentation, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --document-private-items --all-features

test: ## Run lints and every test: pure, golden, real ClickHouse, both event logs, faults, pages
	@deploy/setup --test
	@$(MAKE) --no-print-directory build
	@lints=0; $(MAKE) --no-print-directory lint || lints=$$?; \
	$(CARGO) test --release --locked --workspace --all-features --lib --bins --tests --no-fail-fast; \
	[ $$lints = 0 ] || { echo "The tests passed, the lints did not: see above." >&2; exit $$lints; }

bench: build ## Measure, beside what each figure is compared with; prints a table and writes bench.json; ARGS="project" measures one
	@deploy/setup --bench
	$(CARGO) build --release --locked --workspace --all-features --examples
	$(CARGO) bench --locked --workspace --all-features --bench figures -- $(ARGS)

clean: ## Remove what was built here, and the demo's data
	$(CARGO) clean
	rm -rf out bench.json $(QAMTU_CACHE)/demo
