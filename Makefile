# The index of commands. `make run` and `make test` need nothing but this checkout; continuous integration calls these
# targets and nothing else.

local := services/gozon/local

# Queries are checked against what is committed, also where a variable of the shell names a database.
export SQLX_OFFLINE := true

.DEFAULT_GOAL := help
.PHONY: help run observe test screenshots bench load reset build image cluster-test kind-up kind-down fmt lint charts \
	prepare check-generated

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start the whole shop on this machine; Ctrl-C stops it
	@$(local)/run

observe: ## The same under a Prometheus with our rules, and a Grafana with our dashboards where there is one
	@$(local)/observe

test: ## Run every check and every test
	@$(local)/test

screenshots: ## Take pictures of every state of the page, in both languages, narrow and wide, into target/screenshots/
	@$(local)/screenshots

bench: ## Measure the shop (FULL=1: the long cells too; README=1: write the README's table)
	@$(local)/bench

load: ## Load the shop with k6, then audit it (SCENARIO=smoke|average|stress|spike|soak, GOZON_URL=a running shop)
	@$(local)/load

reset: ## Stop the local Postgres and RabbitMQ and delete their data
	@$(local)/backing reset

build: ## Build the page and the executable
	@$(local)/page build
	@$(local)/release --package gozon

image: ## Make the image of the shop, with a list of what it is made of
	@$(local)/image

cluster-test: ## Test the charts in the cluster of KUBECONFIG
	@$(local)/cluster-test

kind-up: ## Make a cluster with kind, and the shop in it
	@$(local)/kind up

kind-down: ## Delete that cluster
	@$(local)/kind down

fmt: ## Format all code
	@$(local)/page packages
	cargo fmt --all
	npm --prefix frontend run --silent format

lint: ## Check formatting and lints
	@$(local)/page packages
	cargo fmt --all --check
	npm --prefix frontend run --silent format:check
	cargo clippy --workspace --all-targets --features tests/cluster --locked -- -D warnings
	npm --prefix frontend run --silent check
	@$(local)/page packages tests/load
	npm --prefix tests/load run --silent check
	@if command -v promtool >/dev/null; then promtool check rules --lint-fatal charts/gozon/files/rules/*.yaml; fi

charts: ## Check the charts alone: lint, values, renders, connections
	@$(local)/charts test

prepare: ## Write what is generated: .sqlx, the table of metrics, the page's client, what the charts render to
	@$(local)/prepare

check-generated: ## Check that what is generated is what `make prepare` would write
	@$(local)/prepare --check
