# make app    everything it needs, then the app in the browser
# make check  everything it needs, then linter, types and the fast tests
# make test   everything it needs, a browser too, then linter, types and all tests
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: app lint check test clean

app: $(VENV)/app.done
	$(BIN)/fer-studio app

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint
	$(BIN)/python -m pytest -m "not slow and not browser"

test: lint
	VENV=$(VENV) scripts/browser.sh
	$(BIN)/python -m pytest

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
