"""Read any picture that a phone or a browser produces as RGB uint8 (H, W, 3)."""

import io
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from fer.decoders import decode_apart
from fer.decoding import EXPECTED, PLAIN_BYTES, decode, is_plain
from fer.errors import ImageError
from fer.files import is_hidden

MAX_PIXELS = 50_000_000
"""The largest picture accepted, in pixels: enough for a phone's 48 megapixels; as RGB it takes 150 MB."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".heic", ".heif", ".hif", ".avif", ".mpo", ".jp2", ".j2k", ".jpx"}
)
"""In lower case; selects files in `list_images`. `read_image` looks at the content, never at the suffix."""

ImageSource = str | os.PathLike[str] | bytes | BinaryIO


def read_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Read a picture as it is meant to be seen: upright, in sRGB, on white where it is transparent.

    From an animation or a file with several pages, the first one that is not a thumbnail is read. 16-bit gray is scaled
    by the bits in use, other gray of more than 8 bits by its own range. Wide-gamut colors (Display P3) are converted by
    their profile; a broken profile or broken EXIF data are ignored. Anything not known to decode fast is decoded in a
    separate process, within `fer.decoding.MOST_SECONDS` and `MOST_BYTES`.

    Args:
        source: A path, the bytes of a file, or a binary stream (read whole, from its start if it is seekable).
        max_pixels: Refuse larger pictures. Pillow's own limit, `2 * PIL.Image.MAX_IMAGE_PIXELS`, also applies.

    Returns:
        RGB uint8 (H, W, 3), contiguous, writable, its own memory.

    Raises:
        ImageError: The file is missing, cannot be opened, is empty, is not a picture of a known format, is damaged or
            incomplete, has more than `max_pixels`, or takes too much time or memory.
    """
    name = _name_of(source)
    with _open_source(source, name) as file:
        data = file.read(PLAIN_BYTES + 1)
        if is_plain(data):
            return np.array(decode(io.BytesIO(data), name, max_pixels))
        path = None if isinstance(file, io.BytesIO) else str(Path(file.name).absolute())
        return decode_apart(path or data + file.read(), name, max_pixels)


def check_rgb(image: npt.NDArray[Any]) -> None:
    """Check that an array is a picture. BGR cannot be told from RGB, so it goes unnoticed.

    Raises:
        ImageError: It is not RGB uint8 (H, W, 3) with H ≥ 1 and W ≥ 1; the message says how to convert it.
    """
    expected = "expected an RGB picture, a uint8 array of shape (height, width, 3)"
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f"{expected}, got {type(image).__name__}. "
            "Convert a PIL image with np.asarray(image.convert('RGB')), or read a file with read_image()."
        )
    found = f"{expected}, got {image.dtype} of shape {image.shape}"
    if image.ndim == 2:
        raise ImageError(f"{found}. Turn gray into RGB with np.stack([image] * 3, axis=-1).")
    if image.ndim == 3 and image.shape[2] == 4:
        raise ImageError(f"{found}. Drop the fourth channel with image[..., :3]; from OpenCV, image[..., 2::-1].")
    if image.ndim == 3 and image.shape[0] == 3 and image.shape[2] != 3:
        raise ImageError(f"{found}. Move the channels to the end with image.transpose(1, 2, 0).")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"{found}. Pass one picture at a time, with the three channels last.")
    if image.shape[0] < 1 or image.shape[1] < 1:
        raise ImageError(f"{found}, which has no pixels. Check how the picture was cropped.")
    if image.dtype != np.uint8:
        raise ImageError(f"{found}. Scale to 0..255 first: values of 0..1 with (image * 255).round().astype(np.uint8).")


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return RGB uint8 (H, W, 3) as the bytes of a PNG file.

    Raises:
        ImageError: `image` is not such an array.
    """
    return _encode(image, format="PNG")


def encode_jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture as the bytes of a JPEG file, a tenth of a PNG without visible artifacts; see `encode_png`."""
    return _encode(image, format="JPEG", quality=90)


def encode_webp(image: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture as the bytes of a WebP file, half of a JPEG for small pictures; see `encode_png`."""
    return _encode(image, format="WEBP", quality=82)


def _encode(image: npt.NDArray[np.uint8], **options: Any) -> bytes:
    check_rgb(image)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, **options)
    return buffer.getvalue()


def shrink_to_fit(image: npt.NDArray[np.uint8], longest_px: int) -> npt.NDArray[np.uint8]:
    """Shrink RGB uint8 (H, W, 3), with antialiasing, until its longer side has `longest_px` ≥ 1.

    A smaller picture is returned unchanged.
    """
    height, width = image.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.array(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def list_images(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the pictures in the given files and folders.

    Args:
        paths: A file is kept as given, whatever its suffix, and so is a missing path, which fails when it is read. A
            folder stands for all pictures (`IMAGE_SUFFIXES`) in it and below, sorted, without hidden files and
            folders; symbolic links to folders are not followed.

    Returns:
        The files, in the order of `paths`. A folder that cannot be listed is included, and fails when it is read.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        files.extend(_pictures_below(path) if path.is_dir() else [path])
    return files


def _pictures_below(folder: Path) -> list[Path]:
    """Return the pictures in a folder and its subfolders, sorted."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
        folders[:] = [name for name in folders if not is_hidden(name, is_folder=True)]
        visible = (Path(parent, name) for name in names if not is_hidden(name, is_folder=False))
        found.extend(path for path in visible if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(found)


def _name_of(source: ImageSource) -> str:
    """Return the picture's name in messages: its path, the name of an uploaded file, or "the picture"."""
    if isinstance(source, (str, os.PathLike)):
        return f"'{os.fspath(source)}'"
    name = getattr(source, "name", None)
    return f"'{name}'" if isinstance(name, str) and name else "the picture"


def _open_source(source: ImageSource, name: str) -> BinaryIO:
    """Open a path, or wrap bytes, as a file to read from its start. Raises ImageError if that is impossible."""
    try:
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):  # opening a pipe would block
                kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
                raise ImageError(f"{name} is {kind}; {EXPECTED}. Give the path of a picture file.")
            return path.open("rb")
        if not isinstance(source, (bytes, bytearray, memoryview)):
            if source.seekable():
                source.seek(0)
            source = source.read()
        return io.BytesIO(source)
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist; {EXPECTED}. Check the path.") from error
    except PermissionError as error:
        raise ImageError(
            f"{name} cannot be read: access is denied; {EXPECTED}. Check the file's permissions."
        ) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:  # a closed or text stream, a "\0" in a path
        raise ImageError(
            f"{name} cannot be opened ({error}); {EXPECTED}. Give a path, bytes or a binary stream."
        ) from error
