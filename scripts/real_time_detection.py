"""Follow the faces of a camera, a video file or a stream, and show their expressions live."""

import sys

from fer.cli.live import main

if __name__ == "__main__":
    sys.exit(main())
