"""Convert a network with two linear heads that was trained outside this project to a model file.

    python scripts/convert_student.py student.safetensors OUTPUT --dataset data/ferplus --label-dataset data/fer2013 \\
        --recipe "…" --label-output second.safetensors

The file must name its layers body.…, votes.… and label.…: torchvision's ResNet without its last layer, or dlib's
network (--architecture face_recognition_resnet --size 112), and two heads in the order of FER+ and of FER2013. The
validation accuracy is printed and stored. Run choose_readings.py next.
"""

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file

from fer.cli.command import tells_errors
from fer.datasets import FaceDataset, open_dataset
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.labels import FER2013, FERPLUS
from fer.model.checkpoint import ModelInfo, save_checkpoint, save_second_alone
from fer.model.face_recognition import NAME
from fer.model.network import build_network, last_layer
from fer.model.preprocessing import Preprocessing
from fer.model.prior import SecondHead
from fer.model.torch_network import torch_classifier
from fer.training.face_recognition import for_our_pictures


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Convert, measure and write; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", type=Path, metavar="FILE")
    parser.add_argument("output", type=Path, metavar="OUTPUT")
    parser.add_argument("--dataset", required=True, metavar="PATH", help="data set of its first head: votes")
    parser.add_argument("--label-dataset", required=True, metavar="PATH", help="data set of its second head")
    parser.add_argument("--architecture", default="resnet18", metavar="NAME", help="(resnet18)")
    parser.add_argument(
        "--size", type=int, default=Preprocessing().size_px, metavar="PX", help="size of the faces (48)"
    )
    parser.add_argument("--recipe", default="", metavar="TEXT", help="how it was trained, for the model card")
    parser.add_argument("--label-output", type=Path, metavar="FILE", help="also write a file for its second head alone")
    options = parser.parse_args(arguments)
    dataset, labeled = open_dataset(options.dataset), open_dataset(options.label_dataset)
    info = ModelInfo(
        options.architecture,
        FERPLUS,
        Preprocessing(size_px=options.size),
        prior=_prior(dataset, FERPLUS),
        second=SecondHead(FER2013, _prior(labeled, FER2013), labeled.name),
    )
    network = build_network(info.architecture, classes=info.outputs, channels=1, size_px=info.preprocessing.size_px)
    state = _joined(load_file(options.student), last_layer(network).name)
    if info.architecture == NAME:  # its first layer was trained with dlib's own normalization
        state["conv.weight"], offset = for_our_pictures(state["conv.weight"], info.preprocessing)
        state["bn.running_mean"] -= offset
    network.load_state_dict(state)
    found = predict(torch_classifier(info, network.eval()), dataset, "validation").predictions
    metrics = measure(found.probabilities, found.truth)
    print(f"validation accuracy {metrics.accuracy:.4f} ({dataset.name}, rule majority, n = {len(found):,})")
    info.training.update(
        dataset=dataset.name,
        dataset_sha256=dataset.fingerprint(),
        rule="majority",
        recipe=options.recipe,
        validation_n=len(found),
        validation_accuracy=metrics.accuracy,
        validation_macro_f1=metrics.macro_f1,
        versions={name: version(name) for name in ("torch", "torchvision")},
    )
    save_checkpoint(options.output, info, network.state_dict())
    if options.label_output:
        save_second_alone(options.label_output, options.output)
    return 0


def _prior(dataset: FaceDataset, labels: tuple[str, ...]) -> tuple[float, ...]:
    """Return the share of each label in the training pictures."""
    shares = dataset.distributions(dataset.rows("train", "argmax")).mean(axis=0)
    shares = shares[[dataset.labels.index(label) for label in labels]]
    return tuple((shares / shares.sum()).tolist())


def _joined(student: dict[str, torch.Tensor], last: str) -> dict[str, torch.Tensor]:
    """Return a network's state, float32, with our names: both heads are rows of one last layer."""
    student = {name: value.float() if value.is_floating_point() else value for name, value in student.items()}
    body = {name.removeprefix("body."): value for name, value in student.items() if name.startswith("body.")}
    heads = {
        f"{last}.{part}": torch.cat([student[f"votes.{part}"], student[f"label.{part}"]]) for part in ("weight", "bias")
    }
    return body | heads


if __name__ == "__main__":
    sys.exit(main())
