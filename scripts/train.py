"""Train a model on one data set or several."""

import sys

from fer.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
