"""Everything that can go wrong in a way the user can mend.

Each message says what was expected, what was found and what to do. Finding no face is not an error: the
result is an empty list.
"""

import re

_ADDRESS = r"(\b[a-zA-Z][\w+.-]+:[/\\]{1,2}"  # of a path it keeps a single slash
_SECRETS = (
    # A user and a password, which may have any character; "host:port/…@…" is none.
    (re.compile(_ADDRESS + r")(?:[^\s/?#:@]*:(?!\d{1,5}(?:[/?#\s]|$))(?:\S*|[^\n@]*)@|[^\s/?#]*@)"), r"\1…@"),
    (re.compile(_ADDRESS + r"[^\s?#]*[?#])\S*[^\s.,:;'\")]"), r"\1…"),
    # Some cameras have them in the path.
    (re.compile(_ADDRESS + r"\S*?(?i:user|login|pass|pwd|psw|token|key|auth)\w*=)[^\s/]*[^\s/.,:;'\")]"), r"\1…"),
)


def without_secrets(text: str) -> str:
    """Return a text that is to be shown, without the users, passwords and queries of the addresses in it."""
    for secret, shown in _SECRETS:
        text = secret.sub(shown, text)
    return text


class FerError(Exception):
    """Base of all errors that the package raises for bad input. Pages and scripts show its text as it is.

    No password of an address gets into that.
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(without_secrets(one) if isinstance(one, str) else one for one in arguments))


class ImageError(FerError):
    """A picture cannot be read or is refused."""


class DatasetError(FerError):
    """A data set is missing, incomplete or of an unknown layout."""


class CheckpointError(FerError):
    """A model file is missing, damaged or does not fit."""


class TrainingError(FerError):
    """A training run cannot start or go on."""


class EvaluationError(FerError):
    """A report is missing, damaged or of another version, or two of them cannot be compared."""


class CollectionError(FerError):
    """The results of many pictures cannot be read or written, or another process works on them."""


class ResultsError(FerError):
    """What was kept of an analysis cannot be opened, read, changed or written."""


class JobError(FerError):
    """What runs in the background cannot be started, stopped, deleted or read, or another process works on it."""


class VideoError(FerError):
    """A camera, a video file or a window cannot be opened, or a video cannot be written."""


class ConnectionSettingsError(FerError):
    """The servers for WebRTC are given in a wrong form."""


class PackageMissingError(FerError, ImportError):
    """A package is missing that comes with an extra of this one only."""

    @classmethod
    def from_import(cls, error: ModuleNotFoundError) -> "PackageMissingError":
        """Say which extra brings what could not be imported.

        Raises:
            ModuleNotFoundError: none does.
        """
        package = (error.name or "").partition(".")[0]
        for extra, packages in _EXTRAS.items():
            if package in packages:
                return cls(f'expected {package}, which is not installed. Install it: pip install "fer-studio[{extra}]"')
        raise error


_EXTRAS = {
    "torch": {"torch", "torchvision", "facenet_pytorch"},
    "train": {"onnx", "scipy", "sklearn", "pandas"},
    "video": {"av"},
    "app": {"plotly", "jinja2", "streamlit", "streamlit_webrtc", "aiortc", "pyarrow"},
}
"""Extra → the packages that it brings, as they are imported; see requirements.txt."""
