# make run    the app on http://127.0.0.1:8501 (PORT=… for another port)
# make test   everything that can be tested (THOROUGH=1: with four times the random cases)
# make light  set up what make unit, check and docs need: no Spark, no browser
# make unit   the tests to run all the time: no pages, programs, servers or browsers
# make rest   make test without browsers; make browsers: those alone
# make check  lint, format and types
# make wheel-test  the wheel in empty environments of Python 3.11, 3.12 and 3.13, those that are there
# make container-test  the Dockerfile's steps in bare Debian roots, and the app there (root, debootstrap; 7 GB)
# make bench  the benchmark at a small size (USERS=… for a larger one)
# make quality  the vectors beside the simple ways on sites of many makers (USERS=25000: hours)
# make audit  SBOM, licences and known vulnerabilities of what requirements.lock pins
# make docs   the site of docs/ and the code's reference, in build/site
# make lock   pin what was tested, with hashes, and try the pins in an empty environment (downloads gigabytes)
PORT ?= 8501
USERS ?= 5000
PYTHON ?= python3
PY := .venv/bin/python
# what is imported is compiled then; all of it at once takes a minute
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
RUNTIME := .venv/.runtime
LIGHT := .venv/.light
DEV := .venv/.dev
AUDIT := .venv-audit/.ready
DOCS := .venv-docs/.ready
LOCK := requirements.lock
BQ := .venv-bqemulator
EXPORTS ?= ../shared/data
REAL := $(wildcard $(abspath $(EXPORTS))/*.csv.gz)
NBCONVERT = PYTHONPATH=$(CURDIR) nice .venv-docs/bin/jupyter nbconvert --log-level ERROR --to markdown --output-dir build/docs/notebooks
# every server and child of a test would compile the app again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run light setup test rest browsers unit wheel-test container-test check format bench quality audit docs lock clean

run: $(RUNTIME)
	$(PY) -m streamlit run app.py --server.port $(PORT)

setup: $(DEV)

$(RUNTIME): requirements.txt requirements-models.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}; choose another one with PYTHON=…" or 0)'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) $(PIP_INSTALL) -r requirements.txt
	$(PY) $(PIP_INSTALL) --no-deps -r requirements-models.txt
	touch $@

light: $(LIGHT)

$(LIGHT): requirements-dev.txt $(RUNTIME)
	$(PY) $(PIP_INSTALL) -r requirements-dev.txt
	touch $@

$(DEV): requirements-rest.txt requirements-llm-test.txt $(LIGHT)
	$(PY) $(PIP_INSTALL) -r requirements-rest.txt
	$(PY) $(PIP_INSTALL) --no-deps -r requirements-llm-test.txt
	touch $@

# a file shares its fixtures in one process; in order of names the many short ones of pages come last, so that
# no process is left with a long one
PYTEST := $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(DEV)
	$(MAKE) -j2 rest browsers

rest: $(DEV)  # lets others go first: a browser waits for half of its time, and not for ever
	nice $(PYTEST) --ignore tests/e2e

browsers: $(DEV)  # two browsers at once time out on two cores
	$(PY) -m pytest tests/e2e

unit: $(LIGHT)
	$(PYTEST) --ignore tests/e2e --ignore tests/pages --ignore tests/benchmarks -m "not integration"

wheel-test: $(DEV)
	$(PY) -m pytest -m release tests/e2e/test_interpreters.py

container-test: $(DEV)
	$(PY) -m pytest -m release tests/e2e/test_container.py

check: $(LIGHT)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(LIGHT)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(DEV)  # lets others go first: nothing on a quiet machine, much beside a browser
	nice $(PY) -m benchmarks.run --users $(USERS)

quality: $(DEV)  # needs requirements-bench.txt; SETS="demo gazette" for some
	nice $(PY) -m benchmarks.quality.makers $(SETS) --users $(USERS) --preset fast --seeds 2 --work cache/quality

$(AUDIT): requirements-audit.txt
	test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python $(PIP_INSTALL) -r $<
	touch $@

# a stand-in for BigQuery, in an environment of its own: it needs another DuckDB; tests make it when they need it
$(BQ)/.ready: requirements-bqemulator.txt
	test -x $(BQ)/bin/python || $(PYTHON) -m venv $(BQ)
	$(BQ)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	mkdir -p $(BQ)/home
	HOME=$(BQ)/home $(BQ)/bin/python -c 'import duckdb, duckdb_extension_spatial as wheel, pathlib; \
		[file] = pathlib.Path(wheel.__path__[0]).rglob("spatial.duckdb_extension"); \
		duckdb.connect().execute(f"INSTALL \047{file}\047")'
	touch $@

$(DOCS): requirements-docs.txt $(LIGHT)
	test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python $(PIP_INSTALL) -r $<
	$(PY) -m ipykernel install --prefix .venv-docs >/dev/null  # notebooks run in .venv
	touch $@

# every link is checked; the run of the notebook on the demo shop says which files and columns there are. Notebooks on
# real exports have outputs where those lie in EXPORTS
docs: $(DOCS)
	rm -rf build/docs build/notebooks && cp -r docs build/docs && cp -r docs/notebooks build/notebooks
	$(if $(REAL),ln -s $(REAL) build/notebooks/)
	.venv-docs/bin/jupytext --quiet --to ipynb build/notebooks/*.py
	$(NBCONVERT) --execute build/notebooks/five_minutes.ipynb
	$(NBCONVERT) $(if $(REAL),--execute) build/notebooks/outcome.ipynb build/notebooks/new_users.ipynb
	perl -pi -e 's/<table[^>]*>/<table>/' build/docs/notebooks/*.md  # the site's own style, which scrolls where it is narrow
	$(PY) docs/reference/make.py build/notebooks/shop build/docs
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet --strict

audit: $(AUDIT) $(RUNTIME)
	.ci/audit $(LOCK) $(PY)

lock: $(AUDIT) $(DEV)
	mkdir -p build
	$(PY) -m pip freeze | grep '==' | sed 's/+.*//' > build/tested.txt
	.venv-audit/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraints build/tested.txt requirements.txt --output-file $(LOCK)
	rm -rf build/locked && $(PYTHON) -m venv build/locked
	build/locked/bin/python -m pip install --quiet --isolated --require-hashes -r $(LOCK)
	sed '/^|/,$$d' docs/licences.md > build/licences.md
	.venv-audit/bin/pip-licenses --python build/locked/bin/python --from=mixed --format=markdown >> build/licences.md
	mv build/licences.md docs/licences.md

clean:
	rm -rf build .venv-audit .venv-docs .venv-bqemulator .venv-bqemulator.lock .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
