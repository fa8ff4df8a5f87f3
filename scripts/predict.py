"""Find every face in photos or a video and recognize its expression."""

import sys

from fer.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
