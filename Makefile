# Everything from a blank machine to a served page. Needs Python 3.11 or newer and make.
#
#   make demo    set up, make the model and the page, serve it
#   make test    set up, run every check and every test, the browser's included
#
# Steps that are done are not done again; an interrupted one starts over and leaves nothing half
# made. See README.md.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: force help setup model dist demo serve check test bench browser lock clean distclean

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; \
  done || echo python3)
PORT ?= 8000
NAME ?= gemma-3-270m
SOURCE ?= gguf
CHECKPOINT ?= build/checkpoints/$(NAME)
MODEL ?= build/models/$(NAME)
DIST ?= dist

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
export TQDM_MININTERVAL := 5
PACKAGES := .venv/ready
NPM := web/node_modules/.ready

help:
	@sed -n '/^#   make/s/^#   //p' Makefile

setup: $(PACKAGES) $(NPM)

$(PACKAGES): requirements/packages.lock pyproject.toml pyapp/pyproject.toml
	@$(PYTHON) -m tools.packages

$(NPM): web/package.json web/package-lock.json | $(PACKAGES)
	@$(BIN)/python -m tools.web

# Each stage knows from the content of its inputs whether it has anything to do; the prerequisites
# only spare asking it. A source named on the command line is always asked about.
CODE := $(wildcard export/offhand_export/*.py export/offhand_export/templates/*)
GIVEN := $(if $(filter command environment,$(origin SOURCE) $(origin ADAPTER)),force)

$(CHECKPOINT)/config.json: $(CODE) $(GIVEN) | setup
	@$(BIN)/offhand-export checkpoint $(SOURCE) --out $(CHECKPOINT) $(if $(ADAPTER),--adapter $(ADAPTER))
	@touch $@

$(MODEL)/model.json: $(CHECKPOINT)/config.json $(CODE) | setup
	@$(BIN)/offhand-export convert $(CHECKPOINT) --name $(NAME) --out $(MODEL)
	@touch $@

# A model folder named on the command line is used as it is.
model: $(if $(filter file,$(origin MODEL)),$(MODEL)/model.json)

# Bundling looks for itself whether anything has changed.
dist: setup model
	@$(BIN)/offhand-export bundle --model $(MODEL) --out $(DIST)

SERVE = $(BIN)/offhand-export serve --dist $(DIST) --port $(PORT)

demo: dist
	@$(SERVE)

serve: setup
	@$(SERVE)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm --prefix web run --silent check

browser: setup
	@$(BIN)/python -m tools.browser

test: check dist browser
	OFFHAND_MODEL=$(MODEL) OFFHAND_DIST=$(DIST) $(BIN)/pytest

bench: dist browser
	$(BIN)/python -m bench.measure --dist $(DIST)

lock: $(PACKAGES)
	$(BIN)/python -m tools.lock

clean:
	rm -rf build $(DIST) .mypy_cache .pytest_cache .ruff_cache .hypothesis

distclean: clean
	rm -rf .venv web/node_modules
