"""The size of a model, and its speed."""

from pathlib import Path

import torch

from fer.evaluation.evaluate import measure_speed, processor_name
from fer.model.classifier import Classifier


def test_a_model_is_timed_on_one_thread_and_the_threads_are_restored(tiny_checkpoint: Path) -> None:
    classifier = Classifier.load(tiny_checkpoint)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        speed = measure_speed(classifier, tiny_checkpoint, repeats=3)
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)
    assert speed.parameters == sum(one.numel() for one in classifier.network.in_torch().module.parameters())
    assert speed.file_bytes == len(tiny_checkpoint.read_bytes())
    assert speed.repeats == 3
    assert 0 < speed.milliseconds_per_face < 60_000


def test_the_processor_has_a_name() -> None:
    assert processor_name().strip()
