"""Measure how well models fine-tune on few pictures with class names that they do not know.

    python scripts/finetuning.py --dataset data/ferplus --models former.safetensors shipped --output few.json

The training pictures are a sample of each expression from the training split, with one label each, like people's own
folders; each seed draws another sample. The recipe is that of the training page. Some validation pictures choose the
best epoch, others, the same for all models, judge it. Runs are kept in runs/finetuning: the same command resumes, and
adds models to the table.
"""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np

from fer.cli.command import tells_errors
from fer.datasets import FaceDataset, open_dataset
from fer.evaluation.report import FewPictures, FineTuned, read_table
from fer.jobs.job import working
from fer.model import model_file
from fer.model.checkpoint import read_info
from fer.records import write_record
from fer.training.metrics import Hooks
from fer.training.recipe import fine_tuning
from fer.training.runs import open_run

PARTS = ("validation", "test", "test", "test")
"""Of the validation pictures, in a fixed random order, every fourth chooses the epoch; the others judge."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="PATH", help="data set to sample from")
    parser.add_argument("--models", nargs="+", required=True, metavar="FILE", help="models to fine-tune; or shipped")
    parser.add_argument("--pictures", type=int, default=100, metavar="N", help="of each expression, at most (100)")
    parser.add_argument("--judges", type=int, default=1200, metavar="N", help="validation pictures, at most (1200)")
    parser.add_argument("--epochs", type=int, metavar="N", help="(as on the training page)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="(0 1 2)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (all)")
    parser.add_argument("--runs", type=Path, default=Path("runs/finetuning"), metavar="DIR", help="(runs/finetuning)")
    parser.add_argument("--output", type=Path, default=Path("few.json"), metavar="FILE", help="the table (few.json)")
    options = parser.parse_args(arguments)
    options.command = shlex.join(
        ["python", "scripts/finetuning.py", *(sys.argv[1:] if arguments is None else arguments)]
    )
    return options


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write; return the exit code."""
    _measure_models(parse_arguments(arguments))
    return 0


def few_pictures(dataset: FaceDataset, pictures: int, judges: int, seed: int) -> FaceDataset:
    """Return a small data set of the same pictures, with other names for its expressions.

    Args:
        dataset: with the splits "train" and "validation".
        pictures: largest number of training pictures per expression; the seed draws them.
        judges: largest number of validation pictures that choose and judge; see `PARTS`.
        seed: of the sample.
    """
    training = np.random.default_rng(seed).permutation(dataset.rows("train"))
    truth = dataset.truth(training)
    chosen = np.concatenate([training[truth == label][:pictures] for label in range(len(dataset.labels))])
    validation = np.random.default_rng(0).permutation(dataset.rows("validation", "majority"))[:judges]
    rows = np.concatenate([chosen, validation])
    splits = np.concatenate([np.full(len(chosen), "train"), np.resize(PARTS, len(validation))])
    votes = np.eye(len(dataset.labels), dtype=np.float32)[dataset.truth(rows)]
    names = tuple(f"class {number}" for number, _ in enumerate(dataset.labels, start=1))
    small = replace(dataset.take(rows), labels=names, votes=votes, splits=splits, other_votes=votes[:, :0])
    return replace(small, name=f"{dataset.name}, at most {pictures} pictures a class")


def _measure_models(options: argparse.Namespace) -> None:
    import torch  # takes seconds, so after validating the options

    if options.threads:
        torch.set_num_threads(options.threads)
    dataset = open_dataset(options.dataset)
    drawn = {seed: few_pictures(dataset, options.pictures, options.judges, seed) for seed in options.seeds}
    first = drawn[options.seeds[0]]
    training, judged = len(first.rows("train")), len(first.rows("test"))
    epochs = options.epochs or fine_tuning(options.dataset, training).epochs
    judges = f"judged on n = {judged:,} of the validation split, rule majority"
    basis = f"{first.name} ({training:,} in all), {epochs} epochs; {judges}"
    rows = {row.model: row for row in read_table(options.output, FewPictures).rows} if options.output.is_file() else {}
    for name in options.models:
        found = [_measure(options, name, seed, part) for seed, part in drawn.items()]
        accuracies, macro_f1s = zip(*found, strict=True)
        rows[Path(name).name] = FineTuned(Path(name).name, tuple(options.seeds), accuracies, macro_f1s)
        write_record(options.output, FewPictures(basis, options.command, tuple(rows.values())))
        print(f"{name}: accuracy {mean(accuracies):.4f} ({min(accuracies):.4f} to {max(accuracies):.4f}) ({basis})")


def _measure(options: argparse.Namespace, name: str, seed: int, dataset: FaceDataset) -> tuple[float, float]:
    """Fine-tune a model unless that is done; return (accuracy, macro F1), 0..1, on the judging pictures."""
    from fer.evaluation.metrics import measure
    from fer.evaluation.predict import predict
    from fer.model.classifier import Classifier
    from fer.training.loop import train

    file = model_file(name)
    info = read_info(file)
    config = fine_tuning(options.dataset, len(dataset.rows("train")))
    config = replace(
        config, init=str(file), architecture=info.architecture, size_px=info.preprocessing.size_px,
        channels=info.preprocessing.channels, epochs=options.epochs or config.epochs, seed=seed,
    )  # fmt: skip
    run = open_run(options.runs, config, f"{file.stem}-{seed}")
    with working(run.folder):
        train(config, dataset, run, Hooks(on_note=lambda text: print(text, file=sys.stderr)))
    found = predict(Classifier.load(run.best_path), dataset, "test").predictions
    metrics = measure(found.probabilities, found.truth)
    return metrics.accuracy, metrics.macro_f1


if __name__ == "__main__":
    sys.exit(main())
