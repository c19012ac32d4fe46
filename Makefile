# `make book` and `make test` do everything, set-up included. They need Python 3.11+ and make.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: book test clean

book: .venv/installed
	$(BIN)/jupyter-book build . -W --keep-going

test: .venv/installed
	$(BIN)/pytest

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed"'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

clean:
	rm -rf .venv _build
