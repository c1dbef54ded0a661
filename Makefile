# Every target first sets up what it needs, on a bare Debian 12 or 13 too. ARGS="…" goes to the program that a target runs.

MAKEFLAGS += --no-print-directory
SETUP = @sh packaging/setup/setup.sh
RUN = @/usr/bin/python3 packaging/setup/run.py

.PHONY: help run test lint format types screenshots bench deb setup lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

run: ## Toru with its examples, in a systemd of its own, until Ctrl-C
	$(SETUP) run
	$(RUN) sh examples/build.sh build/plugins
	$(RUN) --as-root .venv/bin/toru try up --plugins build/plugins $(ARGS)

test: ## all tests, linters included: make test ARGS="-k backoff"; ARGS="-m req" lists the promises they prove
	$(SETUP) test
	$(RUN) --as-root .venv/bin/pytest -n 3 $(ARGS)

lint: ## the linters alone
	$(SETUP) run
	$(RUN) .venv/bin/pytest tests/lint $(ARGS)

format: ## what the linters can put right by themselves
	$(SETUP) run
	$(RUN) .venv/bin/ruff check --fix $(ARGS)
	$(RUN) .venv/bin/ruff format
	$(RUN) npm run --prefix frontend --silent format

types: ## what the front end knows of the API, written anew: after a change of it
	$(SETUP) run
	$(RUN) .venv/bin/python -m tests.frontend.types

screenshots: ## pictures of every screen, in build/screenshots: make screenshots ARGS="logs overview"
	$(SETUP) test
	$(RUN) --as-root .venv/bin/python -m tests.browser.screenshots $(ARGS)

bench: ## the benchmarks, side by side with peers: make bench ARGS="scan crash --rounds 20 --verbose"
	$(SETUP) bench
	$(RUN) --as-root .venv/bin/python -m tests.bench $(ARGS)

deb: ## the Debian packages, in dist: make deb ARGS="--lint"
	$(SETUP) deb
	$(RUN) --as-root /usr/bin/python3 packaging/deb/build.py $(ARGS)

setup: ## what run and test need, and no more
	$(SETUP) test

lock: ## newer Python packages as pyproject.toml allows: make lock ARGS="--upgrade"
	$(SETUP) run
	$(RUN) sh packaging/setup/lock.sh $(ARGS)

clean: ## away with everything that the other targets made
	@rm -rf .venv build dist
	@find . -name node_modules -prune -o -name __pycache__ -exec rm -rf {} +
