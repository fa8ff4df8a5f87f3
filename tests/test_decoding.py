"""Which files are decoded directly, gray of many bits, and the right page of a TIFF."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.decoding import is_plain
from fer.images import list_images, read_image

CASES = Path(__file__).parents[1] / "../shared/cases"


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


PICTURE = Image.radial_gradient("L").resize((40, 30)).convert("RGB")
JPEG, PROGRESSIVE, PNG = saved(PICTURE, "JPEG"), saved(PICTURE, "JPEG", progressive=True), saved(PICTURE, "PNG")
SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]
COMMENT, TEXT = b"\xff\xfe\0\x04ab", struct.pack(">I4sIf", 0, b"tEXt", 0, 0)[:12]


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        PROGRESSIVE,
        PNG,
        saved(PICTURE.convert("L"), "JPEG"),
        saved(PICTURE.quantize(), "PNG"),
        JPEG[:2] + COMMENT * 99 + JPEG[2:],
    ],
)
def test_plain(data: bytes) -> None:
    assert is_plain(data)
    assert read_image(data).shape == (30, 40, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        JPEG[:100],
        saved(PICTURE, "WEBP"),
        saved(PICTURE, "TIFF"),
        PROGRESSIVE[:-2] + SCAN * 12 + PROGRESSIVE[-2:],
        JPEG.replace(b"\xff\xc0", b"\xff\xc9"),  # arithmetic coding
        JPEG[:2] + COMMENT * 5000 + JPEG[2:],
        JPEG[:2] + b"\xff" + JPEG[2:],  # would hide the next segment
        JPEG.replace(struct.pack(">HH", 30, 40), struct.pack(">HH", 6000, 6000)),
        PNG.replace(struct.pack(">II", 40, 30), struct.pack(">II", 1, 20_000)),
        PNG.replace(struct.pack(">II", 40, 30), struct.pack(">II", 6000, 6000)),
        PNG[:33] + TEXT * 5000 + PNG[33:],
        PNG[:33] + PNG[8:33] + PNG[33:],  # the second header would count
        JPEG + bytes(40_000_000),
    ],
)
def test_not_plain(data: bytes) -> None:
    assert not is_plain(data)


# Gray of more than 8 bits


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("file_format", ["TIFF", "PNG"])
def test_gray_is_stretched_to_the_bits_in_use(bits: int, file_format: str) -> None:
    shares = np.linspace(0, 1, 200).reshape(10, 20)
    image = read_image(saved(Image.fromarray((shares * (2**bits - 1)).round().astype(np.uint16)), file_format))
    assert np.abs(image[..., 0] - 255 * shares).max() <= 1.5


def test_gray_is_scaled_alike_from_top_to_bottom() -> None:
    ramp = np.linspace(-5, 5, 300, dtype=np.float32)[:, None].repeat(7, axis=1)
    image = read_image(saved(Image.fromarray(ramp), "TIFF"))
    assert np.abs(image[:, 3, 1] - np.linspace(0, 255, 300)).max() <= 1


def test_12_bits_from_elsewhere() -> None:
    if not CASES.is_dir():
        pytest.skip("no cases: ../shared/cases is not beside the repository")
    image = read_image(CASES / "g12in16.tif")
    assert image.max() > 200 and image.std() > 30


# Pages


@pytest.mark.parametrize(
    ("kinds", "chosen"), [((0, 0), 0), ((0, 1), 0), ((1, 0), 1), ((1, 1, 0), 2), ((1, 1), 1), ((2, 0), 0)]
)
def test_the_first_tiff_page_that_is_no_thumbnail_is_read(kinds: tuple[int, ...], chosen: int) -> None:
    pages = [PICTURE.resize((40 + 10 * number, 30)) for number in range(len(kinds))]
    for page, kind in zip(pages, kinds, strict=True):
        page.encoderinfo = {"tiffinfo": {254: kind}}
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo={254: kinds[0]})
    assert read_image(data).shape == (30, 40 + 10 * chosen, 3)


# Formats in folders


@pytest.mark.parametrize(
    ("suffix", "file_format"), [("mpo", "MPO"), ("jp2", "JPEG2000"), ("J2K", "JPEG2000"), ("jpx", "JPEG2000")]
)
def test_folders_give_pictures_of_phones_and_scanners(tmp_path: Path, suffix: str, file_format: str) -> None:
    options = {"save_all": True, "append_images": [PICTURE]} if file_format == "MPO" else {"no_jp2": suffix == "J2K"}
    path = tmp_path / f"one.{suffix}"
    path.write_bytes(saved(PICTURE, file_format, **options))
    assert list_images([tmp_path]) == [path]
    assert np.abs(read_image(path).astype(int) - np.asarray(PICTURE)).mean() < 9
