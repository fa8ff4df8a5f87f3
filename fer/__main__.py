"""`python -m fer` is `fer-studio`."""

import sys

from fer.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
