# Two commands are all a newcomer needs: `make run` and `make test`. `make help` lists the rest.
PORT ?= 8000
PEOPLE ?= 20000
RATE ?= 20
WORKERS ?= 2
T ?= tests
FAULTS ?= 20
python := .venv/bin/python
setup := sh leadgen/embedded/bootstrap.sh

.DEFAULT_GOAL := help
.PHONY: help setup run test faults check format bench bench-replay simulate migration strings lock

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-13s %s\n", $$1, $$2 }'

setup: ## install everything that development needs into .venv
	@$(setup) dev

run: export PORT := $(PORT)
run: ## start database, Redis, web, workers and scheduler (PORT=8000); Ctrl-C stops all
	@$(setup) run
	@exec $(python) -m leadgen.cli run

test: ## run the whole suite, or a part of it (T=tests/mail)
	@$(setup) dev
	@$(python) -m tests.browser
	@exec $(python) -m pytest -n $(WORKERS) --dist loadgroup $(T)

faults: ## kill, cut and fill what the mails depend on, each case so many times (FAULTS=20 T=tests/faults)
	@$(setup) dev
	@FAULTS=$(FAULTS) exec $(python) -m pytest -s $(or $(filter-out tests,$(T)),tests/faults)

check: ## lint, formatting, types and the order of the rooms
	@$(setup) dev
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy --strict leadgen
	.venv/bin/lint-imports

format: ## format the code and repair what can be repaired
	@$(setup) dev
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

bench: ## measure the hot paths; one JSON line per figure
	@$(setup) dev >&2
	@exec $(python) -m bench

bench-replay: ## play the model campaign and audit the tables (PEOPLE=20000)
	@$(setup) dev >&2
	@exec $(python) -m bench.replay --people $(PEOPLE)

simulate: ## let people enter, confirm and share in the running product (PEOPLE=20000 RATE=20)
	@$(setup) run
	@exec .venv/bin/flask --app wsgi simulate --people $(PEOPLE) --rate $(RATE)

migration: ## write a migration from the models, beside `make run` (m="add a table")
	@$(setup) dev
	@test -n "$(m)" || { echo 'say what it does: make migration m="add a table"' >&2; exit 2; }
	@exec .venv/bin/flask --app wsgi db migration "$(m)"

strings: ## list the visible words that have no translation yet
	@$(setup) dev
	@exec $(python) -m tests.strings

lock: ## renew the lock files from pyproject.toml (U=--upgrade for newer versions)
	@$(setup) dev
	@exec sh leadgen/embedded/lock.sh $(U)
