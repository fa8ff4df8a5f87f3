# make app    everything it needs, then the app in the browser
# make check  everything it needs, then linter and types beside the fast tests
# make test   everything it needs, a browser too, then linter, types and all tests
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# A worker for each core, up to four, since each needs a GB; one thread in each, since more would wait for each other.
PARALLEL = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

.PHONY: app lint check fast test most browser clean

app: $(VENV)/app.done
	$(BIN)/fer-studio app

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: $(VENV)/test.done
	$(MAKE) -j 2 lint fast

fast: $(VENV)/test.done
	$(PARALLEL) -m "not slow and not browser"

# The browser tests mostly wait, so they run beside the others.
test: lint
	VENV=$(VENV) scripts/browser.sh
	$(MAKE) -j 2 most browser

most: $(VENV)/test.done
	$(PARALLEL) -m "not browser"

browser: $(VENV)/test.done
	$(BIN)/python -m pytest tests/browser

$(VENV)/app.done: requirements.txt pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -m pip install -r requirements.txt
	touch $@

$(VENV)/test.done: $(VENV)/app.done requirements-dev.txt
	$(BIN)/python -m pip install -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV)
