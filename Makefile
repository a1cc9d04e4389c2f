# Convenience only: in an activated environment `dvc repro` and `pytest` do the same.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: reports test lab bench bench-quick bench-ingest bench-memory bench-mutations bench-damage bench-speed bench-fitting example clean help
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Vivencia needs Python 3.11 or later; set PYTHON=..."; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x .venv/bin/uv || .venv/bin/python -m pip install --quiet uv
	@.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock
	@.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps -e .
	@touch $@

reports: .venv/ready ## the environment, the exports of the invented company if data/raw has none, and all pages
	@dvc repro
	@echo "The pages are ready: $(CURDIR)/reports/index.html"

test: .venv/ready ## everything under tests/, notebooks included
	@python -m pytest --numprocesses 2 --dist loadfile

lab: .venv/ready ## JupyterLab on the notebooks, kernel and paths ready
	@cd notebooks && jupyter lab $$([ "$$(id -u)" = 0 ] && echo --allow-root)

bench-quick: .venv/ready ## does it hold: the truth found over 200 simulated companies, in minutes
	@python -m benchmarks.validity --companies 200 --customers 1000 --worlds base=100,null=100 --json build/validity.json

bench: .venv/ready ## the same over 2,000 companies of each world, size and power included (some hours); the page on trust
	@python -m benchmarks.validity --companies 2000 --customers 1000 --power 2000 --json build/validity.json \
		--page pipeline/report/validity.json --keep build/validity

bench-ingest: .venv/ready ## DATA=folder: every file under it through ingest, rows counted
	@python -m benchmarks.ingest "$(DATA)"

bench-speed: .venv/ready ## how fast exports become linked tables, beside a plain copy and an analyst's script
	@python -m benchmarks.speed --size S,M --json build/speed.json

bench-memory: .venv/ready ## a file of three million rows through ingest in 512 MB
	@python -m benchmarks.memory --json build/memory.json

bench-mutations: .venv/ready ## a hundred thousand damaged exports: none lost, no crash (an hour and more)
	@python -m benchmarks.ingest --mutations 100000 --json build/mutations.json

bench-damage: .venv/ready ## damaged exports whose truth is known: wrong, kept and unaccounted by family (some minutes)
	@python -m benchmarks.damage --files 2000 --json build/damage.json

bench-fitting: .venv/ready ## how fast the models are fitted, beside pyfixest and statsmodels in one run
	@python -m benchmarks.fitting --size M --json build/fitting.json

example: .venv/ready ## NAME=telco|olist|cdnow DATA=folder: pages of a public data set, in build/examples/NAME
	@python -m pipeline.stages.example "$(NAME)" "$(DATA)"

clean: ## drop the environment and everything built; exports in data/raw stay
	@rm -rf .venv build data/clean data/quarantine data/linked data/results/*/tables .pytest_cache .ruff_cache
