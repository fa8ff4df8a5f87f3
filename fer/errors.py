"""Everything that can go wrong in a way the user can mend.

Each message says what was expected, what was found and what to do. Finding no face is not an error: the
result is an empty list.
"""


class FerError(Exception):
    """Base of all errors that the package raises for bad input. Pages and scripts show its text as it is."""


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
    "train": {"onnx", "sklearn", "pandas", "plotly", "jinja2"},
    "app": {"streamlit", "streamlit_webrtc", "pyarrow", "skimage"},
}
"""Extra → the packages that it brings, as they are imported; see requirements.txt."""
