# `make book`, `make test`, `make verify` and `make bench` do everything, set-up included. They need
# Python 3.11+ and make.

PYTHON ?= python3
BIN := .venv/bin
BENCH_PIP := benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check
# PyTorch's own index has its CPU build; PyPI's, on Linux, brings gigabytes of CUDA libraries. Where
# this index cannot be reached, pip says so and takes what it finds elsewhere.
PYTORCH_CPU := https://download.pytorch.org/whl/cpu

.PHONY: book test verify bench clean

book: .venv/installed
	$(BIN)/jupyter-book build . -W --keep-going

test: .venv/installed
	$(BIN)/pytest

# Everything: the slow tests too, and exp and log of every float32 there is, by either backend.
verify: .venv/installed
	$(BIN)/pytest -m ""
	NNFS_BOOK_BACKEND=reference $(BIN)/python tools/exhaustive.py
	$(BIN)/python tools/exhaustive.py

bench: benchmarks/.venv/installed
	benchmarks/.venv/bin/python -m benchmarks.run

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed"'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

benchmarks/.venv/installed: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv benchmarks/.venv
	$(BENCH_PIP) --no-deps --extra-index-url $(PYTORCH_CPU) \
		$$(grep ^torch== benchmarks/requirements.txt)
	$(BENCH_PIP) -r benchmarks/requirements.txt
	touch $@

clean:
	rm -rf .venv benchmarks/.venv _build
