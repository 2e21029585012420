# Needs Python 3.11 or newer and make. uv is used if it is there, else venv and pip.

PYTHON ?= python3
BIN := .venv/bin
ENV := .venv/.installed
TEST_ENV := .venv/.installed-for-tests

.DEFAULT_GOAL := help
.PHONY: help env demo up test test-deep bench soak lint docs lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

env: $(ENV) ## Set up .venv from requirements.lock

demo: $(ENV) ## Show the main job: a thousand leads, four workers, a pool of five
	@$(BIN)/python -m worker demo

up: $(ENV) ## Start everything on this machine, until Ctrl-C
	@$(BIN)/python -m worker up

test: $(TEST_ENV) ## Run the tests that take minutes together
	@$(BIN)/python -m pytest --tier fast

test-deep: $(TEST_ENV) ## Run the tests that `make test` leaves out
	@$(BIN)/python -m pytest --tier deep

bench: $(TEST_ENV) ## Measure the figures of docs/benchmarks.md, as ratios in one run
	@$(BIN)/python -m benchmarks

soak: $(TEST_ENV) ## Break a stack in every known way for ten minutes while leads come in
	@EVENHAND_SOAK_MINUTES=10 $(BIN)/python -m pytest -n 0 -s tests/chaos/test_chaos.py

lint: $(TEST_ENV) ## Check style, types and the direction of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

docs: $(TEST_ENV) ## Build the documentation into site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: ## Resolve the dependencies anew, which needs uv
	@sh tools/lock

$(ENV): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh tools/install requirements.lock
	@touch $@

$(TEST_ENV): requirements-dev.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh tools/install requirements-dev.lock
	@touch $(ENV) $@
