# `make book`, `make pdf`, `make epub`, `make test`, `make verify`, `make portability` and `make bench`
# do everything, set-up included. They need make and one of these Pythons; `make book
# PYTHON=python3.13` chooses it.

SUPPORTED := 3.11 3.12 3.13 3.14 3.15
PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BIN := .venv/bin
BENCH_PIP := benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check
# PyTorch's own index has its CPU build; PyPI's, on Linux, brings gigabytes of CUDA libraries. Where
# this index cannot be reached, pip says so and takes what it finds elsewhere.
PYTORCH_CPU := https://download.pytorch.org/whl/cpu

# A set-up is good for the Python that made it: another one starts anew.
INSTALLED := .venv/installed-$(VERSION)
BENCH_INSTALLED := benchmarks/.venv/installed-$(VERSION)
REFUSE_OTHERS = $(if $(filter $(VERSION),$(SUPPORTED)),,$(error This needs Python \
$(firstword $(SUPPORTED)) to $(lastword $(SUPPORTED)); $(PYTHON) is \
$(or $(VERSION),not there). PYTHON=python3.13 on the command line names another one))

.PHONY: book pdf epub test verify portability bench clean

book: $(INSTALLED)
	$(BIN)/jupyter-book build . -W --keep-going

# The whole book as one file. It needs a Chromium or Chrome of this machine.
pdf: book
	$(BIN)/python -m tools.paper _build/html _build/book.pdf

# The same for readers of electronic books.
epub: book
	$(BIN)/python -m tools.epub _build/html _build/book.epub

test: $(INSTALLED)
	$(BIN)/pytest

# Everything: the slow tests too, and exp and log of every float32 there is, by either backend.
verify: $(INSTALLED)
	$(BIN)/pytest -m ""
	NNFS_BOOK_BACKEND=reference $(BIN)/python -m tools.exhaustive
	$(BIN)/python -m tools.exhaustive

# The bits of every Python, NumPy, backend and vector width found here, and of emulated ARM64.
portability: $(INSTALLED)
	$(BIN)/python -m tools.portability

# About 20 minutes on a machine that has nothing else to do.
bench: $(BENCH_INSTALLED)
	benchmarks/.venv/bin/python -m benchmarks.run

$(INSTALLED): requirements.txt pyproject.toml
	$(REFUSE_OTHERS)
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(BENCH_INSTALLED): benchmarks/requirements.txt pyproject.toml
	$(REFUSE_OTHERS)
	$(PYTHON) -m venv --clear benchmarks/.venv
	$(BENCH_PIP) --no-deps --extra-index-url $(PYTORCH_CPU) \
		$$(grep ^torch== benchmarks/requirements.txt)
	$(BENCH_PIP) -r benchmarks/requirements.txt
	touch $@

clean:
	rm -rf .venv benchmarks/.venv .portability _build
