"""Decode pictures in the calling process: from a file's bytes to pixels, upright and in sRGB.

Files are untrusted: a picture is refused by the size in its header before decoding, only the decoders in `_FORMATS` are
tried, and any exception on damaged data becomes an `ImageError`. Time and memory are bounded only for what `is_plain`
accepts; everything else must be decoded in a separate process, see `fer.decoders`.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import TiffImageFile
from pillow_heif import HeifImageFile

from fer.errors import ImageError

MOST_SECONDS, MOST_BYTES = 5.0, 600_000_000
"""Limits for decoding one picture: CPU time, and total memory of the decoding process."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000")
"""Pillow's other decoders stay disabled: some are rarely tested, and EPS runs Ghostscript on untrusted input."""

EXPECTED = "expected a picture (JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF or JPEG 2000)"

_HEIF_BRANDS = re.compile(rb"avif|avis|mif1|msf1|hei[cxms]|hev[cxms]")
_HEIF_SIZES = re.compile(rb"\0\0\0\x14ispe\0\0\0\0(.{4})(.{4})", re.DOTALL)
"""The boxes with the width and height of each coded picture in a HEIC or AVIF file (ISO/IEC 23008-12)."""

_SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"RIFF",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cjP",
)
_VIDEO_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  ")

PLAIN_BYTES, _PLAIN_PIXELS, _PLAIN_ROWS = 32_000_000, 25_000_000, 16_384
_PLAIN_SCANS = 16
"""A progressive JPEG has about ten scans, each of which may visit all pixels."""
_PLAIN_PARTS = 4_096
"""JPEG segments before the pixels, or PNG chunks, usually of 8 kB; Pillow parses them in Python."""
_WEBP_PIXELS = 40_000_000
"""The decoder needs two canvases of four bytes per pixel, besides the picture."""
_JPEG2000_VALUES = 75_000_000
"""Of 25 megapixels; larger ones exceed `MOST_BYTES`, which the decoder reports as damage."""
_JPEG_EXTRAS = re.compile(rb"\xff[\xc4\xdb\xdd\xe0-\xef\xfe]")
"""Tables, application data, comments: what may precede the pixels besides the frame header."""
_ROWS_AT_ONCE = 64
"""Rows of gray scaled at a time."""
_REDUCED = 1
"""Bit of a TIFF page's NewSubfileType (tag 254): a smaller copy of another page."""


def is_plain(data: bytes) -> bool:
    """Whether a file is a JPEG or PNG that is sure to decode fast and in little memory, whatever it contains.

    Scans headers and repeated markers, in about a millisecond per megabyte. Accepts at most `_PLAIN_PIXELS`,
    `_PLAIN_ROWS`, and as JPEG `_PLAIN_SCANS`: 25 megapixels of noise in ten scans (21 MB) took 1.2 s of one core and
    250 MB.
    """
    if len(data) > PLAIN_BYTES:
        return False
    size_wh = (_jpeg_size if data.startswith(b"\xff\xd8\xff") else _png_size)(data)
    return size_wh is not None and size_wh[0] * size_wh[1] <= _PLAIN_PIXELS and size_wh[1] <= _PLAIN_ROWS


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a Huffman-coded JPEG with few scans; None for anything else."""
    # Entropy-coded ff is followed by 00, so this counts all scans, and perhaps bytes that only look like one.
    if data.count(b"\xff\xda") > _PLAIN_SCANS:
        return None
    start, size_wh = 2, None
    for _ in range(_PLAIN_PARTS):
        marker, length = data[start : start + 2], int.from_bytes(data[start + 2 : start + 4], "big")
        if marker == b"\xff\xda":
            return size_wh
        if marker in (b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"):
            height, width = data[start + 5 : start + 7], data[start + 7 : start + 9]
            size_wh = int.from_bytes(width, "big"), int.from_bytes(height, "big")
        elif not _JPEG_EXTRAS.fullmatch(marker) or length < 2:
            return None
        start += 2 + length
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG with few chunks; None for anything else."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") or data.count(b"IHDR") > 1:
        return None
    start = 8
    for _ in range(_PLAIN_PARTS):
        start += 12 + int.from_bytes(data[start : start + 4], "big")
        if start >= len(data):
            return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return None


def decode(
    file: BinaryIO, name: str, max_pixels: int, opened: Callable[[int], None] = lambda pixels: None
) -> Image.Image:
    """Decode a picture to mode RGB; see `fer.images.read_image`.

    Args:
        file: positioned at its start, and seekable.
        name: the picture's name in messages.
        max_pixels: refuse larger pictures.
        opened: called before decoding, with the number of pixels.

    Raises:
        ImageError: the file is not a picture of a known format, is damaged or incomplete, or too large.
    """
    with warnings.catch_warnings():
        # Pillow warns about large pictures (refused below) and odd metadata (harmless here). The filter is this narrow
        # because it applies to all threads, and two threads in here at once can leave it in place.
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
        picture = _open_picture(file, name, max_pixels)
        opened(picture.width * picture.height)
        return _decode(picture, name, max_pixels)


def _open_picture(file: BinaryIO, name: str, max_pixels: int) -> Image.Image:
    """Read the header of a picture without decoding it. Raises ImageError if there is none or it is too large.

    HEIC and AVIF are distinguished by the brands in their first box: `mif1` alone may be either. HEIC goes straight to
    its decoder, so nothing needs to be registered with Pillow for the whole process.
    """
    head = file.read(1024)
    if not head:
        raise ImageError(f"{name} is empty (0 bytes); {EXPECTED}. Copy or upload the file again.")
    file.seek(0)
    brands = set(_HEIF_BRANDS.findall(head[8 : int.from_bytes(head[:4], "big")] if head[4:8] == b"ftyp" else b""))
    if brands:  # the coded picture may be larger than the part of it that is shown
        for width, height in _HEIF_SIZES.findall(file.read()):
            _check_size(int.from_bytes(width, "big"), int.from_bytes(height, "big"), name, max_pixels)
        file.seek(0)
    if head[8:12] == b"WEBP":  # its decoder allocates memory before reporting the size
        _check_size(*_webp_size(head), name, min(max_pixels, _WEBP_PIXELS))
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


def _webp_size(head: bytes) -> tuple[int, int]:
    """Return width and height from the beginning of a WebP file; of the canvas for an animation (RFC 9649)."""
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _decode(picture: Image.Image, name: str, max_pixels: int) -> Image.Image:
    """Decode an opened picture to mode RGB. Raises ImageError if its data are damaged or truncated."""
    try:
        if isinstance(picture, TiffImageFile):
            _turn_to_picture(picture)
            _check_size(picture.width, picture.height, name, max_pixels)
        picture.load()
        _check_size(picture.width, picture.height, name, max_pixels)  # the header may have been wrong
        return _to_rgb(_upright(picture))
    except ImageError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__  # libheif's reasons end with a newline
        values = picture.width * picture.height * len(picture.getbands())
        if "memory" in reason.lower() or (picture.format == "JPEG2000" and values > _JPEG2000_VALUES):
            raise too_costly(name, "one that takes more memory") from error
        raise ImageError(
            f"{name} is damaged or incomplete: expected a whole {picture.format} picture of "
            f"{picture.width}x{picture.height} pixels, but decoding stopped ({reason}). "
            "Copy or upload the file again, or convert it to JPEG or PNG."
        ) from error


def _turn_to_picture(picture: TiffImageFile) -> None:
    """Seek a TIFF's first page that is not a reduced copy; the largest page if all are."""
    areas = []
    for page in range(picture.n_frames):
        picture.seek(page)
        if not picture.tag_v2.get(254, 0) & _REDUCED:
            return
        areas.append(picture.width * picture.height)
    picture.seek(int(np.argmax(areas)))


def too_costly(name: str, found: str) -> ImageError:
    """Return the error for a picture that exceeds `MOST_SECONDS` or `MOST_BYTES`; `found` says which."""
    return ImageError(
        f"{name} is refused: expected a picture that decodes within {MOST_SECONDS:g} seconds and "
        f"{MOST_BYTES / 1e6:.0f} MB, found {found}. Make it smaller, or convert it to JPEG or PNG."
    )


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageError(_too_large(name, f"{width}x{height} = {width * height / 1e6:.1f}", max_pixels))


def _too_large(name: str, found: str, max_pixels: int) -> str:
    return f"{name} is too large: expected at most {max_pixels / 1e6:g} megapixels, found {found}. Make it smaller."


def _not_a_picture(name: str, head: bytes) -> str:
    """Return the message for a file that no decoder knows, with a guess at what it is."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"%pdf"):
        advice = "Found a PDF: save the page as PNG or JPEG."
    elif b"<svg" in text:
        advice = "Found an SVG drawing: export it as PNG."
    elif text.startswith((b"<!doctype html", b"<html")):
        advice = "Found a web page: download the picture itself."
    elif head[4:8] == b"ftyp" and head[8:12] in _VIDEO_BRANDS:
        advice = "Found a video: open it as a video, or save a frame as PNG."
    elif head.startswith(_SIGNATURES) or head[4:8] == b"ftyp":
        advice = "Found a damaged or incomplete picture: copy or upload the file again."
    else:
        advice = "Found something else, whatever its suffix: open it in a viewer and save it as JPEG or PNG."
    return f"{name} cannot be read; {EXPECTED}. {advice}"


def _upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation to a loaded picture; TIFF and HEIC are already upright."""
    with contextlib.suppress(Exception):  # broken EXIF data do not affect the pixels
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """Convert a picture, without a copy if it already has this mode."""
    return picture if picture.mode == mode else picture.convert(mode)


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Convert a loaded picture of any Pillow mode to mode RGB, with transparency on white."""
    if picture.mode == "F" or picture.mode.startswith("I"):  # Pillow's own conversion would clip to white
        return _to_8_bit(picture).convert("RGB")
    profile = picture.info.get("icc_profile")
    if picture.mode == "La":  # premultiplied; Pillow cannot convert it to RGBA directly
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        rgba = _in_mode(picture, "RGBA")
        picture = Image.new("RGB", picture.size, "white")
        picture.paste(rgba, mask=rgba)
    elif picture.mode != "CMYK":
        picture = _in_mode(picture, "RGB")
    return _in_mode(_to_srgb(picture, profile) if profile else picture, "RGB")


def _to_srgb(picture: Image.Image, profile_bytes: bytes) -> Image.Image:
    """Convert the colors of an RGB or CMYK picture to sRGB by its ICC profile, if that is valid."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
        is_srgb = "sRGB" in (profile.profile.profile_description or "")
        if is_srgb or profile.profile.xcolor_space.strip() != picture.mode:
            return picture
        converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # a broken profile: the colors as they are come close enough
        return picture
    return converted or picture


def _to_8_bit(picture: Image.Image) -> Image.Image:
    """Scale gray of more than 8 bits to mode L: 0..65535 by the bits in use, anything else by its own range.

    The bits in use are 8, 10, 12, 14 or 16, as in cameras and scanners: 12 bits stored in 16 would otherwise be black.
    """
    height, width = picture.height, picture.width
    parts = [(0, top, width, min(top + _ROWS_AT_ONCE, height)) for top in range(0, height, _ROWS_AT_ONCE)]
    ranges = [_finite_range(np.asarray(picture.crop(part))) for part in parts]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if low > high:  # no finite value
        low, high = 0.0, 1.0
    if picture.mode != "F" and low >= 0 and high <= 65535:
        low, high = 0.0, float(next(2**bits - 1 for bits in (8, 10, 12, 14, 16) if high < 2**bits))
    gray = Image.new("L", picture.size)
    for part in parts:
        values = np.nan_to_num(np.asarray(picture.crop(part)).astype(np.float64), nan=low)
        shares = (np.clip(values, low, high) - low) / ((high - low) or 1.0)  # infinities become black and white
        gray.paste(Image.fromarray((shares * 255).round().astype(np.uint8)), part)
    return gray


def _finite_range(gray: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the smallest and the largest finite value; (inf, -inf) if there is none."""
    finite = gray[np.isfinite(gray)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.inf, -np.inf)
