# Every target needs `make setup` only, which makes .venv; every target that runs the program is one `ser` line.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# BOOST=gpu takes the full XGBoost with CUDA instead of the light CPU build.
BOOST ?= cpu

NAME ?= xgb_lld
# What fits a CPU: all but the ResNets and the slowest searches. Ensembles come last and take their members' fits.
ALL ?= dummy svm_lld logreg_lld rf_lld gbm_lld xgb_lld lgbm_lld svm_prosody lgbm_prosody svm_fused svm_blocks logreg_fused \
	mlp_mfcc lstm_frames cnn_melspec svm_lld_tuned average_tables stack_tables average_fused stack_fused \
	svm_fused_views average_views average_blocks_views average_blocks_mixed average_all stack_all
OPTIONS = $(if $(CORPUS),--corpus $(CORPUS)) $(if $(ROOT),--root "$(ROOT)") $(if $(LABELS),--labels $(LABELS)) \
	$(if $(SUBSET),--subset $(SUBSET)) $(if $(PROTOCOL),--protocol $(PROTOCOL)) $(ARGS)

.PHONY: help setup experiment experiments compare register predict serve app protocol list ui corpora check format test test-slow test-all soak mutate coverage docs docs-serve hooks bench bench-scale audit licences clean

help: ## Print this list
	@echo "Usage: make TARGET [NAME=xgb_lld] [CORPUS=demo|iemocap|manifest] [ROOT=path]"
	@echo "                   [LABELS=..] [SUBSET=..] [PROTOCOL=..] [ARGS=\"more options of ser\"]"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv with everything in it

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
		"error: Python %d.%d; needed is 3.11, 3.12 or 3.13: say make PYTHON=python3.11" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (once, a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		-c constraints.txt -e '.[$(BOOST),app,av,demo,dev,encoders,listen,nets]' 2> $(VENV)/pip.log || { cat $(VENV)/pip.log >&2; exit 1; }
	@$(BIN)/python -m compileall -q -j 0 ser_experiments $(VENV)/lib > /dev/null 2>&1 || true  # templates among the packages are no Python
	@$(BIN)/python -m ser_experiments.tracking.backends._mlflow.template > /dev/null 2>&1 || true  # made at the first run else
	@touch $(STAMP)

experiment: $(STAMP) ## Run an experiment: make experiment NAME=xgb_lld
	@$(BIN)/ser run $(NAME) $(OPTIONS)

experiments: $(STAMP) ## Run every experiment that fits a CPU, then compare them
	@for name in $(ALL); do echo "$$name"; $(BIN)/ser run $$name $(OPTIONS) || exit $$?; done
	@$(BIN)/ser compare

compare: $(STAMP) ## Rank the runs of a setting: make compare ARGS="--metric wa"
	@$(BIN)/ser compare $(NAMES) $(if $(SETTING),--setting $(SETTING)) $(ARGS)

register: $(STAMP) ## Register the best run of a setting: make register ARGS=--allow-demo
	@$(BIN)/ser register $(if $(RUN),$(RUN)) $(if $(SETTING),--setting $(SETTING)) $(ARGS)

predict: $(STAMP) ## Predict with the champion: make predict FILES="a.wav folder"
	@$(BIN)/ser predict $(FILES) $(ARGS)

serve: $(STAMP) ## Serve the champion over HTTP
	@$(BIN)/ser serve $(ARGS)

app: $(STAMP) ## Open a page that hears the emotion of recorded or uploaded speech
	@$(BIN)/ser app $(ARGS)

protocol: $(STAMP) ## Show the card of a setting: make protocol ARGS="--export card.json"
	@$(BIN)/ser protocol $(OPTIONS)

list: $(STAMP) ## List the experiments
	@$(BIN)/ser list

corpora: $(STAMP) ## List the corpora and their label schemes
	@$(BIN)/ser corpora list

ui: $(STAMP) ## Open the MLflow UI on the runs
	@$(BIN)/ser ui $(ARGS)

check: $(STAMP) ## Lint, formatting, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

test: $(STAMP) ## Run the tests (under five minutes)
	@$(BIN)/python -m pytest -m "not slow and not soak" -n 2 --dist worksteal

test-slow: $(STAMP) ## Run the slow tests
	@$(BIN)/python -m pytest -m "slow and not soak" -n 2 --dist worksteal

test-all: $(STAMP) ## Run all tests but the longest
	@$(BIN)/python -m pytest -m "not soak" -n 2 --dist worksteal

soak: $(STAMP) ## Interrupt whole runs again and again (ten minutes or more)
	@$(BIN)/python -m pytest -m soak

mutate: $(STAMP) ## Change what the tests test, line by line: do they notice? (half an hour and more)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'mutmut>=3.8'
	@$(BIN)/mutmut run && $(BIN)/mutmut results

coverage: $(STAMP) ## Run the tests and say which lines none of them reaches
	@$(BIN)/python -m pytest -m "not slow and not soak" -n 2 --dist worksteal -q --cov --cov-report=term

docs: $(STAMP) ## Build the site into build/site; a dead link is an error
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

docs-serve: docs ## Show the site while it is written
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

hooks: $(STAMP) ## Let git ask ruff, mypy and the like before each commit
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pre-commit>=4.0'
	@$(BIN)/pre-commit install

bench: $(STAMP) ## Measure speed and memory as ratios, side by side
	@for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

bench-scale: $(STAMP) ## Measure time and memory up to 100,000 utterances (half an hour)
	@$(BIN)/python benchmarks/scale.py
	@$(BIN)/python benchmarks/cluster.py

audit: ## Ask for known holes in what is pinned (the network answers)
	@test -x $(VENV)/audit/bin/pip-audit || $(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@$(VENV)/audit/bin/pip-audit -r constraints.txt --no-deps --disable-pip --progress-spinner off

licences: $(STAMP) ## Write docs/licences.md anew
	@$(BIN)/python docs/build_licences.py

clean: ## Remove .venv and build leftovers; runs and tables stay
	@rm -rf $(VENV) build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache
