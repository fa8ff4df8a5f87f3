"""The network, what goes into it, and the file that holds both."""

from pathlib import Path

WEIGHTS_DIR = Path(__file__).parent / "weights"
DEFAULT_CHECKPOINT = WEIGHTS_DIR / "ferplus-resnet18.safetensors"
"""The model that is used where nobody chooses another: FER+, eight expressions."""
SHIPPED = {
    "shipped": DEFAULT_CHECKPOINT,
    "shipped-fer2013": WEIGHTS_DIR / "fer2013-resnet18.safetensors",
    "shipped-careful": WEIGHTS_DIR / "ferplus-careful.safetensors",
}
"""The models that come with the package, by the words that stand for them on the command line."""


def model_file(text: str) -> Path:
    """Return the file that is meant on a command line: a shipped model's by its word, else the path."""
    return SHIPPED.get(text, Path(text))


def report_of(checkpoint: Path) -> Path:
    """Return where the report of a shipped model lies: its evaluation on the test split, by `fer-studio evaluate`."""
    return checkpoint.with_suffix(".report.json")


DEFAULT_REPORT = report_of(DEFAULT_CHECKPOINT)


def shipped_reports() -> list[Path]:
    """Return the evaluations of all models that come with the package, the default one's first."""
    return sorted(WEIGHTS_DIR.glob("*.report.json"), key=lambda path: (path != DEFAULT_REPORT, path.name))
