# Everything from a blank machine to a served page. Needs Python 3.11 or newer and make.
#
#   make demo            set up, make the page of the model in models/, serve it
#   make test            set up, run every check and every test, the browser's included
#   make model           make the model again from the base weights and its adapter
#   make release-model   the same, and put it into models/, to be committed
#
# Steps that are done are not done again; an interrupted one starts over and leaves nothing half
# made. See README.md.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: force help setup light model release-model dist demo serve check test bench browser lock \
  clean distclean

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; \
  done || echo python3)
PORT ?= 8000
DIST ?= dist

# Which model: weights named on the command line, else the one in models/, else the untuned base.
OURS := offhand-270m
BASE_NAME := gemma-3-270m
GIVEN := $(filter command environment,$(foreach name,SOURCE ADAPTER,$(origin $(name))))
NAME ?= $(if $(GIVEN),mine,$(if $(wildcard models/$(OURS)/adapter models/$(OURS)/served),$(OURS),$(BASE_NAME)))

# A model in models/ is an adapter on the trimmed base, and the files that `convert` made of both.
BASE := build/checkpoints/$(BASE_NAME)
TRIMMED := $(BASE)-32k
OWN_ADAPTER := $(if $(GIVEN),,$(patsubst %/adapter_config.json,%,$(wildcard models/$(NAME)/adapter/adapter_config.json)))
ADAPTER ?= $(OWN_ADAPTER)
SOURCE ?= $(if $(OWN_ADAPTER),$(TRIMMED),gguf)
CHECKPOINT ?= build/checkpoints/$(NAME)
WIRE ?= $(if $(OWN_ADAPTER),q5,int8)
WIRE_EMBEDDING ?= int8
BUILT := build/models/$(NAME)
COMMITTED := $(if $(GIVEN),,$(patsubst %/model.json,%,$(wildcard models/$(NAME)/served/model.json)))
MODEL ?= $(or $(COMMITTED),$(BUILT))

# What the page of a finished model takes is little; everything else takes the whole set-up.
FINISHED := $(or $(COMMITTED),$(filter-out file,$(origin MODEL)))
READY := $(if $(FINISHED),light,setup)

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
export TQDM_MININTERVAL := 5
PROJECTS := pyproject.toml pyapp/pyproject.toml
NPM_LOCKS := web/package.json web/package-lock.json

help:
	@sed -n '/^#   make/s/^#   //p' Makefile

setup: .venv/ready web/node_modules/.ready

light: .venv/ready-demo web/node_modules/.ready-demo

.venv/ready: requirements/packages.lock $(PROJECTS)
	@$(PYTHON) -m tools.packages

.venv/ready-demo: requirements/demo.lock $(PROJECTS)
	@$(PYTHON) -m tools.packages demo

web/node_modules/.ready: $(NPM_LOCKS) | .venv/ready
	@$(BIN)/python -m tools.web

web/node_modules/.ready-demo: $(NPM_LOCKS) | .venv/ready-demo
	@$(BIN)/python -m tools.web demo

# Each stage knows from the content of its inputs whether it has anything to do; the prerequisites
# only spare asking it. What is named on the command line is always asked about.
CODE := $(wildcard export/offhand_export/*.py export/offhand_export/templates/*)
NAMED := $(if $(filter command environment,$(foreach name,SOURCE ADAPTER WIRE WIRE_EMBEDDING,$(origin $(name)))),force)

ifneq ($(CHECKPOINT),$(BASE))
$(BASE)/config.json: $(CODE) | setup
	@$(BIN)/offhand-export checkpoint gguf --out $(BASE)
	@touch $@
endif

$(TRIMMED)/config.json: $(BASE)/config.json $(CODE) | setup
	@$(BIN)/offhand-export trim $(BASE) --out $(TRIMMED)
	@touch $@

$(CHECKPOINT)/config.json: $(CODE) $(NAMED) $(if $(OWN_ADAPTER),$(TRIMMED)/config.json $(wildcard $(OWN_ADAPTER)/*)) | setup
	@$(BIN)/offhand-export checkpoint $(SOURCE) --out $(CHECKPOINT) $(if $(ADAPTER),--adapter $(ADAPTER))
	@touch $@

$(BUILT)/model.json: $(CHECKPOINT)/config.json $(CODE) $(NAMED) | setup
	@$(BIN)/offhand-export convert $(CHECKPOINT) --name $(NAME) --wire $(WIRE) \
	  --wire-embedding $(WIRE_EMBEDDING) --out $(BUILT)
	@touch $@

model: $(BUILT)/model.json

release-model: model
	@$(BIN)/python -m tools.release $(BUILT) models/$(NAME)/served

# Bundling looks for itself whether anything has changed. A model folder that is committed or named
# on the command line is used as it is.
dist: $(READY) $(if $(FINISHED),,model)
	@$(BIN)/offhand-export bundle --model $(MODEL) --out $(DIST)

SERVE = $(BIN)/offhand-export serve --dist $(DIST) --port $(PORT)

demo: dist
	@$(SERVE)

serve: light
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

bench: browser dist
	$(BIN)/python -m bench.measure --dist $(DIST)

lock: .venv/ready
	$(BIN)/python -m tools.lock

clean:
	rm -rf build $(DIST) .mypy_cache .pytest_cache .ruff_cache .hypothesis

distclean: clean
	rm -rf .venv web/node_modules
