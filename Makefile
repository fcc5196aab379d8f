# Everything installs into .venv from hash-locked requirements; each target works alone on a fresh clone.
# Stamps in .venv remember what is installed, so that a second make is quick.

PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
OUT    ?= out/chasiv-yar
DEMO   ?= instances/chasiv-yar

PIP     := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LOCKED  := $(PIP) --require-hashes --only-binary :all: --requirement
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help demo test check docs bench bench-full campaign data messages pictures lock upgrade clean

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.base  ## install and match the example instance, then prove the result
	$(BIN)/matcher solve $(DEMO) --out $(OUT)
	$(BIN)/matcher verify $(DEMO) $(OUT)
	@echo "The plan is in $(OUT)/placements.csv, those without a place in $(OUT)/unplaced.csv, the run in numbers in $(OUT)/summary.json"

test: $(VENV)/.dev  ## the tests, but the slow ones
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: $(VENV)/.dev  ## lint, format, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev  ## the documentation site, into site/; a broken link ends it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.base  ## this program beside others, about ten minutes, into out/bench
	$(BIN)/python -m benchmarks $(ARGS)

bench-full: $(VENV)/.base  ## all sizes up to 1,000,000, hours, into docs/performance.md; goes on where it was stopped
	$(BIN)/python -m benchmarks --full --docs $(ARGS)

campaign: $(VENV)/.dev  ## the slow tests
	$(BIN)/python -m pytest -n $(JOBS) -m slow $(ARGS)

data: $(VENV)/.data  ## build the built-in gazetteer and road network anew from their sources
	$(BIN)/python scripts/build_gazetteer.py $(ARGS)
	$(BIN)/python scripts/build_roads.py

messages: $(VENV)/.base  ## bring the catalogues of translations in step with the code, and say what is not translated
	$(BIN)/python scripts/messages.py $(ARGS)

pictures: $(VENV)/.dev  ## take the pictures of README and site anew; those of the page need a Chromium
	$(BIN)/python scripts/build_pictures.py

lock: $(VENV)/.dev  ## write requirements/*.txt anew from pyproject.toml, keeping versions that still fit
	$(COMPILE) $(UPGRADE) pyproject.toml requirements/build.in --output-file requirements/base.txt
	$(COMPILE) $(UPGRADE) pyproject.toml requirements/build.in --extra dev --constraints requirements/base.txt --output-file requirements/dev.txt
	$(COMPILE) $(UPGRADE) pyproject.toml requirements/build.in --extra data --constraints requirements/base.txt --output-file requirements/data.txt

upgrade:  ## lock, with the newest versions that pyproject.toml allows
	$(MAKE) lock UPGRADE=--upgrade

clean:  ## take away what make and the tools have made, .venv and the demo too
	rm -rf $(VENV) out/chasiv-yar build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find matcher tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The package itself is installed last, without its dependencies and without a download: its build backend is in the lock.
$(VENV)/.base: $(VENV)/.created requirements/base.txt pyproject.toml
	$(LOCKED) requirements/base.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(LOCKED) requirements/dev.txt
	@touch $@

$(VENV)/.data: $(VENV)/.base requirements/data.txt
	$(LOCKED) requirements/data.txt
	@touch $@

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@
