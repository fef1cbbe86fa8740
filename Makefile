# The index of commands. `make run` and `make test` need nothing but this checkout; continuous integration calls these
# targets and nothing else.

local := services/gozon/local

# Queries are checked against what is committed, also where a variable of the shell names a database.
export SQLX_OFFLINE := true

.DEFAULT_GOAL := help
.PHONY: help run test bench load reset build fmt lint prepare check-generated

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start the whole shop on this machine; Ctrl-C stops it
	@$(local)/run

test: ## Run every check and every test
	@$(local)/test

bench: ## Measure the shop (FULL=1: the long cells too; README=1: write the README's table)
	@$(local)/bench

load: ## Load the shop with k6, then audit it (SCENARIO=smoke|average|stress|spike|soak, GOZON_URL=a running shop)
	@$(local)/load

reset: ## Stop the local Postgres and RabbitMQ and delete their data
	@$(local)/backing reset

build: ## Build the page and the executable
	@$(local)/page build
	cargo build --release --locked --package gozon

fmt: ## Format all code
	@$(local)/page packages
	cargo fmt --all
	npm --prefix frontend run --silent format

lint: ## Check formatting and lints
	@$(local)/page packages
	cargo fmt --all --check
	npm --prefix frontend run --silent format:check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	npm --prefix frontend run --silent check
	@$(local)/page packages tests/load
	npm --prefix tests/load run --silent check

prepare: ## Write .sqlx after a query or a migration has changed
	@$(local)/prepare

check-generated: ## Check that .sqlx is what `make prepare` would write
	@$(local)/prepare --check
