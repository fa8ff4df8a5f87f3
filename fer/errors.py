"""Errors that the user can fix.

Each message says what was expected, what was found and what to do. Finding no face is not an error: the result is an
empty list.
"""

import errno
import re

_ADDRESS = r"(\b[a-zA-Z][\w+.-]+:[/\\]{1,2}"  # a Path keeps a single slash
_SECRETS = (
    # A user and a password, which may have any character; "host:port/…@…" is not one.
    (re.compile(_ADDRESS + r")(?:[^\s/?#:@]*:(?!\d{1,5}(?:[/?#\s]|$))(?:\S*|[^\n@]*)@|[^\s/?#]*@)"), r"\1…@"),
    (re.compile(_ADDRESS + r"[^\s?#]*[?#])\S*[^\s.,:;'\")]"), r"\1…"),
    # Some cameras have them in the path.
    (re.compile(_ADDRESS + r"\S*?(?i:user|login|pass|pwd|psw|token|key|auth)\w*=)[^\s/]*[^\s/.,:;'\")]"), r"\1…"),
)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FILE_PROBLEMS = {
    _NO_ROOM: ("the disk is full", "Free some space, then resume; what was written before is kept."),
    (errno.ENOENT,): ("found nothing", "Check the path."),
    (errno.EACCES, errno.EPERM): ("access is denied", "Change the permissions, or choose another place."),
    (errno.EROFS,): ("the disk is read-only", "Choose another place."),
    (errno.ENAMETOOLONG,): ("the name is too long", "Choose a shorter one."),
    (errno.EISDIR,): ("found a folder instead of a file", "Give a file."),
    (errno.ENOTDIR,): ("found a file instead of a folder", "Check the path."),
    (errno.ELOOP,): ("found links that form a loop", "Give the file itself."),
    (errno.EEXIST, errno.ENOTEMPTY): ("the name is taken", "Choose another name."),
    (errno.EMFILE, errno.ENFILE): ("too many files are open", "Close other programs, then try again."),
}
"""Error numbers of the system → what was found, what to do."""


def file_problem(error: BaseException) -> str:
    """Return what went wrong with a file and what to do, in sentences.

    The error is an OSError, or an error of FFmpeg, which has an errno, too.
    """
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    for numbers, (problem, advice) in _FILE_PROBLEMS.items():
        if getattr(error, "errno", None) in numbers:
            return f"{problem}{f' at {name}' if isinstance(name, str) and name else ''}. {advice}"
    return f"{error}. Check the file, then try again." if name else str(error)


def problem_of(error: BaseException) -> str:
    """Return the message for an error that the user can fix: the text of a FerError, else `file_problem`."""
    return str(error) if isinstance(error, FerError) else file_problem(error)


def lacks_room(error: BaseException | None) -> bool:
    """Whether an error, or its cause, says that the disk is full or the user's quota is used up."""
    while error is not None and getattr(error, "errno", None) not in _NO_ROOM:
        error = error.__cause__ or error.__context__
    return error is not None


def without_secrets(text: str) -> str:
    """Return a text without the users, passwords and queries of the addresses in it, so that it can be shown."""
    for secret, shown in _SECRETS:
        text = secret.sub(shown, text)
    return text


class FerError(Exception):
    """Base of all errors raised for bad input. Pages and scripts show the text as it is.

    Passwords in addresses are removed from it.
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(without_secrets(one) if isinstance(one, str) else one for one in arguments))


class ImageError(FerError):
    """A picture cannot be read or is refused."""


class DatasetError(FerError):
    """A data set is missing, incomplete or has an unknown layout."""


class CheckpointError(FerError):
    """A model file is missing, damaged or does not fit."""


class TrainingError(FerError):
    """A training run cannot start or resume.

    Args:
        message: what was expected, what was found, what to do.
        field: the setting that caused it, a field of the configuration or "name"; "" if none did.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class EvaluationError(FerError):
    """A report is missing, damaged or has another version, or two reports cannot be compared."""


class CollectionError(FerError):
    """The results of many pictures cannot be read or written, or another process is working on them."""


class ResultsError(FerError):
    """A result cannot be opened, read, changed or written."""


class JobError(FerError):
    """A job cannot be started, stopped, deleted or read, or another process is working on it."""


class VideoError(FerError):
    """A camera, a video file or a window cannot be opened, or a video cannot be written."""


class ConnectionSettingsError(FerError):
    """The WebRTC servers are configured in an invalid format."""


class PackageMissingError(FerError, ImportError):
    """A package is missing that belongs to one of the extras."""

    @classmethod
    def from_import(cls, error: ModuleNotFoundError) -> "PackageMissingError":
        """Return the error that names the extra with the missing package.

        Raises:
            ModuleNotFoundError: no extra has it.
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
"""Extra → the packages that it installs, by their import names; see requirements.txt."""
