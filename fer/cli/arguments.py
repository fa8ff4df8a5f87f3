"""Options shared by several commands, and options generated from the fields of a configuration."""

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from fer.model import DEFAULT_CHECKPOINT, model_file
from fer.model.classifier import AUTO, RUNTIMES
from fer.model.prior import BETWEEN, EVERYDAY, KINDS_OF_FACES, READINGS

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


def add_field_options(parser: argparse._ArgumentGroup, kind: type, group: str) -> None:
    """Add an option for each field of a configuration that belongs to a group; see `fer.training.config.option`.

    An option that is not given is None, so the configuration's own default applies.
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
    """Add --checkpoint, --runtime, --device, and --faces with these choices; `acted` leaves it None unless given."""
    parser.add_argument(
        "--checkpoint", type=model_file, default=DEFAULT_CHECKPOINT, metavar="FILE",
        help="a model file, or shipped (FER+, eight expressions), shipped-careful for photos, shipped-fer2013",
    )  # fmt: skip
    parser.add_argument(
        "--runtime", choices=RUNTIMES, default=AUTO,
        help="ONNX Runtime for exported models on the CPU, torch otherwise (auto)",
    )  # fmt: skip
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (cpu)")
    usual = f"{BETWEEN}; {EVERYDAY} for files" if acted else EVERYDAY
    alone = "; raters, label: one head of the model alone" * (kinds == READINGS)
    parser.add_argument(
        "--faces", choices=kinds, default=None if acted else EVERYDAY,
        help="favor rare expressions: posed or acted faces are less often neutral than the model expects"
        f"{alone} ({usual})",
    )  # fmt: skip


def load_recognizer(options: argparse.Namespace, for_video: bool = False) -> "Recognizer":
    """Load the model chosen by `add_model_arguments`.

    Loading can take seconds, so validate all options first. Inference uses one thread, because reading, detection,
    drawing and writing run beside it.
    """
    from fer.model.device import choose_device
    from fer.recognition.recognizer import Recognizer

    device = choose_device(options.device)
    recognizer = Recognizer.load(options.checkpoint, device, options.faces, options.runtime, threads=1)
    return recognizer.for_video() if for_video else recognizer
