"""Everything that can go wrong in a way the user can mend.

Each message says what was expected, what was found and what to do. Finding no face is not an error: the
result is an empty list.
"""

import errno
import re

_ADDRESS = r"(\b[a-zA-Z][\w+.-]+:[/\\]{1,2}"  # of a path it keeps a single slash
_SECRETS = (
    # A user and a password, which may have any character; "host:port/…@…" is none.
    (re.compile(_ADDRESS + r")(?:[^\s/?#:@]*:(?!\d{1,5}(?:[/?#\s]|$))(?:\S*|[^\n@]*)@|[^\s/?#]*@)"), r"\1…@"),
    (re.compile(_ADDRESS + r"[^\s?#]*[?#])\S*[^\s.,:;'\")]"), r"\1…"),
    # Some cameras have them in the path.
    (re.compile(_ADDRESS + r"\S*?(?i:user|login|pass|pwd|psw|token|key|auth)\w*=)[^\s/]*[^\s/.,:;'\")]"), r"\1…"),
)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FILE_PROBLEMS = {
    _NO_ROOM: ("no room is left", "Make room, then go on; what was written before is kept."),
    (errno.ENOENT,): ("found nothing", "Check the path."),
    (errno.EACCES, errno.EPERM): ("access is denied", "Change the permissions, or choose another place."),
    (errno.EROFS,): ("the disk is read-only", "Choose another place."),
    (errno.ENAMETOOLONG,): ("the name is too long", "Choose a shorter one."),
    (errno.EISDIR,): ("found a folder where a file should be", "Give a file."),
    (errno.ENOTDIR,): ("found a file where a folder should be", "Check the path."),
    (errno.ELOOP,): ("its links lead in a circle", "Give the file itself."),
    (errno.EEXIST, errno.ENOTEMPTY): ("something of that name is there", "Choose another name."),
    (errno.EMFILE, errno.ENFILE): ("too many files are open", "End other programs, then try again."),
}
"""What the system says of a file → what was found, what to do."""


def file_problem(error: BaseException) -> str:
    """Return what was found at a file that cannot be read or written, and what to do, in sentences.

    The error is an OSError, or one of FFmpeg, which has its number, too.
    """
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    for numbers, (problem, advice) in _FILE_PROBLEMS.items():
        if getattr(error, "errno", None) in numbers:
            return f"{problem}{f' at {name}' if isinstance(name, str) and name else ''}. {advice}"
    return f"{error}. Look at it, then try again." if name else str(error)


def problem_of(error: BaseException) -> str:
    """Return what to tell of an error that the user can mend: of a FerError its text, of others `file_problem`."""
    return str(error) if isinstance(error, FerError) else file_problem(error)


def lacks_room(error: BaseException | None) -> bool:
    """Whether the disk was full, or what the user may write there is used up: by an error, or by what caused it."""
    while error is not None and getattr(error, "errno", None) not in _NO_ROOM:
        error = error.__cause__ or error.__context__
    return error is not None


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
    """A training run cannot start or go on.

    Args:
        message: what was expected, what was found, what to do.
        field: the setting that caused it, a field of the configuration or "name"; "" where none did.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


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
