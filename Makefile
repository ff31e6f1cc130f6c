# make study   environment, data, every cell of the pipeline, reports     (JOBS=2: cells side by side)
# make test    formatter, linter, types, import contract, unit tests
# make tune    search for the generators' settings; no other target starts it    (takes hours)
# make smoke   a small study through the whole pipeline, in a throw-away clone

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
export DVC_NO_ANALYTICS := 1
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: study data tune test smoke lint format environment

study: environment data
	$(BIN)/synthcohort study --jobs $(JOBS)

data: environment
	$(BIN)/synthcohort data

tune: environment data
	$(BIN)/synthcohort tune --jobs $(JOBS)

test: environment lint
	$(BIN)/pytest -n 2

smoke: environment
	rm -rf build/smoke && git clone --quiet . build/smoke
	cp tests/smoke/params.yaml build/smoke/params.yaml
	cd build/smoke && ../../$(BIN)/synthcohort data && ../../$(BIN)/synthcohort study --jobs $(JOBS)
	test -s build/smoke/reports/index.html && test -s build/smoke/reports/tables/wdbc.html

lint: environment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify --keep-id --extra-keys "metadata.papermill cell.metadata.papermill cell.metadata.execution" notebooks/*.ipynb

format: environment
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

environment: .venv/installed

.venv/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "synthcohort needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint requirements.lock torch
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable ".[study,dev]"
	@touch $@
