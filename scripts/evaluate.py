"""Measure a model on a data set, or compare models that were measured."""

import sys

from fer.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
