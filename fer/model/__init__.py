"""The network, what goes into it, and the file that holds both."""

from pathlib import Path

WEIGHTS_DIR = Path(__file__).parent / "weights"
DEFAULT_CHECKPOINT = WEIGHTS_DIR / "ferplus-resnet18.safetensors"
"""The model that comes with the package."""
DEFAULT_REPORT = WEIGHTS_DIR / "ferplus-resnet18.report.json"
"""Its evaluation on the FER+ test split, written by scripts/evaluate.py."""


def shipped_reports() -> list[Path]:
    """Return the evaluations of all models that come with the package, the default one's first."""
    return sorted(WEIGHTS_DIR.glob("*.report.json"), key=lambda path: (path != DEFAULT_REPORT, path.name))
