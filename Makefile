# Two doors: `make demo` shows Floyd at work, `make test` is everything CI runs. Either sets itself up first.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
CODE := floyd functions relay standins deploy
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras

.PHONY: demo dev setup test lint types unit docs bench simulate bundle infra lock clean

demo: setup  ## two whole calls on this machine, no accounts; DEMO="--record call.wav" adds options
	@$(BIN)/floyd demo $(DEMO)

dev: setup  ## the whole stack, until Ctrl-C
	@$(BIN)/floyd dev $(DEV)

setup: $(READY)  ## the virtual environment, from the lock; the second time it does nothing

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Floyd needs Python 3.11 or later: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

$(READY): requirements-dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

test: lint types unit  ## everything CI runs

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy --strict $(CODE)

unit: setup  ## journeys mostly wait, so three stacks play them at once; one that a busy machine spoilt is played again
	$(BIN)/pytest -q -n 2 --dist loadfile --reruns 1 $(or $(TESTS),tests --ignore tests/journeys --ignore tests/demo)
	$(if $(TESTS),,$(BIN)/pytest -q -n 3 --dist worksteal --reruns 1 tests/journeys)
	$(if $(TESTS),,$(BIN)/pytest -q --reruns 1 tests/demo)

docs: setup  ## redraw what docs/architecture.md shows of the code
	$(BIN)/python -m tests.drawing

bench: setup  ## turn gap, capacity, start-up and dead air, measured here
	$(BIN)/python -m tests.bench $(BENCH)

simulate: setup  ## whole calls in virtual time, CALLS of them from SEED on; each is played again by its seed
	@$(BIN)/python -m tests.simulation --calls $(or $(CALLS),10000) $(if $(SEED),--seed $(SEED)) $(SIMULATE)

bundle:  ## what the functions are deployed from: dist/functions.zip
	$(PYTHON) -m deploy.bundle dist/functions.zip

infra: setup  ## infra/ against Terraform itself: no account, no network
	$(BIN)/pytest -q tests/infra

lock: $(BIN)/python  ## after a change of pyproject.toml: the product's packages, then everything else beside them
	$(BIN)/pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --extra standins --extra test --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean:
	rm -rf .floyd .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
