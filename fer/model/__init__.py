"""The network, its preprocessing, and the model file that holds both."""

from pathlib import Path

WEIGHTS_DIR = Path(__file__).parent / "weights"
DEFAULT_CHECKPOINT = WEIGHTS_DIR / "ferplus-resnet18.safetensors"
"""The default model: FER+, eight expressions."""
SHIPPED = {
    "shipped": DEFAULT_CHECKPOINT,
    "shipped-fer2013": WEIGHTS_DIR / "fer2013-resnet18.safetensors",
    "shipped-careful": WEIGHTS_DIR / "ferplus-careful.safetensors",
}
"""The built-in models, by their names on the command line."""


def model_file(text: str) -> Path:
    """Return the file for a command-line argument: a built-in model by its name, or a path."""
    return SHIPPED.get(text, Path(text))


def report_of(checkpoint: Path) -> Path:
    """Return the path of a built-in model's report: its evaluation on the test split, by `fer-studio evaluate`."""
    return checkpoint.with_suffix(".report.json")


DEFAULT_REPORT = report_of(DEFAULT_CHECKPOINT)


def shipped_reports() -> list[Path]:
    """Return the reports of all built-in models, the default one's first."""
    return sorted(WEIGHTS_DIR.glob("*.report.json"), key=lambda path: (path != DEFAULT_REPORT, path.name))
