"""Names in an archive without a declared encoding are decoded correctly, or refused."""

import zipfile
from pathlib import Path

import pytest

from fer.datasets import open_dataset
from fer.datasets.archive import unpack
from fer.datasets.zip_names import true_names
from fer.errors import DatasetError
from fer.images import encode_png
from tests.datasets.pictures import pattern

CASES = Path(__file__).parents[2] / "../shared/cases"
RUSSIAN = ("грусть", "радость", "страх", "Гнев", "удивление", "отвращение")
JAPANESE = ("喜び", "悲しみ", "怒り", "驚き", "恐れ", "嫌悪", "写真（1）", "ハッピー", "喜びx")
GERMAN = ("fröhlich", "müde", "Ärger", "süß")
PNG = encode_png(pattern(1)[..., None].repeat(3, axis=-1))


def _archive(file: Path, folders: tuple[str, ...], encoding: str) -> Path:
    """Write an archive as old programs do: names in their own encoding, without the flag."""
    with zipfile.ZipFile(file, "w") as archive:
        for number, folder in enumerate(folders):
            archive.writestr(f"{number:02d}-{'#' * len(folder.encode(encoding))}/1.png", PNG)
    content = file.read_bytes()
    for number, folder in enumerate(folders):
        own = f"{number:02d}-".encode()
        content = content.replace(own + b"#" * len(folder.encode(encoding)), own + folder.encode(encoding))
    file.write_bytes(content)
    return file


def _names(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return [name.split("/")[0][3:] for name in true_names(archive.infolist(), file)]


@pytest.mark.parametrize(
    ("folders", "encoding"),
    [
        (RUSSIAN, "cp866"),
        (JAPANESE, "cp932"),
        (GERMAN, "cp437"),
        (RUSSIAN + JAPANESE + GERMAN, "utf-8"),
        (("père", "frère"), "cp437"),
        (("angry", "喜びx"), "cp932"),
        (("angry", "happy"), "ascii"),
    ],
)
def test_names_in_old_encodings(tmp_path: Path, folders: tuple[str, ...], encoding: str) -> None:
    assert _names(_archive(tmp_path / "a.zip", folders, encoding)) == list(folders)


@pytest.mark.parametrize(
    ("word", "encoding"),
    [*((word, "cp866") for word in RUSSIAN), *((word, "cp932") for word in JAPANESE), *((w, "cp437") for w in GERMAN)],
)
def test_a_single_name_is_decoded_correctly_or_refused(tmp_path: Path, word: str, encoding: str) -> None:
    try:
        assert _names(_archive(tmp_path / "a.zip", (word,), encoding)) == [word]
    except DatasetError as error:
        assert word in str(error)


@pytest.mark.parametrize(("folders", "encoding"), [(("tãrist", "ÿþ"), "latin-1"), (("쓸쓸한",), "cp949")])
def test_names_in_no_known_encoding_are_refused(tmp_path: Path, folders: tuple[str, ...], encoding: str) -> None:
    with pytest.raises(DatasetError, match=r"UTF-8 in .*a\.zip"):
        _names(_archive(tmp_path / "a.zip", folders, encoding))


def test_names_with_the_flag_are_unchanged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for folder in (*RUSSIAN, *JAPANESE, "😀"):
            archive.writestr(f"00-{folder}/1.png", PNG)
    assert _names(tmp_path / "a.zip") == [*RUSSIAN, *JAPANESE, "😀"]


def test_a_data_set_with_such_names_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    dataset = open_dataset(_archive(tmp_path / "a.zip", RUSSIAN, "cp866"))
    assert {label[3:] for label in dataset.labels} == set(RUSSIAN)


def test_an_archive_from_elsewhere_in_japanese(tmp_path: Path) -> None:
    file = CASES / "cp932.zip"
    if not file.is_file():
        pytest.skip("../shared/cases is not beside the repository")
    assert {folder.name for folder in unpack(file, tmp_path).iterdir()} == {"ANGRY", "喜びx"}
