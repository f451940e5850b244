# Every target sets up what it needs in .venv, once. PYTHON=... chooses the Python, ARGS=... goes to the command.

.DEFAULT_GOAL := help
.PHONY: help lab test practical bench check classroom dev lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

lab: ## start the local S3 and open the course in JupyterLab
	@sh scripts/set_up.sh lab
	@.venv/bin/ngff-practical lab $(ARGS)

test: ## run every test (browser included) and every check
	@sh scripts/set_up.sh test
	@sh scripts/test.sh $(ARGS)

practical: ## run every notebook from top to bottom, without a browser
	@sh scripts/set_up.sh lab
	@.venv/bin/python scripts/run_notebooks.py $(ARGS)

classroom: ## pack one folder for laptops without internet (ARGS=FOLDER: where; else ./classroom)
	@sh scripts/set_up.sh lab
	@.venv/bin/python scripts/classroom.py $(ARGS)

bench: ## measure beside peers (ARGS="convert --quick", say)
	@sh scripts/set_up.sh lab
	@.venv/bin/python benchmarks/run.py $(ARGS)

check: ## style, types and layers only
	@sh scripts/set_up.sh test
	@sh scripts/check.sh

dev: ## everything for working on the code, with the hooks that run before each commit
	@sh scripts/set_up.sh dev
	@.venv/bin/pre-commit install

lock: ## choose the versions in constraints.txt anew (ARGS=--upgrade: the newest ones)
	@sh scripts/set_up.sh dev
	@.venv/bin/python scripts/lock.py $(ARGS)

clean: ## remove .venv, caches and scratch data; notebooks and what you made in them stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist scratch test-results
	find ngff_practical tests scripts benchmarks -name __pycache__ -prune -exec rm -rf {} +
