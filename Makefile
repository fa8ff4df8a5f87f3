# make app    everything it needs, then the app in the browser
# make test   everything it needs, then linter, types and all tests
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: app test clean

app: $(VENV)/app.done
	$(BIN)/fer-studio app

test: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
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
