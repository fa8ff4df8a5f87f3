"""Export a model for ONNX Runtime: beside its file for this program, or as a single file for other programs.

    fer-studio export runs/NAME/best.safetensors                            float32
    fer-studio export runs/NAME/best.safetensors --int8 --calibrate PATH    and 8 bits, for webcam and video
    fer-studio export runs/NAME/best.safetensors --onnx                     one self-contained file, here: best.onnx

Training does the first two when it finishes. The built-in model's exports were made with
`fer-studio export shipped --int8 --calibrate data/ferplus`.
"""

import argparse
from pathlib import Path

from fer.cli.command import command_parser, say, tells_errors
from fer.model import SHIPPED, model_file


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("export", __doc__, arguments)
    parser.add_argument("model", type=model_file, metavar="MODEL", help=f"a model file, or {', '.join(SHIPPED)}")
    parser.add_argument(
        "--onnx", type=Path, nargs="?", const=Path(), metavar="FILE.onnx",
        help="write a single file for other programs instead (the model's name, in this folder)",
    )  # fmt: skip
    parser.add_argument("--int8", action="store_true", help="also export in 8 bits; with --onnx, only in 8 bits")
    parser.add_argument(
        "--calibrate", metavar="PATH", help="a data set whose training pictures set the value ranges for --int8"
    )
    options = parser.parse_args(arguments)
    if options.onnx == Path():
        options.onnx = Path(options.model.name).with_suffix(".onnx")
    if options.int8 != bool(options.calibrate):
        parser.error("--int8 needs pictures to calibrate with: give --int8 and --calibrate PATH together")
    return options


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Write the files; return the exit code."""
    options = parse_arguments(arguments)
    from fer.datasets import open_dataset
    from fer.datasets.dataset import some_faces
    from fer.model.checkpoint import read_info
    from fer.model.export import CALIBRATION_FACES, write_exports, write_whole

    preprocessing, faces = read_info(options.model).preprocessing, None
    if options.calibrate:
        faces = some_faces(open_dataset(options.calibrate), preprocessing, CALIBRATION_FACES)
    if options.onnx:
        write_whole(options.model, options.onnx, faces)
    for path in [options.onnx] if options.onnx else write_exports(options.model, faces):
        say(f"{path}: {path.stat().st_size:,} bytes")
    return 0
