"""Follow the faces in a camera's picture, a video file or a stream, and name their expressions while they move."""

import sys

from fer.cli.live import main

if __name__ == "__main__":
    sys.exit(main())
