# Every task of the project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run run-dapr dev test unit e2e lint format bench bench-dapr bench-services size screenshots daprd kafka clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

run: ## build what changed (release) and serve http://127.0.0.1:3000, data in data/
	@scripts/run.sh

run-dapr: ## the same with a broker and a Dapr sidecar; BROKER=redis, kafka or memory
	@BROKER=$(BROKER) scripts/run-dapr.sh

dev: ## serve a debug build, rebuilt and reloaded at every change
	@scripts/dev.sh

test: unit e2e ## everything: unit, integration and browser tests

unit: ## unit and integration tests alone
	@scripts/unit.sh $(ARGS)

e2e: ## browser tests alone; ARGS='journey --project=phone' picks some
	@scripts/e2e.sh $(ARGS)

lint: ## formatting, clippy (native and wasm), manifests and Dockerfile
	@scripts/lint.sh

format: ## format the code
	@cargo fmt --all

bench: ## speed and memory, each as a ratio to a bare axum handler
	@scripts/bench.sh $(ARGS)

bench-dapr: ## publishing through a sidecar: what it costs, how fast it drains, how soon it arrives
	@scripts/bench-dapr.sh

bench-services: ## reminders, each consumer, replays of a long log, a large account that is deleted
	@scripts/bench.sh services

size: ## bytes of wasm, glue and CSS; fails over the budget
	@scripts/size.sh

screenshots: ## take the pictures in docs/images again
	@scripts/e2e.sh --config screenshots.config.ts

daprd: ## build the Dapr sidecar into the cache, once
	@scripts/daprd.sh

kafka: ## fetch Kafka's jars into the cache, once
	@scripts/kafka.sh

clean: ## remove what was built (not data/, not the tools)
	@rm -rf target end2end/node_modules end2end/test-results tests/it/mail/peer/node_modules
