"""Every picture is generated; a 2x2 mosaic of red, green, blue and white reveals color order and orientation."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pillow_heif
import pytest
from PIL import Image, ImageCms

from fer.errors import ImageError
from fer.images import IMAGE_SUFFIXES, MAX_PIXELS, check_rgb, encode_png, list_images, read_image, shrink_to_fit

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
LOSSLESS = ("PNG", "GIF", "BMP", "TIFF", "WEBP")
LOSSY = ("JPEG", "AVIF", "HEIF")
FORMATS = LOSSLESS + LOSSY
WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")

AFTER_ORIENTATION = {1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB"}
"""EXIF orientation → the mosaic's corners as seen: top left, top right, bottom left, bottom right."""


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def mosaic(height: int = 32, width: int = 48) -> np.ndarray:
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    image[height // 2 :, width // 2 :] = WHITE
    return image


def corners(image: np.ndarray) -> str:
    """Name the colors near the four corners, in the order of `AFTER_ORIENTATION`."""
    names = {(True, False, False): "R", (False, True, False): "G", (False, False, True): "B", (True, True, True): "W"}
    return "".join(names.get(tuple(bool(v > 127) for v in image[y, x]), "?") for y in (4, -5) for x in (4, -5))


def encode(picture: Image.Image | np.ndarray, file_format: str, **options: Any) -> bytes:
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    buffer = io.BytesIO()
    if file_format == "HEIF":
        pillow_heif.from_pillow(picture).save(buffer, quality=95, **options)
        return buffer.getvalue()
    if file_format in ("JPEG", "AVIF"):
        options = {"quality": 95, "subsampling": 0 if file_format == "JPEG" else "4:4:4", **options}
    if file_format == "WEBP":
        options = {"lossless": True, "exact": True, **options}
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def png(width: int, height: int, *, bit_depth: int = 8, color_type: int = 2, data: bytes = bytes(1000)) -> bytes:
    """Write a PNG by hand, whatever its header claims."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def assert_is_picture(image: np.ndarray) -> None:
    check_rgb(image)
    assert image.flags.c_contiguous and image.flags.writeable and image.flags.owndata


# Formats and sources


@pytest.mark.parametrize("file_format", FORMATS)
def test_reads_every_format_in_rgb_order(file_format: str) -> None:
    image = read_image(encode(mosaic(), file_format))
    assert_is_picture(image)
    assert image.shape == (32, 48, 3)
    assert corners(image) == "RGBW"
    if file_format in LOSSLESS:
        assert np.array_equal(image, mosaic())
    else:
        assert np.abs(image.astype(int) - mosaic()).mean() < 6


def test_sources_give_the_same_picture_and_the_suffix_does_not_count(tmp_path: Path) -> None:
    data = encode(mosaic(), "PNG")
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    stream = io.BytesIO(data)
    stream.seek(10)  # an upload that somebody has already read from
    with path.open("rb") as file:
        for source in (path, str(path), data, bytearray(data), stream, file):
            assert np.array_equal(read_image(source), mosaic())


def test_reads_a_stream_that_cannot_be_rewound() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as out:
        out.write(encode(mosaic(), "PNG"))
    with os.fdopen(reader, "rb") as stream:
        assert np.array_equal(read_image(stream), mosaic())


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
def test_tells_heic_from_avif_under_their_common_brand(file_format: str) -> None:
    data = bytearray(encode(mosaic(), file_format))
    assert data[4:8] == b"ftyp"
    data[8:12] = b"mif1"
    assert corners(read_image(bytes(data))) == "RGBW"


def test_reading_heic_registers_nothing_with_pillow() -> None:
    code = (
        "import sys, io; from PIL import Image; from fer.images import read_image;"
        "read_image(sys.stdin.buffer); assert 'HEIF' not in Image.OPEN and Image.MAX_IMAGE_PIXELS == 89478485;"
        "assert 'torch' not in sys.modules and 'cv2' not in sys.modules and 'streamlit' not in sys.modules"
    )
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], input=encode(mosaic(), "HEIF"), cwd=root, check=True)


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_reads_the_first_frame(file_format: str) -> None:
    other = Image.new("RGB", (48, 32), "black")
    data = encode(mosaic(), file_format, save_all=True, append_images=[other, other])
    with Image.open(io.BytesIO(data)) as picture:
        assert getattr(picture, "n_frames", 1) > 1
    assert corners(read_image(data)) == "RGBW"


def test_multi_picture_jpeg_of_a_phone_is_read_as_its_first_picture() -> None:
    data = encode(mosaic(), "MPO", save_all=True, append_images=[Image.new("RGB", (48, 32), "black")], quality=95)
    assert corners(read_image(data)) == "RGBW"


def test_gif_frame_smaller_than_its_screen() -> None:
    frame = Image.new("P", (4, 4), 1)
    frame.putpalette([*GREEN, *BLUE])
    frame.putpixel((0, 0), 0)  # transparent
    data = bytearray(encode(frame, "GIF", transparency=0))
    data[6:10] = struct.pack("<HH", 8, 6)  # the canvas grows, the frame stays at the top left
    expected = np.full((6, 8, 3), 255, np.uint8)
    expected[:4, :4] = BLUE
    expected[0, 0] = WHITE
    assert np.array_equal(read_image(bytes(data)), expected)


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", WITH_EXIF)
def test_orientation_is_applied_once(file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(encode(mosaic(), file_format, exif=exif.tobytes()))
    assert_is_picture(image)
    assert image.shape == ((32, 48, 3) if orientation < 5 else (48, 32, 3))
    assert corners(image) == AFTER_ORIENTATION[orientation]


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + bytes(range(256))])
def test_broken_exif_does_not_lose_the_picture(exif: bytes) -> None:
    assert corners(read_image(encode(mosaic(), "JPEG", exif=exif))) == "RGBW"


# Color


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_linearly(file_format: str) -> None:
    levels = np.arange(256, dtype=np.uint16) * 257
    image = read_image(encode(np.tile(levels, (2, 1)), file_format))
    assert np.array_equal(image[0], np.repeat(np.arange(256), 3).reshape(256, 3))


def test_16_bit_gray_in_the_other_byte_order() -> None:
    big_endian = np.tile(np.arange(256, dtype=">u2") * 257, (2, 1))
    image = read_image(encode(Image.frombytes("I;16B", (256, 2), big_endian.tobytes()), "TIFF"))
    assert np.array_equal(image[1, :, 0], np.arange(256))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0, 32767, 65535]], [0, 127, 255]),  # as 16 bit
        ([[-100, 0, 100]], [0, 128, 255]),  # its own range, as is the rest
        ([[0, 1_000_000, 2_000_000]], [0, 128, 255]),
        ([[0.0, 0.5, 1.0]], [0, 128, 255]),
        ([[-3.0e38, 0.0, 3.0e38]], [0, 128, 255]),
        ([[0.0, np.inf, 1.0, -np.inf, np.nan]], [0, 255, 255, 0, 0]),
        ([[np.nan, np.inf]], [0, 255]),
        ([[7.0, 7.0]], [0, 0]),
    ],
)
def test_gray_of_more_than_16_bits(values: list[list[float]], expected: list[int]) -> None:
    dtype = np.int32 if all(isinstance(value, int) for value in values[0]) else np.float32
    image = read_image(encode(np.array(values, dtype), "TIFF"))
    assert image[0].tolist() == [[level] * 3 for level in expected]


@pytest.mark.parametrize(("color_type", "pixel"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_png_of_every_kind(color_type: int, pixel: int) -> None:
    row = b"\0" + struct.pack(">H", 65535) * pixel + struct.pack(">H", 0) * (pixel - 1) + struct.pack(">H", 65535)
    row = row if color_type in (4, 6) else b"\0" + struct.pack(">H", 65535) * pixel + struct.pack(">H", 0) * pixel
    image = read_image(png(2, 1, bit_depth=16, color_type=color_type, data=row))
    assert image.tolist() == [[[255] * 3, [0] * 3]]


def test_gray_bilevel_and_palette() -> None:
    gray = np.array([[0, 100, 255]], np.uint8)
    expected = np.stack([gray] * 3, axis=-1)
    assert np.array_equal(read_image(encode(gray, "PNG")), expected)
    assert np.abs(read_image(encode(gray, "JPEG")).astype(int) - expected).max() < 4
    bilevel = Image.fromarray(gray).point(lambda level: 255 * (level > 50), mode="1")
    for file_format in ("PNG", "TIFF", "BMP"):
        assert read_image(encode(bilevel, file_format))[0, :, 0].tolist() == [0, 255, 255]
    assert np.array_equal(read_image(encode(Image.fromarray(mosaic()).quantize(4), "PNG")), mosaic())


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_transparency_becomes_white(file_format: str) -> None:
    rgba = np.zeros((32, 48, 4), np.uint8)
    rgba[:, 16:32] = (255, 0, 0, 128)
    rgba[:, 32:] = (0, 0, 255, 255)
    image = read_image(encode(rgba, file_format))
    assert np.abs(image[16, [4, 24, 44]].astype(int) - [WHITE, (255, 127, 127), BLUE]).max() < 12


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_gray_with_transparency_becomes_white(file_format: str) -> None:
    pixels = np.array([[[0, 0], [0, 128], [0, 255]]], np.uint8)
    assert read_image(encode(Image.fromarray(pixels, "LA"), file_format))[0, :, 0].tolist() == [255, 127, 0]


def test_transparent_palette_and_color_key_become_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([*RED, *BLUE])
    palette.putpixel((1, 0), 1)
    assert read_image(encode(palette, "PNG", transparency=0)).tolist() == [[list(WHITE), list(BLUE)]]
    assert read_image(encode(palette, "PNG", transparency=b"\x80\xff")).tolist() == [[[255, 127, 127], list(BLUE)]]
    assert read_image(encode(palette, "GIF", transparency=0)).tolist() == [[list(WHITE), list(BLUE)]]
    assert read_image(encode(palette.convert("RGB"), "PNG", transparency=RED)).tolist() == [[list(WHITE), list(BLUE)]]


@pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="older Pillow refuses the kind as unknown")
def test_premultiplied_gray_tiff_is_read() -> None:
    pixels = np.array([[[64, 128], [0, 255], [0, 0]]], np.uint8)
    data = bytearray(encode(Image.fromarray(pixels, "LA"), "TIFF"))
    entry = data.index(struct.pack("<HHI", 338, 3, 1))  # ExtraSamples: 2 is plain alpha, 1 premultiplied
    data[entry + 8] = 1
    assert np.abs(read_image(bytes(data))[0, :, 0].astype(int) - [191, 0, 255]).max() <= 1


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk(file_format: str) -> None:
    inks = np.zeros((32, 48, 4), np.uint8)
    inks[:, :24] = (0, 255, 255, 0)  # magenta and yellow make red
    inks[:, 24:] = (255, 0, 0, 128)
    image = read_image(encode(Image.fromarray(inks, "CMYK"), file_format))
    assert np.abs(image[16, [8, 40]].astype(int) - [RED, (0, 127, 127)]).max() < 8


def test_ycbcr_and_lab_tiff() -> None:
    ycbcr = Image.fromarray(mosaic()).convert("YCbCr")
    data = encode(ycbcr, "TIFF", compression="tiff_lzw")  # Pillow 12 cannot read its own uncompressed ones
    assert np.abs(read_image(data).astype(int) - mosaic()).max() < 4
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    skin = ImageCms.profileToProfile(Image.new("RGB", (4, 4), (220, 160, 130)), srgb, lab, outputMode="LAB")
    assert skin is not None
    assert np.abs(read_image(encode(skin, "TIFF"))[0, 0].astype(int) - (220, 160, 130)).max() < 4


def swapped_profile() -> bytes:
    """Return a valid profile in which red and green are swapped, under another name than sRGB."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ", 128), data.index(b"gXYZ", 128)
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_color_profile_is_applied(file_format: str) -> None:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert corners(read_image(encode(mosaic(), file_format, icc_profile=plain))) == "RGBW"
    assert corners(read_image(encode(mosaic(), file_format, icc_profile=swapped_profile()))) == "GRBW"


def test_srgb_profile_changes_no_pixel_and_transparency_keeps_the_profile() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(read_image(encode(noise, "PNG", icc_profile=plain)), noise)
    clear = np.dstack([mosaic(), np.full((32, 48), 255, np.uint8)])
    assert corners(read_image(encode(clear, "PNG", icc_profile=swapped_profile()))) == "GRBW"


@pytest.mark.parametrize("profile", [b"x", b"\0" * 200, swapped_profile()[:200], swapped_profile()[:-900]])
def test_broken_profile_is_ignored(profile: bytes) -> None:
    assert np.array_equal(read_image(encode(mosaic(), "PNG", icc_profile=profile)), mosaic())


def test_profile_of_another_color_space_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert np.array_equal(read_image(encode(mosaic(), "PNG", icc_profile=lab)), mosaic())
    cmyk = encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF", icc_profile=swapped_profile())
    assert read_image(cmyk)[0, 0].tolist() == list(RED)


# Errors


@pytest.mark.parametrize("suffix", [".jpg", ".heic"])
def test_names_the_file_and_says_what_is_wrong(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"holiday{suffix}"
    with pytest.raises(ImageError, match=rf"holiday{suffix}.*exist"):
        read_image(path)
    path.write_bytes(b"")
    with pytest.raises(ImageError, match=rf"holiday{suffix}.*\b0 bytes"):
        read_image(path)
    path.write_text("This is no picture.")
    with pytest.raises(ImageError, match=rf"holiday{suffix}.*JPEG"):
        read_image(str(path))
    with pytest.raises(ImageError, match="folder"):
        read_image(tmp_path)


def test_an_upload_is_called_by_its_name() -> None:
    stream = io.BytesIO(b"text")
    stream.name = "upload.png"
    with pytest.raises(ImageError, match=r"upload\.png"):
        read_image(stream)
    with pytest.raises(ImageError, match="empty"):
        read_image(b"")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encode(mosaic(), "PNG"))
    path.chmod(0)
    with pytest.raises(ImageError, match="permissions"):
        read_image(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="pipe"):
        read_image(tmp_path / "pipe.png")


@pytest.mark.parametrize("source", [io.StringIO("text"), None, 3.5, "a\0b.png", np.zeros((2, 2, 3), np.uint8)])
def test_a_source_of_the_wrong_kind(source: Any) -> None:
    with pytest.raises(ImageError, match="bytes"):
        read_image(source)


def test_a_closed_stream() -> None:
    stream = io.BytesIO(encode(mosaic(), "PNG"))
    stream.close()
    with pytest.raises(ImageError, match="open"):
        read_image(stream)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\n<!DOCTYPE html><html></html>", "web page"),
        (b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + bytes(100), "video"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "damaged"),
        (b"\xff\xd8\xff\xe0" + np.random.default_rng(0).bytes(3000), "damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "JPEG"),
        (b"P6 2 2 255\n" + bytes(12), "JPEG"),  # Pillow could read it, but this format is disabled
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (png(0, 10), "damaged"),
        (encode(mosaic(), "BMP").replace(struct.pack("<ii", 48, 32), struct.pack("<ii", 0, 32)), "damaged"),
    ],
)
def test_other_files_than_pictures(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(data)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("file_format", FORMATS)
def test_truncated_files(tmp_path: Path, file_format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    data = encode(noise, file_format)
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match=r"cut\.jpg"):
        read_image(path)


def with_size(file_format: str, width: int, height: int) -> bytes:
    """Return a small file whose header claims another size."""
    data = bytearray(encode(mosaic(), file_format))
    if file_format == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif file_format == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    elif file_format == "JPEG":
        start = data.index(b"\xff\xc0") + 5
        data[start : start + 4] = struct.pack(">HH", height, width)
    elif file_format == "TIFF":
        for tag, value in ((256, width), (257, height)):
            for kind in (3, 4):
                start = data.find(struct.pack("<HHI", tag, kind, 1))
                if start >= 0:
                    data[start : start + 12] = struct.pack("<HHII", tag, 4, 1, value)
    elif file_format == "WEBP":
        start = data.index(b"VP8L") + 9
        data[start : start + 4] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    else:
        start = data.find(b"ispe")
        while start >= 0:
            data[start + 8 : start + 16] = struct.pack(">II", width, height)
            start = data.find(b"ispe", start + 4)
    return bytes(data)


def refused_size(data: bytes) -> str:
    """Read a picture that must be refused for its size; return the message. Decoding would show in the memory peak."""
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match=r"[45]0 megapixels") as caught:
            read_image(data)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    return str(caught.value)


@pytest.mark.parametrize("side", [9000, 12000, 16000])  # under Pillow's warning, between, above its error
@pytest.mark.parametrize("file_format", [name for name in FORMATS if name != "PNG"])
def test_bombs_are_refused_by_their_header(file_format: str, side: int) -> None:
    message = refused_size(with_size(file_format, side, side))
    assert f"{side}x{side} = {side * side / 1e6:.1f}" in message or "179" in message


@pytest.mark.parametrize("side", [9000, 30_000, 2**31 - 1])
def test_png_bomb(side: int) -> None:
    refused_size(png(side, side))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the limit of Linux")
def test_bombs_take_no_memory_outside_python_either(tmp_path: Path) -> None:
    """Pillow's pixels are invisible to tracemalloc: read all bombs in a process with limited memory."""
    bombs = {name: with_size(name, 12000, 12000) for name in FORMATS if name != "PNG"} | {"PNG": png(30_000, 30_000)}
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from fer.images import read_image; from fer.errors import ImageError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: read_image(path)\n"
        "    except ImageError as error: assert 'megapixels' in str(error), error\n"
        "    else: raise SystemExit(f'{path} was read')\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, 'kilobytes'\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=Path(__file__).parents[1], check=True)


def test_gif_frame_larger_than_its_screen() -> None:
    data = bytearray(encode(mosaic(), "GIF"))
    start = data.index(b"\x2c" + struct.pack("<HHHH", 0, 0, 48, 32)) + 5
    data[start : start + 4] = struct.pack("<HH", 9000, 9000)
    refused_size(bytes(data))


def test_animated_webp_with_a_huge_canvas() -> None:
    data = bytearray(encode(mosaic(), "WEBP", save_all=True, append_images=[Image.new("RGB", (48, 32), "black")]))
    start = data.index(b"VP8X") + 12
    data[start : start + 6] = struct.pack("<I", 8999)[:3] * 2
    refused_size(bytes(data))


def test_tiff_with_huge_tiles_is_refused() -> None:
    data = encode(mosaic(16, 16), "TIFF", compression="tiff_adobe_deflate", tiffinfo={322: 16, 323: 16})
    header = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[header : header + 2])[0]
    tile = struct.pack("<HHII", 322, 4, 1, 60_000) + struct.pack("<HHII", 323, 4, 1, 60_000)
    entries = [data[header + 2 + 12 * n : header + 14 + 12 * n] for n in range(count)]
    kept = [entry for entry in entries if struct.unpack("<H", entry[:2])[0] not in (278, 322, 323)]
    kept += [tile[:12], tile[12:]]
    strips = {273: 324, 279: 325}
    renamed = [
        struct.pack("<H", strips.get(struct.unpack("<H", entry[:2])[0], struct.unpack("<H", entry[:2])[0])) + entry[2:]
        for entry in kept
    ]
    directory = struct.pack("<H", len(renamed)) + b"".join(sorted(renamed, key=lambda e: struct.unpack("<H", e[:2])))
    moved = data[:4] + struct.pack("<I", len(data)) + data[8:] + directory + bytes(4)
    with pytest.raises(ImageError, match="damaged"):
        read_image(moved)


def test_max_pixels_is_inclusive_and_can_be_set() -> None:
    assert MAX_PIXELS == 50_000_000
    data = encode(mosaic(32, 48), "PNG")
    assert read_image(data, max_pixels=32 * 48).shape == (32, 48, 3)
    with pytest.raises(ImageError, match="48x32"):
        read_image(data, max_pixels=32 * 48 - 1)


def test_pillows_own_limit_applies_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(mosaic(), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns from there, and refuses from twice as many
    assert np.array_equal(read_image(data), mosaic())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(ImageError, match=r"0\.001 megapixels"):
        read_image(data)


# Random damage


def seeds() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (16, 20, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    described = {"exif": exif.tobytes(), "icc_profile": swapped_profile()}
    files = {name: encode(noise, name) for name in FORMATS}
    files |= {f"{name} described": encode(noise, name, **described) for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")}
    files |= {
        f"{name} animated": encode(noise, name, save_all=True, append_images=[noise.rotate(90)])
        for name in ("GIF", "PNG", "WEBP")
    }
    files |= {f"TIFF {name}": encode(noise, "TIFF", compression=name) for name in ("packbits", "tiff_lzw", "jpeg")}
    files["CMYK"] = encode(noise.convert("CMYK"), "JPEG")
    files["palette"] = encode(noise.quantize(16), "PNG", transparency=3)
    files["float"] = encode(rng.random((16, 20), np.float32), "TIFF")
    return files


@pytest.mark.slow
def test_damaged_bytes_give_a_picture_or_an_image_error() -> None:
    rng = np.random.default_rng(2)
    read = refused = 0
    for name, data in seeds().items():
        for trial in range(24):
            damaged = bytearray(data)
            reach = len(data) if trial % 2 else min(len(data), 200)  # damage to headers is the worst
            for position in rng.integers(0, reach, rng.integers(1, 6)):
                damaged[position] = rng.integers(0, 256)
            end = rng.integers(1, len(data)) if trial % 6 == 0 else len(data)
            try:
                assert_is_picture(read_image(bytes(damaged[:end]), max_pixels=1_000_000))
                read += 1
            except ImageError as error:
                assert str(error).startswith("the picture "), name
                refused += 1
    assert read > 50 and refused > 100


# Arrays and lists


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.new("RGB", (4, 4)), r"Image.*read_image\(\)"),
        ([[0, 0, 0]], r"\blist\b"),
        (np.zeros((4, 5), np.uint8), r"uint8.*\(4, 5\).*np\.stack"),
        (np.zeros((4, 5, 4), np.uint8), r"image\[\.\.\., :3\]"),
        (np.zeros((3, 4, 5), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((2, 4, 5, 3), np.uint8), r"\(2, 4, 5, 3\)"),
        (np.zeros((4, 5, 1), np.uint8), r"shape \(4, 5, 1\)"),
        (np.zeros((0, 5, 3), np.uint8), r"\(0, 5, 3\)|pixels"),
        (np.zeros((5, 0, 3), np.uint8), r"\(5, 0, 3\)|pixels"),
        (np.zeros((4, 5, 3), np.float32), r"float32.*\* 255"),
        (np.zeros((4, 5, 3), np.int64), "int64"),
    ],
)
def test_check_rgb_says_what_was_found_and_how_to_convert(image: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        check_rgb(image)
    with pytest.raises(ImageError, match=message):
        encode_png(image)


def test_png_round_trip() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for image in (noise, noise[::2, ::-1], noise[:1, :1], noise[..., ::-1]):
        check_rgb(image)
        data = encode_png(image)
        assert data.startswith(b"\x89PNG")
        assert np.array_equal(read_image(data), image)


def test_list_images(tmp_path: Path) -> None:
    names = ["b.PNG", "a.jpg", "notes.txt", ".hidden.jpg", "sub/c.heic", "sub/deep/d.WebP", ".git/e.png", "x.png/f.gif"]
    for name in names:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    folder, missing = tmp_path / "folder", tmp_path / "missing.jpg"
    assert [path.relative_to(folder).as_posix() for path in list_images([folder])] == [
        "a.jpg",
        "b.PNG",
        "sub/c.heic",
        "sub/deep/d.WebP",
        "x.png/f.gif",
    ]
    given = [str(missing), folder / "notes.txt", folder / "sub", folder / ".hidden.jpg", folder / ".git"]
    assert list_images(given) == [
        missing,
        folder / "notes.txt",
        folder / "sub" / "c.heic",
        folder / "sub" / "deep" / "d.WebP",
        folder / ".hidden.jpg",
        folder / ".git" / "e.png",
    ]
    assert list_images([]) == []


def test_list_images_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert list_images(["."]) == [Path("a.jpg")]


def test_suffixes_are_lower_case_and_cover_the_formats() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)
    assert {
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".avif",
    } <= IMAGE_SUFFIXES


def test_shrinking_keeps_proportions_and_means() -> None:
    image = np.zeros((300, 600, 3), np.uint8)
    image[:, ::2] = (200, 100, 50)  # stripes of one pixel: without antialiasing one color would dominate
    small = shrink_to_fit(image, 100)
    assert small.shape == (50, 100, 3)
    assert np.array_equal(np.unique(small.reshape(-1, 3), axis=0), [(100, 50, 25)])


def test_a_line_keeps_a_pixel_of_height() -> None:
    assert shrink_to_fit(np.zeros((1, 4000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_a_small_picture_is_not_shrunk() -> None:
    image = np.zeros((30, 100, 3), np.uint8)
    assert shrink_to_fit(image, 100) is image
