"""Reading any picture that a phone or a browser produces, as one kind of array: RGB uint8 (H, W, 3).

Files come from strangers: a picture is refused by the size in its header before it is decoded, only the decoders of
`_FORMATS` are ever tried, and whatever a decoder raises on damaged data becomes an `ImageError`.
"""

import io
import os
import re
import stat
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps
from pillow_heif import HeifImageFile

from fer.errors import ImageError

MAX_PIXELS = 50_000_000
"""The largest picture that is read, in pixels: a phone's 48 megapixels pass; as RGB it takes 150 MB."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".heic", ".heif", ".hif", ".avif"}
)
"""In lower case; what `list_images` takes from a folder. `read_image` looks at the content, never at the suffix."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF")
"""Pillow's other decoders stay closed: some are rarely tested, and EPS starts Ghostscript on the stranger's file."""

_EXPECTED = "expected a picture (JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF)"

_HEIF_BRANDS = re.compile(rb"avif|avis|mif1|msf1|hei[cxms]|hev[cxms]")
_HEIF_SIZES = re.compile(rb"\0\0\0\x14ispe\0\0\0\0(.{4})(.{4})", re.DOTALL)
"""The boxes that hold the width and the height of each coded picture in a HEIC or AVIF file (ISO/IEC 23008-12)."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_VIDEO_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  ")

ImageSource = str | os.PathLike[str] | bytes | BinaryIO


def read_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Read a picture as it is meant to be seen: upright, in sRGB, on white where it is transparent.

    Of an animation or a file with several pages the first one is read. 16-bit gray is divided by 257, other gray of
    more than 8 bits is scaled by its own range. Wide-gamut colours (Display P3) are converted by their profile; a
    broken profile or broken EXIF data is ignored.

    Args:
        source: A path, the bytes of a file, or a binary stream (read whole, from its start if it can be rewound).
        max_pixels: Refuse larger pictures. Pillow's own limit, `2 * PIL.Image.MAX_IMAGE_PIXELS`, holds besides.

    Returns:
        RGB uint8 (H, W, 3), contiguous, writable, its own memory.

    Raises:
        ImageError: The file is missing, cannot be opened, is empty, is no picture of a known format, is damaged or
            incomplete, or has more than `max_pixels`.
    """
    name = _name_of(source)
    with _open_source(source, name) as file, warnings.catch_warnings():
        # Pillow warns of large pictures (refused below) and of odd metadata (harmless here). The filter is no wider
        # than that because it holds for all threads, and two threads in here at once can leave it in place.
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
        return _decode(_open_picture(file, name, max_pixels), name)


def check_rgb(image: npt.NDArray[Any]) -> None:
    """Refuse an array that is no picture of ours. BGR cannot be told from RGB, so it is not noticed.

    Raises:
        ImageError: It is anything but RGB uint8 (H, W, 3), H ≥ 1, W ≥ 1; the message says how to convert it.
    """
    expected = "expected an RGB picture, a uint8 array of shape (height, width, 3)"
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f"{expected}, got {type(image).__name__}. "
            "Convert a PIL picture with np.asarray(picture.convert('RGB')), read a file with read_image()."
        )
    found = f"{expected}, got {image.dtype} of shape {image.shape}"
    if image.ndim == 2:
        raise ImageError(f"{found}. Turn gray into RGB with np.stack([image] * 3, axis=-1).")
    if image.ndim == 3 and image.shape[2] == 4:
        raise ImageError(f"{found}. Drop the fourth channel with image[..., :3]; from OpenCV, image[..., 2::-1].")
    if image.ndim == 3 and image.shape[0] == 3 and image.shape[2] != 3:
        raise ImageError(f"{found}. Move the channels to the end with image.transpose(1, 2, 0).")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"{found}. Hand in one picture at a time, with the three channels last.")
    if image.shape[0] < 1 or image.shape[1] < 1:
        raise ImageError(f"{found}, which has no pixels. Check how the picture was cut out.")
    if image.dtype != np.uint8:
        raise ImageError(f"{found}. Scale to 0..255 first: values of 0..1 with (image * 255).round().astype(np.uint8).")


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return RGB uint8 (H, W, 3) as the bytes of a PNG file.

    Raises:
        ImageError: `image` is something else.
    """
    return _encode(image, format="PNG")


def encode_jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    """Return the bytes of a JPEG file, a tenth of a PNG's and without visible traces; see `encode_png`."""
    return _encode(image, format="JPEG", quality=90)


def _encode(image: npt.NDArray[np.uint8], **options: Any) -> bytes:
    check_rgb(image)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, **options)
    return buffer.getvalue()


def shrink_to_fit(image: npt.NDArray[np.uint8], longest_px: int) -> npt.NDArray[np.uint8]:
    """Shrink RGB uint8 (H, W, 3), with antialiasing, until its longer side has `longest_px` ≥ 1.

    A smaller picture comes back as it is.
    """
    height, width = image.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.array(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def list_images(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the pictures that a user means by some files and folders.

    Args:
        paths: A file stays as given, whatever its suffix, and so does a path that does not exist: reading it reports
            the error with the others. A folder stands for all pictures (`IMAGE_SUFFIXES`) in it and below, sorted,
            without hidden files and folders; symbolic links to folders are not followed.

    Returns:
        The files, in the order of `paths`. A folder that may not be listed stays in it, to be reported likewise.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        files.extend(_pictures_below(path) if path.is_dir() else [path])
    return files


def _pictures_below(folder: Path) -> list[Path]:
    """Return the pictures in a folder and below, sorted."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        visible = (Path(parent, name) for name in names if not name.startswith("."))
        found.extend(path for path in visible if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(found)


def _name_of(source: ImageSource) -> str:
    """Return what messages call the picture: its path, the name of an uploaded file, or "the picture"."""
    if isinstance(source, (str, os.PathLike)):
        return f"'{os.fspath(source)}'"
    name = getattr(source, "name", None)
    return f"'{name}'" if isinstance(name, str) and name else "the picture"


def _open_source(source: ImageSource, name: str) -> BinaryIO:
    """Open a path, or wrap bytes, as a file to read from its start. Raises ImageError where that is impossible."""
    try:
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
                kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
                raise ImageError(f"{name} is {kind}; {_EXPECTED}. Give the path of a picture file.")
            return path.open("rb")
        if not isinstance(source, (bytes, bytearray, memoryview)):
            if source.seekable():
                source.seek(0)
            source = source.read()
        return io.BytesIO(source)
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist; {_EXPECTED}. Check the path.") from error
    except PermissionError as error:
        raise ImageError(f"{name} may not be read; {_EXPECTED}. Check the permissions of the file.") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:  # a closed or a text stream, a "\0" in a path
        raise ImageError(
            f"{name} cannot be opened ({error}); {_EXPECTED}. Give a path, bytes or a binary stream."
        ) from error


def _open_picture(file: BinaryIO, name: str, max_pixels: int) -> Image.Image:
    """Read the header of a picture, without decoding it. Raises ImageError where there is none or it is too large.

    HEIC and AVIF are told apart by the brands in their first box: `mif1` alone may be either. HEIC goes straight to
    its decoder, so that nothing need be registered with Pillow for the whole process.
    """
    head = file.read(1024)
    if not head:
        raise ImageError(f"{name} is empty (0 bytes); {_EXPECTED}. Copy or upload the file again.")
    file.seek(0)
    brands = set(_HEIF_BRANDS.findall(head[8 : int.from_bytes(head[:4], "big")] if head[4:8] == b"ftyp" else b""))
    if brands:  # what is decoded can be larger than the picture, which may be cut out of it
        for width, height in _HEIF_SIZES.findall(file.read()):
            _check_size(int.from_bytes(width, "big"), int.from_bytes(height, "big"), name, max_pixels)
        file.seek(0)
    try:
        if brands and not brands & {b"avif", b"avis"}:
            picture: Image.Image = HeifImageFile(file)
        else:
            picture = Image.open(file, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise ImageError(_too_large(name, f"more than {limit / 1e6:.0f}", min(max_pixels, limit))) from error
    except Exception as error:  # decoders raise almost anything on hostile data
        raise ImageError(_not_a_picture(name, head)) from error
    _check_size(picture.width, picture.height, name, max_pixels)
    return picture


def _decode(picture: Image.Image, name: str) -> npt.NDArray[np.uint8]:
    """Decode an opened picture to RGB uint8 (H, W, 3). Raises ImageError where its data are damaged or end early."""
    try:
        picture.load()
        return np.array(_to_rgb(_upright(picture)))
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__  # libheif's reasons end with a new line
        raise ImageError(
            f"{name} is damaged or incomplete: expected a whole {picture.format} picture of "
            f"{picture.width}x{picture.height} pixels, but decoding stopped ({reason}). "
            "Copy or upload the file again, or save it anew as JPEG or PNG."
        ) from error


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageError(_too_large(name, f"{width}x{height} = {width * height / 1e6:.1f}", max_pixels))


def _too_large(name: str, found: str, max_pixels: int) -> str:
    return f"{name} is too large: expected at most {max_pixels / 1e6:g} megapixels, found {found}. Make it smaller."


def _not_a_picture(name: str, head: bytes) -> str:
    """Say that no decoder knows the file, and what it seems to be instead."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"%pdf"):
        advice = "Found a PDF: save the page as PNG or JPEG."
    elif b"<svg" in text:
        advice = "Found an SVG drawing: export it as PNG."
    elif text.startswith((b"<!doctype html", b"<html")):
        advice = "Found a web page: download the picture itself."
    elif head[4:8] == b"ftyp" and head[8:12] in _VIDEO_BRANDS:
        advice = "Found a video: open it as one, or save a frame as PNG."
    elif head.startswith(_SIGNATURES) or head[4:8] == b"ftyp":
        advice = "Found only the beginning of one, or a damaged one: copy or upload the file again."
    else:
        advice = "Found something else, whatever its suffix: open it in a viewer and save it as JPEG or PNG."
    return f"{name} cannot be read; {_EXPECTED}. {advice}"


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a loaded picture as its EXIF data say; a TIFF and a HEIC are upright when they are loaded."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # broken EXIF data do not make the pixels worse
        return picture


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Convert a loaded picture of any Pillow mode to mode RGB, transparency on white."""
    if picture.mode == "F" or picture.mode.startswith("I"):  # Pillow's own conversion would clip to white
        return Image.fromarray(_to_8_bit(np.asarray(picture))).convert("RGB")
    profile = picture.info.get("icc_profile")
    if picture.mode == "La":  # premultiplied; Pillow knows no direct way from it to RGBA
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        picture = Image.new("RGB", picture.size, "white")
        picture.paste(rgba, mask=rgba)
    elif picture.mode != "CMYK":
        picture = picture.convert("RGB")
    return (_to_srgb(picture, profile) if profile else picture).convert("RGB")


def _to_srgb(picture: Image.Image, profile_bytes: bytes) -> Image.Image:
    """Convert the colours of an RGB or CMYK picture to sRGB by its ICC profile, if that is a sound one."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
        is_srgb = "sRGB" in (profile.profile.profile_description or "")
        if is_srgb or profile.profile.xcolor_space.strip() != picture.mode:
            return picture
        converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # a broken profile: the colours as they are come close enough
        return picture
    return converted or picture


def _to_8_bit(gray: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Scale gray of more than 8 bits, (H, W), to uint8: 0..65535 by 1 / 257, anything else by its own range."""
    if gray.dtype.kind in "ui" and gray.min() >= 0 and gray.max() <= 65535:
        return ((gray.astype(np.uint32) + 128) // 257).astype(np.uint8)
    finite = gray[np.isfinite(gray)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    bounded = np.clip(np.nan_to_num(gray.astype(np.float64), nan=low), low, high)  # infinities become black and white
    return ((bounded - low) / ((high - low) or 1.0) * 255).round().astype(np.uint8)
