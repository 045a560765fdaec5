# The commands of this project; `make` alone lists them.
SHELL := /bin/sh
PYTHON := .venv/bin/python
CAREPLAN := .venv/bin/careplan

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench soak soak-definitions soak-laws soak-histories soak-smart soak-fuzz fuzz oracle docs lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

setup: ## .venv/ with the locked packages; no Java
	@scripts/setup

demo: setup ## a guided run of the whole way on embedded parts
	@$(CAREPLAN) demo

test: ## everything that must pass: check, then all tests, real FHIR servers of two makes among them
	@scripts/setup --tests
	-@$(PYTHON) -m tests.medplum.launch --build
	@$(MAKE) --no-print-directory check
	$(PYTHON) -m pytest -n 2 --dist loadfile

check: setup ## lint, format, types, floors
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

format: setup ## write the format that check asks for
	$(PYTHON) -m ruff check --fix --quiet . || true
	$(PYTHON) -m ruff format .

bench: setup ## side-by-side measurements; ONLY=mapping for one suite
	$(PYTHON) -m bench $(ONLY)

# A part each: SOAK=histories for one alone.
SOAK := definitions laws histories smart fuzz
soak: setup ## the laws with many more examples, 10,000 histories of the exchange, signing in at Keycloak, the definitions compiled again (Maven fetches them), the fuzzer; SOAK=histories for one alone
	@for each in $(SOAK); do $(MAKE) --no-print-directory soak-$$each || exit 1; done

soak-definitions:
	$(PYTHON) -m tools.compile_definitions --check
soak-laws:
	HYPOTHESIS_PROFILE=soak $(PYTHON) -m pytest -n 2 tests/laws
# Half of the histories on each of two cores, then the mistakes that are to be found.
soak-histories:
	@for half in one other; do HYPOTHESIS_PROFILE=soak $(PYTHON) -m pytest -s tests/sync/test_histories.py -k TestHistories & \
	started="$$started $$!"; done; failed=0; for each in $$started; do wait $$each || failed=1; done; exit $$failed
	HYPOTHESIS_PROFILE=soak $(PYTHON) -m pytest -s tests/sync/test_histories.py -k "not TestHistories"
soak-smart:
	HYPOTHESIS_PROFILE=soak $(PYTHON) -m pytest tests/smart
soak-fuzz: fuzz

# A run of `package` compiles a package, one of `bytes` reads a few: so many runs as take each a minute or two.
FUZZ := bytes:5000 tree:2000 form:1000 package:200 fhirpath:5000
fuzz: setup ## the fuzzer's targets, FUZZ="tree:100000" for one alone (atheris comes from its own lock, beside the project)
	@for each in $(FUZZ); do tools/fuzz/run $${each%:*} -runs=$${each#*:} -print_final_stats=1 || exit 1; done

oracle: setup ## the verdicts of the reference validator, recorded again (Java; Maven fetches it once)
	@scripts/setup --tests
	$(PYTHON) -m tests.conformance.reference

mutants: setup ## small faults put into the engine, and whether a test finds each; ONLY=rules for one module; goes on where it ended
	nice $(PYTHON) -m tools.mutants $(ONLY)

docs: setup ## write the generated pages of docs/
	$(PYTHON) tools/write_docs.py

lock: setup ## newest allowed versions into requirements.lock, and those that run into deploy/requirements.lock
	env -u UV_FIND_LINKS -u UV_INDEX_URL .venv/bin/uv pip compile pyproject.toml --group dev --extra scale --universal \
		--python-version 3.11 --generate-hashes --no-header --upgrade --quiet --output-file requirements.lock
	env -u UV_FIND_LINKS -u UV_INDEX_URL .venv/bin/uv pip compile pyproject.toml --extra scale --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet --constraint requirements.lock --output-file deploy/requirements.lock

clean: ## everything that can be made again
	rm -rf .venv .cache .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
