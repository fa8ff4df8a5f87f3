"""Train a model on one or more data sets."""

import sys

from fer.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
