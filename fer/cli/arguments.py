"""The options of the command lines that several of them have, and those that stand in a configuration."""

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from fer.model import DEFAULT_CHECKPOINT, model_file
from fer.model.classifier import AUTO, RUNTIMES
from fer.model.prior import BETWEEN, EVERYDAY, KINDS_OF_FACES

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


def add_field_options(parser: argparse._ArgumentGroup, kind: type, group: str) -> None:
    """Add an option for each field of a configuration that belongs to a group; see `fer.training.config.option`.

    What is not given is None, so that the configuration's own default counts.
    """
    types = get_type_hints(kind)
    for field in fields(kind):
        about = field.metadata
        if about.get("group") != group:
            continue
        how: dict[str, Any] = {"dest": field.name, "default": None, "help": about["help"]}
        of_what = types[field.name]
        if of_what is bool:
            how["action"] = argparse.BooleanOptionalAction if field.default else "store_true"
        else:
            if not how["help"].endswith(")") and field.default != ():
                how["help"] += f" ({field.default:g})" if isinstance(field.default, float) else f" ({field.default})"
            how |= {"choices": about["choices"] or None, "metavar": about["metavar"]}
            if get_origin(of_what) is tuple:
                how["action"] = "append"
            else:
                how["type"] = next(iter(get_args(of_what)), of_what)
        parser.add_argument(about["flag"] or f"--{field.name.replace('_', '-')}", **how)


def add_model_arguments(
    parser: argparse.ArgumentParser, kinds: tuple[str, ...] = KINDS_OF_FACES, acted: bool = False
) -> None:
    """Add --checkpoint, --runtime, and --faces of these kinds; where people act, that is None if it is not given."""
    parser.add_argument(
        "--checkpoint", type=model_file, default=DEFAULT_CHECKPOINT, metavar="FILE",
        help="a model file, or shipped-fer2013, or shipped-careful for photos (shipped: FER+, eight expressions)",
    )  # fmt: skip
    parser.add_argument(
        "--runtime", choices=RUNTIMES, default=AUTO,
        help="what computes: ONNX Runtime, for a model that has been exported and on the CPU, else torch (auto)",
    )  # fmt: skip
    usual = f"{BETWEEN}, of a file {EVERYDAY}" if acted else EVERYDAY
    parser.add_argument(
        "--faces", choices=kinds, default=None if acted else EVERYDAY,
        help=f"posed or acted faces are neutral less often than the model expects ({usual})",
    )  # fmt: skip


def load_recognizer(options: argparse.Namespace, for_video: bool = False) -> "Recognizer":
    """Load the model of `add_model_arguments` and --device; it may take seconds, so not before all options are checked.

    It computes on one thread: reading, searching, drawing and writing go on beside it.
    """
    from fer.model.device import choose_device
    from fer.recognition.recognizer import Recognizer

    device = choose_device(options.device)
    recognizer = Recognizer.load(options.checkpoint, device, options.faces, options.runtime, threads=1)
    return recognizer.for_video() if for_video else recognizer
