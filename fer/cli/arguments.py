"""The options of the command lines that say which model answers, and about whose faces."""

import argparse

from fer.model import DEFAULT_CHECKPOINT, model_file
from fer.model.prior import EVERYDAY, KINDS_OF_FACES


def add_checkpoint_argument(parser: argparse.ArgumentParser) -> None:
    """Add --checkpoint."""
    parser.add_argument(
        "--checkpoint", type=model_file, default=DEFAULT_CHECKPOINT, metavar="FILE",
        help="a model file, or shipped-fer2013 (shipped: FER+, eight expressions)",
    )  # fmt: skip


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --checkpoint and --faces."""
    add_checkpoint_argument(parser)
    parser.add_argument(
        "--faces", choices=KINDS_OF_FACES, default=EVERYDAY,
        help="posed or acted faces are neutral less often than the model expects (everyday)",
    )  # fmt: skip
