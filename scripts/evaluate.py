"""Evaluate a model on a data set, or compare evaluated models."""

import sys

from fer.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
