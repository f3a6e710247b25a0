# One command for each habit; CI (.ci/run) calls the same ones. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help try test test-slow test-load check format bench bench-launch bench-proxy bench-footprint bench-dlp bench-dlp-proxy bench-git-gate bench-false-positives fuzz coverage docs lock clean
PY := .venv/bin/python
PYTEST := scripts/reachable.sh $(PY) -m pytest
MAKEFLAGS += --no-print-directory
# What decides and contains: measured by `make coverage` against 90 %.
CORE := scripts/core-modules.txt
# The bound of one `make fuzz`, for each fuzz test.
FUZZ_EXAMPLES ?= 20000
# The same for each target under atheris, in seconds.
FUZZ_SECONDS ?= 60

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

try: ## install what is missing, then watch an agent at work, and trying to escape, in a bottle
	@scripts/setup.sh try
	@.venv/bin/bot-bottle try

test: ## the tests that take seconds, fast ones first (under 15 minutes in all)
	@scripts/setup.sh test
	$(PYTEST) -m "not slow"

test-slow: ## the rest: real daemons, floods, a fresh machine
	@scripts/setup.sh slow
	$(PYTEST) -m "slow and not load"

test-load: ## the git gate under its largest loads: minutes for each
	@scripts/setup.sh slow
	$(PYTEST) -m load

check: ## lint, formatting, types, layers, generated documentation, words that must not be in the tree
	@scripts/setup.sh test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) scripts/generate_docs.py --check
	$(PY) scripts/check_tree.py

format: ## lay the code out as `make check` wants it
	@scripts/setup.sh test
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: ## all of the following; they write docs/benchmarks.md
	@$(MAKE) bench-launch
	@$(MAKE) bench-proxy
	@$(MAKE) bench-footprint
	@$(MAKE) bench-dlp
	@$(MAKE) bench-dlp-proxy
	@$(MAKE) bench-git-gate

bench-launch: ## launch times beside srt and docker, in one run
	@scripts/setup.sh bench
	$(PY) bench/launch.py

bench-proxy: ## the proxy beside mitmdump, squid and srt's, in one run
	@scripts/setup.sh bench
	$(PY) bench/proxy.py

bench-footprint: ## what one more bottle costs in memory and CPU, and fifty at once
	@scripts/setup.sh bench
	$(PY) bench/footprint.py

bench-dlp: ## the scanner beside gitleaks, detect-secrets and Python's re, in one run
	@scripts/setup.sh bench
	$(PY) bench/dlp.py

bench-dlp-proxy: ## the proxy with scanning beside itself without, in one run
	@scripts/setup.sh bench
	$(PY) bench/dlp_proxy.py

bench-git-gate: ## the git gate beside bare gitleaks and beside no gate, in one run
	@scripts/setup.sh bench
	$(PY) bench/git_gate.py

bench-false-positives: ## how often what agents send and receive is stopped; writes docs/false-positives.md
	@scripts/setup.sh test
	$(PY) bench/false_positives.py $(if $(RECORDED),--recorded $(RECORDED))

fuzz: ## the property tests with many more examples (FUZZ_EXAMPLES=20000), the scanner under atheris (FUZZ_SECONDS=60)
	@scripts/setup.sh test
	@scripts/atheris.sh
	$(PY) scripts/fuzz_atheris.py --seconds $(FUZZ_SECONDS)
	PYTHONPATH=scripts BOT_BOTTLE_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTEST) -p fuzz_plugin

coverage: ## branch coverage of all tests; fails where the security core has less than 90 %
	@scripts/setup.sh slow
	scripts/reachable.sh $(PY) scripts/coverage_report.py run
	$(PY) scripts/coverage_report.py core $(CORE)

docs: ## write the pages that are made from the code
	@scripts/setup.sh test
	$(PY) scripts/generate_docs.py

lock: ## write the lock files from pyproject.toml (scripts/lock.sh --upgrade takes new versions)
	@scripts/setup.sh test
	scripts/lock.sh

clean: ## remove what the commands above have made
	rm -rf .venv tools build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	    .import_linter_cache .hypothesis
