"""Find every face in pictures or a video and name its expression."""

import sys

from fer.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
