# `make demo` and `make test` need Python 3.11, pip and make, and do the rest themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench pictures lock environment clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   simulate a scan, reconstruct it, play an outage; see demo-output/"
	@echo "make test   run the tests"
	@echo "make lint   run the linters, the type checker and the architecture check"
	@echo "make bench  measure every stage beside its peers"
	@echo "make pictures  take the guide's pictures of the window and the plugins anew"
	@echo "make lock   pin the dependencies anew (needs uv)"

environment:
	@PYTHON="$(PYTHON)" installers/bootstrap.sh

demo: environment
	@$(BIN)/alsct demo --output demo-output

# Each file in one of a few processes, so that both cores of a small machine work.
test: environment
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: environment
	@$(BIN)/alsct bench

pictures: environment
	$(BIN)/python -m alsct_gui.app --selftest --pictures docs/pictures/window
	$(BIN)/python -m tests.ui.board.pictures docs/pictures/window
	$(BIN)/python docs/pictures/shrink.py docs/pictures/window
	$(BIN)/python docs/pictures/plugins.py docs/pictures/plugins
	$(BIN)/python docs/pictures/shrink.py docs/pictures/plugins 200000

# The lock holds hashes and names no host.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv demo-output
