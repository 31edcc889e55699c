# Everything that people and CI run. `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
VENV_OLDEST ?= .venv-oldest
VENV_LITELLM ?= .venv-litellm
VENV_ATHERIS ?= .venv-atheris
VENV_ECOSYSTEM ?= .venv-ecosystem
VENV_CLIENTS ?= .venv-clients
VENV_RAY ?= .venv-ray
NPM_CLIENTS ?= .npm-clients
WORKERS ?= auto

BIN = $(VENV)/bin
# An environment of a Python that is too old fails much later, in the middle of pip's output.
NEW_VENV = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
    echo "langchain-unified needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1 | head -n 1`." >&2; \
    echo "Name another: make PYTHON=python3.13 $(MAKECMDGOALS)   (uv python install 3.13, or pyenv, brings one)" >&2; \
    exit 1; } && $(PYTHON) -m venv
PIP_INSTALL = bin/python -m pip install -q --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo gateway-demo test test-recordings test-oldest test-litellm test-ecosystem test-clients test-gateway-load test-ray scale bench-scale laws fuzz fuzz-atheris cassettes notebooks tables docs bench bench-quick bench-cache bench-gateway call-path soak lint types imports check clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## hold a conversation with both providers, without keys or network
	$(BIN)/langchain-unified demo

gateway-demo: $(VENV)/.gateway ## talk through the gateway with curl, both SDKs and LangChain, without keys or network
	$(BIN)/langchain-unified gateway-demo

test: $(VENV)/.test ## run the tests (makes the environment on the first run)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-recordings: $(VENV)/.test ## run what `make test` leaves out: recordings of a shape that it has seen, the suite through the gateway, notebooks
	$(BIN)/python -m pytest -n $(WORKERS) -m "every_recording or through_gateway or runs_a_notebook" $(ARGS)

test-oldest: ## run the tests on the oldest releases that pyproject.toml allows, in an environment of its own
	@$(NEW_VENV) $(VENV_OLDEST)
	$(VENV_OLDEST)/$(PIP_INSTALL) uv
	$(VENV_OLDEST)/bin/uv pip install -q --python $(VENV_OLDEST)/bin/python --resolution lowest-direct -e '.[test]'
	$(VENV_OLDEST)/bin/python -m pytest -n $(WORKERS) $(ARGS)

test-litellm: $(VENV)/.test ## run the tests through LiteLLM's proxy, which gets an environment of its own
	test -x $(VENV_LITELLM)/bin/litellm || { $(NEW_VENV) $(VENV_LITELLM) && $(VENV_LITELLM)/$(PIP_INSTALL) 'litellm[proxy]'; }
	LITELLM=$(abspath $(VENV_LITELLM))/bin/litellm $(BIN)/python -m pytest -n0 tests/servers/test_litellm_proxy.py $(ARGS)

test-ecosystem: ## run the tests with frameworks, tracers and evaluations (deepagents, Langfuse, …), in an environment of their own
	test -x $(VENV_ECOSYSTEM)/bin/uv || { $(NEW_VENV) $(VENV_ECOSYSTEM) && $(VENV_ECOSYSTEM)/$(PIP_INSTALL) uv; }
	$(VENV_ECOSYSTEM)/bin/uv pip install -q --python $(VENV_ECOSYSTEM)/bin/python -e '.[test]' -r tests/ecosystem/requirements.txt
	$(VENV_ECOSYSTEM)/bin/python -m pytest -n0 tests/ecosystem $(ARGS)

test-clients: ## run Claude Code, Codex and the OpenAI Agents SDK through the gateway (needs Node), in environments of their own
	test -x $(NPM_CLIENTS)/node_modules/.bin/codex || npm install --no-audit --no-fund --prefix $(NPM_CLIENTS) @anthropic-ai/claude-code @openai/codex
	node $(NPM_CLIENTS)/node_modules/@anthropic-ai/claude-code/install.cjs
	test -x $(VENV_CLIENTS)/bin/pytest || { $(NEW_VENV) $(VENV_CLIENTS) && $(VENV_CLIENTS)/$(PIP_INSTALL) -e '.[test]' openai-agents; }
	CODING_AGENTS=$(abspath $(NPM_CLIENTS))/node_modules/.bin $(VENV_CLIENTS)/bin/python -m pytest -n0 \
	    tests/gateway/test_coding_agents.py tests/gateway/test_agents_sdk.py $(ARGS)

test-gateway-load: $(VENV)/.test ## 1,000 calls of four processes at a budget's limit, one of them killed; 500 clients that leave at once
	$(BIN)/python -m pytest -n0 -m gateway_load tests/gateway $(ARGS)

test-ray: ## rows of a Ray dataset, with a killed worker and a killed driver, in an environment of its own
	test -x $(VENV_RAY)/bin/ray || { $(PYTHON) -m venv $(VENV_RAY) && $(VENV_RAY)/$(PIP_INSTALL) -e '.[test,parquet,ray]'; }
	$(VENV_RAY)/bin/python -m pytest -n0 -s tests/cluster tests/bulk/test_bulk.py -k "cluster or parquet" $(ARGS)

scale: $(VENV)/.test ## 100,000 rows with 5 % faults and two kills, and memory, with figures (ROWS=5000: fewer)
	SCALE_ROWS=$(or $(ROWS),100000) $(BIN)/python -m pytest -n0 -s -m scale tests $(ARGS)

test-wheel: $(VENV)/.test ## install the wheel on each Python that is here, and use it (PYTHONS="/path/python3.14": on these)
	$(BIN)/python -m tests.packaging.wheels $(PYTHONS)

laws: $(VENV)/.test ## run the laws of tests/laws with many generated conversations (EXAMPLES=1000: of each law and model)
	LAW_EXAMPLES=$(or $(EXAMPLES),300) $(BIN)/python -m pytest -n $(WORKERS) tests/laws tests/caching/test_laws.py $(ARGS)

fuzz: $(VENV)/.test ## read mutated replies and events: 100,000 cases, CASES and SEED to change that
	$(BIN)/python -m tests.fuzz.drive $(or $(CASES),100000) $(or $(SEED),0)

fuzz-atheris: ## atheris on the readers of streams, SECONDS (600) for each API, in an environment of its own
	test -d $(VENV_ATHERIS) || { $(NEW_VENV) $(VENV_ATHERIS) && $(VENV_ATHERIS)/$(PIP_INSTALL) -e '.[test]' atheris; }
	for wire in anthropic_messages openai_chat openai_responses; do \
	    $(VENV_ATHERIS)/bin/python -m tests.fuzz.readers $$wire -max_total_time=$(or $(SECONDS),600) || exit 1; done

cassettes: $(VENV)/.test ## record cassettes/ against the emulator (RECORD=live: against the providers, with your keys)
	rm -rf cassettes
	RECORD=all CASSETTES_FROM=$(if $(filter live,$(RECORD)),live,emulator) \
	    $(BIN)/python -m pytest -n $(WORKERS) tests/integration/test_cassette_suite.py \
	    tests/integration/test_agents_cassettes.py

notebooks: $(VENV)/.test ## run notebooks/ and compare their outputs (WRITE=1: take the new ones over; LIVE=1: your keys)
	$(BIN)/python notebooks/check.py $(if $(WRITE),--write) $(if $(LIVE),--live) $(ARGS)

tables: $(VENV)/.test ## write the generated pages of docs/ again
	$(BIN)/python -m docs.generate

docs: $(VENV)/.docs ## build the documentation site into site/, with warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/.test ## measure CPU time per call beside SDKs and partner packages (ARGS=--write: docs/bench_speed.md, too)
	$(BIN)/python -m benchmarks.bench_speed $(ARGS)

bench-quick: $(VENV)/.test ## the short jobs of `make bench`; fails where a ratio is far above its target
	$(BIN)/python -m benchmarks.bench_speed --quick $(ARGS)

bench-cache: $(VENV)/.test ## measure what prompt caching saves (ARGS=--write: write docs/bench_cache.md, too)
	$(BIN)/python -m benchmarks.bench_cache $(ARGS)
	$(BIN)/python -m benchmarks.bench_threads $(ARGS)
	$(BIN)/python -m benchmarks.cache_pairs

bench-gateway: $(VENV)/.test ## measure the gateway beside LiteLLM's proxy (ARGS=--write: write docs/bench_gateway.md, too)
	test -x $(VENV_LITELLM)/bin/litellm || { $(NEW_VENV) $(VENV_LITELLM) && $(VENV_LITELLM)/$(PIP_INSTALL) 'litellm[proxy]'; }
	LITELLM=$(abspath $(VENV_LITELLM))/bin/litellm $(BIN)/python -m benchmarks.bench_gateway $(ARGS)

bench-scale: $(VENV)/.test ## measure bulk beside abatch and Ray's HTTP processor at one quota (ARGS=--write: docs/bench_scale.md, too)
	test -x $(VENV_RAY)/bin/ray || { $(PYTHON) -m venv $(VENV_RAY) && $(VENV_RAY)/$(PIP_INSTALL) -e '.[test,parquet,ray]'; }
	RAY_PYTHON=$(abspath $(VENV_RAY))/bin/python $(BIN)/python -m benchmarks.bench_scale $(ARGS)

soak: $(VENV)/.test ## talk for 10 minutes in 64 conversations while 5 % of the requests fail (SECONDS=60: shorter)
	$(BIN)/python -m benchmarks.soak --seconds $(or $(SECONDS),600) $(ARGS)

call-path: $(VENV)/.test ## count the functions and files that a call runs, beside the partner packages
	$(BIN)/python -m benchmarks.call_path

lint: $(VENV)/.dev ## find mistakes with ruff
	$(BIN)/ruff check .

types: $(VENV)/.dev ## check the types with mypy, strictly, also of the programs of README and docs/ that show typed parameters
	$(BIN)/mypy
	$(BIN)/python -m docs.generate.typed

imports: $(VENV)/.dev ## check who may import whom with import-linter
	$(BIN)/lint-imports

check: test test-recordings lint types imports ## all of the above, as CI does

clean: ## remove environments and caches
	rm -rf $(VENV) $(VENV_OLDEST) $(VENV_LITELLM) $(VENV_CLIENTS) $(VENV_RAY) $(NPM_CLIENTS) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(NEW_VENV) $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP_INSTALL) -e '.[cli,emulator]'
	touch $@

$(VENV)/.gateway: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP_INSTALL) -e '.[gateway]'
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP_INSTALL) -e '.[test]'
	touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP_INSTALL) -e '.[docs]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/$(PIP_INSTALL) -e '.[dev]'
	touch $@ $(VENV)/.test
