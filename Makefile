# Two commands matter: `make demo` shows the product, `make test` checks it.

PYTHON ?= $(shell command -v python3 || command -v python)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# One thread per process: the tests start processes of their own, and runs stay comparable.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# The node that came with pyright, whatever else is on PATH, and no question for newer versions.
PYRIGHT := PYRIGHT_PYTHON_GLOBAL_NODE=0 PYRIGHT_PYTHON_IGNORE_WARNINGS=1 pyright

.DEFAULT_GOAL := help
.PHONY: help setup demo test fix test-slow test-gpu bench lock compatibility clean

help:       ## this list
	@sed -n 's/^\([a-z-]*\): .*## /  make \1\t/p' Makefile | expand -t 20

setup:      ## make .venv with the locked versions; at once if nothing changed
	@"$(PYTHON)" tools/install.py

demo: setup ## see it: make a dataset, run, save, submit, stand on the board
	@python tools/demo.py

test: setup ## format, lint, types and all fast tests
	ruff format --check .
	ruff check .
	$(PYRIGHT)
	$(ONE_THREAD) python -m pytest -q -rfEs -m "not slow and not gpu"

fix: setup  ## format, and repair what lint can repair
	ruff check --fix .
	ruff format .

test-slow: setup ## the tests that take longer than five seconds
	$(ONE_THREAD) python -m pytest -q -rfEs -m slow

test-gpu: setup ## the tests that need a CUDA device
	$(ONE_THREAD) python -m pytest -q -rfEs -m gpu

bench: setup ## measure speed against the peers, the quick set (installs them into build/peers)
	@$(ONE_THREAD) python -m benchmarks

lock: setup ## choose the versions anew: setup.py, nsml_shim, tools/dev.in -> requirements.lock
	uv pip compile --quiet --universal --python-version 3.10 --upgrade --no-header \
	  setup.py nsml_shim/pyproject.toml tools/dev.in -o requirements.lock

compatibility: setup ## write docs/nsml-compatibility.md anew from its rows and tests
	@python tools/compatibility.py

clean:      ## remove .venv, the demo dataset and all caches
	rm -rf .venv .pytest_cache .ruff_cache build datasets/review_img/demo datasets/review_img/demo.truth
	find . -name __pycache__ -prune -exec rm -rf {} +
