# The verbs of this project. Each is a thin line over Python; make help lists them.
PYTHON ?= python3
SERVICE ?= recommender
ONLY ?=
ORDERS ?=
MAPPING ?=
USERS ?= 20
PARTS ?=
FROM ?=
TO ?=
INTO_STORE ?=
SECONDS ?= 30
RUN = .venv/bin/python

OWN_ORDERS = $(if $(ORDERS),--orders "$(ORDERS)") $(if $(MAPPING),--mapping "$(MAPPING)")

.PHONY: help setup demo test test-unit lint data grids evaluate bench load compose-test clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup:
	@$(PYTHON) infra/setup.py

demo: setup ## start everything and keep it running (ONLY=recommender for one system)
	@exec $(RUN) -m infra.stack demo --only "$(ONLY)"

test: setup ## run all tests, with the real servers
	@$(RUN) -m pytest

test-unit: setup ## run the tests that need no server
	@$(RUN) -m pytest tests/unit

lint: setup ## check style and types
	@$(RUN) -m ruff check && $(RUN) -m ruff format --check && $(RUN) -m mypy

data: setup ## load data (SERVICE=recommender, ORDERS=file and MAPPING=... for your own)
	@$(RUN) -m infra.stack run --only $(SERVICE) -- $(RUN) -m services.$(SERVICE).load $(OWN_ORDERS)

grids: setup ## make the heat map's grids of a past period again (FROM=2026-03-01 TO=2026-03-02)
	@$(RUN) -m infra.stack run --only heatmap -- $(RUN) -m services.heatmap.job --from "$(FROM)" --to "$(TO)" $(if $(INTO_STORE),--into-store)

evaluate: setup ## measure quality (SERVICE=recommender, ORDERS=file and MAPPING=... for your own)
	@$(RUN) -m infra.stack run --only $(SERVICE) -- $(RUN) -m services.$(SERVICE).evaluate $(OWN_ORDERS)

bench: setup ## measure speed (SERVICE=recommender or heatmap, or SERVICE=stack for starts and memory)
	@$(RUN) -m tests.bench.$(SERVICE) $(PARTS)

load: setup ## put load on a running demo (SERVICE=recommender USERS=20 SECONDS=30)
	@$(RUN) -m tests.load $(SERVICE) --users $(USERS) --seconds $(SECONDS)

compose-test: setup ## start docker compose and run the tests against it
	@$(RUN) -m tests.compose

clean: setup ## forget all data; packages and downloads stay
	@$(RUN) -m infra.stack clean
