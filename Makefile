# make run            fresh machine to candidates: environment, data, all stages, summary
# make run PROFILE=ml-1m | make run CONFIG=path/to/own.toml | make run PROTOCOL=temporal
# The graph of stages is in pipelines/graph.py; its rules are laid out with the profile and included here.

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PROFILE  ?= ml-100k
CONFIG   ?= pipelines/configs/$(PROFILE).toml
PROTOCOL ?=
BENCH    ?=
ROOT     ?= artifacts
PYTHON   ?= python3
VENV     ?= .venv
PY       := $(VENV)/bin/python

TARGETS   := run data split pairs pretrained model embeddings index candidates baselines report register
.PHONY: help reference test test-fast check style types contracts mlflow bench tune study clean $(TARGETS)
.DEFAULT_GOAL := help

# The environment comes first: make builds what it includes, then starts over with it.
ifneq ($(filter $(TARGETS) study mlflow,$(MAKECMDGOALS)),)
include $(VENV)/core.mk
endif
ifneq ($(filter tune,$(MAKECMDGOALS)),)
include $(VENV)/tune.mk
endif
ifneq ($(filter reference test test-fast check style types contracts,$(MAKECMDGOALS)),)
include $(VENV)/dev.mk
endif

ifneq ($(filter $(TARGETS) study tune,$(MAKECMDGOALS)),)
ifneq ($(wildcard $(VENV)/core.mk $(VENV)/tune.mk),)
export RECSYS_OWNER_PID := $(shell echo $$PPID)
STARTED := $(shell date +%s)
LAID    := $(shell $(PY) -m pipelines.layout "$(CONFIG)" --root "$(ROOT)" --owner-pid $(RECSYS_OWNER_PID) $(if $(PROTOCOL),--protocol $(PROTOCOL)))
OUT     := $(firstword $(LAID))
ALSO    := $(wordlist 2,9,$(LAID))
ifeq ($(OUT),)
$(error the profile $(CONFIG) cannot be run, see above)
endif
endif
endif

-include $(if $(OUT),$(OUT)/config/rules.mk)

run: register                        ## all of it, ending with a summary
	@$(PY) -m pipelines.commands.summary $(OUT) --since $(STARTED)
	@$(foreach protocol,$(ALSO),$(MAKE) --no-print-directory run PROTOCOL=$(protocol) &&) true

tune: pairs                          ## search for better [train] settings, on validation alone
	@$(PY) -m pipelines.experiments.tune $(OUT)

study: pairs pretrained              ## what pre-training is worth with 1 to 100 % of users labelled, and linear probes
	@$(PY) -m pipelines.experiments.study $(OUT)

test:                                ## the whole test suite
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile
test-fast:                           ## the tests that take no more than a moment each
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile -m "not slow"
check: style types contracts test    ## all that CI runs
style:                               ## formatting and lint
	@$(PY) -m ruff format --check . && $(PY) -m ruff check .
types:                               ## strict types
	@$(PY) -m mypy
contracts:                           ## which room may import which
	@PYTHONPATH=. $(VENV)/bin/lint-imports
bench:                               ## measure all bars, or those in BENCH="name name"
	@$(if $(filter-out rank-% terms-%,$(or $(BENCH),all)),$(MAKE) -s --no-print-directory pairs PROFILE=ml-1m CONFIG=pipelines/benchmarks/ml-1m-file-order.toml PROTOCOL=)
	@$(PY) -m pipelines.benchmarks.run --root "$(ROOT)" $(BENCH)
reference:                           ## docs/configuration.md anew, from the settings
	@$(PY) -m pipelines.settings.reference
mlflow:                              ## the MLflow page on http://127.0.0.1:5000
	@PATH="$(abspath $(VENV))/bin:$$PATH" mlflow ui --host 127.0.0.1 --backend-store-uri $${MLFLOW_TRACKING_URI:-sqlite:///$(abspath $(ROOT))/mlflow.db}
clean:                               ## remove the environment; artifacts stay
	@rm -rf $(VENV)
help:                                ## this list
	@echo "make run [PROFILE=$(PROFILE)] [CONFIG=own.toml] [PROTOCOL=temporal]; shipped profiles: $(basename $(notdir $(wildcard pipelines/configs/*.toml)))"
	@awk 'match($$0, /target="[a-z]+"/) { target = substr($$0, RSTART + 8, RLENGTH - 9) } match($$0, /about="[^"]*"/) { print "  make " target "\t" substr($$0, RSTART + 7, RLENGTH - 8) }' pipelines/graph.py | expand -t 22
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

$(VENV)/core.mk: pyproject.toml constraints.txt
	@$(call install,.)
$(VENV)/tune.mk: pyproject.toml constraints.txt
	@$(call install,.[tune])
$(VENV)/dev.mk: pyproject.toml constraints.txt
	@$(call install,.[dev])

define install
$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"error: Python must be 3.11 to 3.13, got {v[0]}.{v[1]}; name one with make PYTHON=python3.11")'
test -x $(PY) || $(PYTHON) -m venv $(VENV)
echo "installing the environment into $(VENV) (a few minutes the first time)"
$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '$(1)'
touch $@
endef
