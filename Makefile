# make run            fresh machine to candidates: environment, data, all stages, summary
# make run PROFILE=ml-1m | make run CONFIG=path/to/own.toml | make run PROTOCOL=temporal
# The graph of stages is below, one line a stage; nothing else knows it.

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
# Idle threads look for work this often before they sleep: as fast as spinning on free cores, many times faster on shared ones.
export GOMP_SPINCOUNT ?= 1000

STAGES    := ingest split pairs pretrain train embed index retrieve baselines evaluate register
TARGETS   := run data split pairs pretrained model embeddings index candidates baselines report register
.PHONY: help test check style types contracts mlflow bench tune study clean $(TARGETS)
.DEFAULT_GOAL := help

# The environment comes first: make builds what it includes, then starts over with it.
ifneq ($(filter $(TARGETS) study mlflow,$(MAKECMDGOALS)),)
include $(VENV)/core.mk
endif
ifneq ($(filter tune,$(MAKECMDGOALS)),)
include $(VENV)/tune.mk
endif
ifneq ($(filter test check style types contracts,$(MAKECMDGOALS)),)
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

served = $(addprefix pipelines/,tracking.py registry.py served_model.py) $(wildcard recsys/*/*.py)
training = pipelines/trainer.py pipelines/augmenter.py
done = $(OUT)/$(1)/manifest.json
code = $(OUT)/config/$(1).json pipelines/$(1).py pipelines/stage.py $(foreach room,$(2),$(wildcard recsys/$(room)/*.py recsys/$(room)/*.j2))

$(call done,ingest):    $(call code,ingest,core data)
$(call done,split):     $(call code,split,core data splits) $(call done,ingest)
$(call done,pairs):     $(call code,pairs,core data features sampling) $(call done,ingest) $(call done,split)
$(call done,pretrain):  $(call code,pretrain,augmentation core losses metrics models retrieval sampling training) $(training) $(call done,pairs)
$(call done,train):     $(call code,train,augmentation core data losses metrics models retrieval sampling training) $(training) $(call done,pairs) $(call done,pretrain)
$(call done,embed):     $(call code,embed,core data features models sampling training) pipelines/towers.py pipelines/new_items.py $(call done,ingest) $(call done,pairs) $(call done,train)
$(call done,index):     $(call code,index,core data retrieval) $(call done,embed)
$(call done,retrieve):  $(call code,retrieve,core data features retrieval) pipelines/search_plan.py pipelines/new_items.py pipelines/executors.py $(call done,ingest) $(call done,pairs) $(call done,embed) $(call done,index)
$(call done,baselines): $(call code,baselines,baselines core data retrieval) $(call done,split)
$(call done,evaluate):  $(call code,evaluate,baselines core data evaluation features metrics retrieval) pipelines/health.py pipelines/cold_evaluation.py $(call done,ingest) $(call done,split) $(call done,pairs) $(call done,embed) $(call done,index) $(call done,retrieve) $(call done,baselines)
$(call done,register):  $(call code,register,core) $(served) $(foreach stage,$(filter-out register,$(STAGES)),$(call done,$(stage)))

$(OUT)/%/manifest.json:
	@$(PY) -m pipelines.$* $(OUT)

data:       $(call done,ingest)      ## clean tables of the log
split:      $(call done,split)       ## train, validation, test
pairs:      $(call done,pairs)       ## what the towers read
pretrained: $(call done,pretrain)    ## pre-train without labels, where [pretrain] asks for it
model:      $(call done,train)       ## train the two towers
embeddings: $(call done,embed)       ## vectors of items and users
index:      $(call done,index)       ## the search index, gated on recall
candidates: $(call done,retrieve)    ## candidates.parquet
baselines:  $(call done,baselines)   ## what the model has to beat
report:     $(call done,evaluate)    ## metrics.json and report.html
register:   $(call done,register)    ## MLflow runs and the gated model version
run:        $(call done,register)    ## all of it, ending with a summary
	@$(PY) -m pipelines.summary $(OUT) --since $(STARTED)
	@$(foreach protocol,$(ALSO),$(MAKE) --no-print-directory run PROTOCOL=$(protocol) &&) true

tune: $(call done,pairs)             ## search for better [train] settings, on validation alone
	@$(PY) -m pipelines.tune $(OUT)

study: $(call done,pairs) $(call done,pretrain) ## what pre-training is worth with 1 to 100 % of users labelled, and linear probes
	@$(PY) -m pipelines.study $(OUT)

test:                                ## the whole test suite
	@$(PY) -m pytest
check: style types contracts test    ## all that CI runs
style:                               ## formatting and lint
	@$(PY) -m ruff format --check . && $(PY) -m ruff check .
types:                               ## strict types
	@$(PY) -m mypy
contracts:                           ## which room may import which
	@PYTHONPATH=. $(VENV)/bin/lint-imports
bench:                               ## measure all bars, or those in BENCH="name name"
	@$(if $(filter-out rank-% terms-%,$(or $(BENCH),all)),$(MAKE) -s --no-print-directory pairs PROFILE=ml-1m CONFIG=pipelines/configs/ml-1m.toml PROTOCOL=)
	@$(PY) -m pipelines.benchmarks.run --root "$(ROOT)" $(BENCH)
mlflow:                              ## the MLflow page on http://127.0.0.1:5000
	@PATH="$(abspath $(VENV))/bin:$$PATH" mlflow ui --host 127.0.0.1 --backend-store-uri $${MLFLOW_TRACKING_URI:-sqlite:///$(abspath $(ROOT))/mlflow.db}
clean:                               ## remove the environment; artifacts stay
	@rm -rf $(VENV)
help:                                ## this list
	@echo "make run [PROFILE=$(PROFILE)] [CONFIG=own.toml] [PROTOCOL=temporal]; shipped profiles: $(basename $(notdir $(wildcard pipelines/configs/*.toml)))"
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

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
