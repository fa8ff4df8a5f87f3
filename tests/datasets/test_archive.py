"""A data set's ZIP is unpacked once and completely, and a hostile ZIP does no harm."""

import random
import re
import shutil
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from fer.datasets import archive, open_dataset
from fer.errors import DatasetError
from fer.images import encode_png
from tests.datasets.pictures import pattern

CASES = Path(__file__).parents[2] / "../shared/cases"
PNG = encode_png(pattern(1)[..., None].repeat(3, axis=-1))


def _zip(file: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", compression) as opened:
        for name, content in entries.items():
            opened.writestr(name, content)
    return file


def _faces(above: str = "") -> dict[str, bytes]:
    return {f"{above}{name}/{number}.png": PNG for name in ("angry", "happy") for number in range(2)}


def _unpack(file: Path) -> Path:
    return archive.unpack(file, file.parent / "unpacked")


def _assert_nothing_left(tmp_path: Path) -> None:
    """Nothing was written except the archive: neither outside the folder nor partially inside it."""
    assert [file.suffix for file in tmp_path.iterdir() if file.name != "unpacked"] == [".zip"]
    assert not list((tmp_path / "unpacked").iterdir())


# Right


@pytest.mark.parametrize("above", ["", "faces/", "deep/deeper/"])
def test_class_folders_in_a_zip_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: str) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = open_dataset(_zip(tmp_path / "My faces.ZIP", _faces(above)))
    assert dataset.labels == ("anger", "happiness")
    assert len(dataset) == 4
    assert dataset.picture(0).shape == (48, 48, 3)
    assert [folder.name[:9] for folder in (tmp_path / "data" / "unpacked").iterdir()] == ["My-faces-"]


def test_a_single_table_in_a_zip_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = f"emotion,pixels,Usage\n3,{' '.join(['90'] * 2304)},Training\n".encode()
    assert open_dataset(_zip(tmp_path / "a.zip", {"archive/fer2013.csv": table})).name == "FER2013 (fer2013.csv)"


def test_neutral_frames_of_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    entries = {f"cohn-kanade-images/S005/001/S005_001_{frame:08d}.png": PNG for frame in range(1, 7)}
    entries["Emotion/S005/001/S005_001_00000006_emotion.txt"] = b"   3.0000000e+00\n"
    file = _zip(tmp_path / "ck.zip", entries)
    assert len(open_dataset(file)) == 3
    assert open_dataset(f"{file}:neutral").labels == ("neutral", "disgust")


def test_the_same_content_is_unpacked_once(tmp_path: Path) -> None:
    file = _zip(tmp_path / "faces.zip", _faces())
    folder = _unpack(file)
    (folder / "angry" / "0.png").write_bytes(b"touched")
    assert _unpack(file) == folder
    assert (folder / "angry" / "0.png").read_bytes() == b"touched"
    assert _unpack(_zip(file, {**_faces(), "sad/1.png": PNG})) != folder


def test_an_upload_without_a_suffix_is_unpacked_by_its_content(tmp_path: Path) -> None:
    file = _zip(tmp_path / "upload", _faces())
    assert (_unpack(file) / "happy" / "1.png").read_bytes() == PNG


def test_hidden_and_other_files_are_not_unpacked(tmp_path: Path) -> None:
    others = {"__MACOSX/angry/._0.png": b"", ".git/a.png": b"", "angry/.b.png": b"", "run.sh": b"", "model.pt": b""}
    folder = _unpack(_zip(tmp_path / "faces.zip", {**_faces(), **others, "angry/label.csv": b"", "notes.txt": b""}))
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert files == {*_faces(), "angry/label.csv", "notes.txt", archive.LEFT_NAME}
    dataset = open_dataset(folder)
    assert any("1 .sh" in note and "1 .pt" in note for note in dataset.notes)
    assert not any(".git" in note or "._0" in note for note in dataset.notes)


def test_backslashes_of_windows_programs_separate_folders(tmp_path: Path) -> None:
    folder = _unpack(_zip(tmp_path / "faces.zip", {name.replace("/", "\\"): PNG for name in _faces()}))
    assert (folder / "happy" / "1.png").is_file()


# Hostile


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "angry/../../evil.png",
        "/tmp/evil.png",
        "..\\evil.png",
        "C:\\evil.png",
        "c:evil.png",
        "\\evil.png",
    ],
)
def test_a_path_out_of_the_folder_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    file = _zip(tmp_path / "evil.zip", {**_faces(), name: PNG})
    with pytest.raises(DatasetError, match="evil"):
        _unpack(file)
    _assert_nothing_left(tmp_path)


@pytest.mark.parametrize(("kind", "found"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "a device or a pipe")])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int, found: str) -> None:
    file = tmp_path / "evil.zip"
    with zipfile.ZipFile(file, "w") as opened:
        entry = zipfile.ZipInfo("angry/passwords.txt")
        entry.external_attr = (kind | 0o777) << 16
        opened.writestr(entry, "/etc/passwd")
    with pytest.raises(DatasetError, match=f"{found}.*angry/passwords.txt"):
        _unpack(file)
    _assert_nothing_left(tmp_path)


def test_a_zip_bomb_is_refused_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "RATIO_COUNTS_FROM_BYTES", 2**20)
    file = _zip(tmp_path / "bomb.zip", {"angry/1.png": bytes(30 * 2**20)})
    with pytest.raises(DatasetError, match=r"[34] MB .*bomb\.zip.* 31 MB"):
        _unpack(file)
    _assert_nothing_left(tmp_path)


def test_a_size_in_the_header_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both headers declare 100 bytes of 30 MB: no more than those are ever written."""
    monkeypatch.setattr(archive, "RATIO_COUNTS_FROM_BYTES", 2**20)
    file = _zip(tmp_path / "bomb.zip", {"angry/1.png": bytes(30 * 2**20)})
    told, lie = (30 * 2**20).to_bytes(4, "little"), (100).to_bytes(4, "little")
    assert file.read_bytes().count(told) == 2
    file.write_bytes(file.read_bytes().replace(told, lie))
    with pytest.raises(DatasetError):
        _unpack(file)
    _assert_nothing_left(tmp_path)


def test_bytes_and_files_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _zip(tmp_path / "large.zip", _faces())
    monkeypatch.setattr(archive, "MAX_BYTES", 3 * len(PNG))
    with pytest.raises(DatasetError, match=r"0 MB .*large\.zip"):
        _unpack(file)
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    with pytest.raises(DatasetError, match=r"3 .*large\.zip.* 4"):
        _unpack(file)
    _assert_nothing_left(tmp_path)


def test_small_archives_may_shrink_well(tmp_path: Path) -> None:
    file = _zip(tmp_path / "white.zip", {f"angry/{number}.bmp": bytes(2**20) for number in range(4)})
    assert len(list((_unpack(file) / "angry").iterdir())) == 4


# Broken


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(b"Rar!\x1a\x07")
    with pytest.raises(DatasetError, match=r"ZIP.*faces\.zip"):
        _unpack(tmp_path / "faces.zip")
    _assert_nothing_left(tmp_path)


def test_a_truncated_or_modified_archive_is_refused(tmp_path: Path) -> None:
    file = _zip(tmp_path / "faces.zip", _faces(), zipfile.ZIP_STORED)
    whole = file.read_bytes()
    for content in (whole[:-30], whole[: len(whole) // 2], whole.replace(PNG[60:80], bytes(20), 1)):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=r"ZIP.*faces\.zip"):
            _unpack(file)
        _assert_nothing_left(tmp_path)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    file = _zip(tmp_path / "secret.zip", {"angry/1.png": PNG})
    content = bytearray(file.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"angry/1\.png"):
        _unpack(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [
        ("angry/1.png", "angry/1.png"),
        ("angry/1.png", "Angry/1.PNG"),
        ("angry.png", "angry.png/1.png"),
        ("angry/./1.png", "angry//1.png"),
    ],
)
def test_two_entries_with_the_same_name_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    file = tmp_path / "twice.zip"
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, PNG)
    with pytest.raises(DatasetError, match=r"twice\.zip.*(?i:angry)") as found:
        _unpack(file)
    assert "room" not in str(found.value)
    _assert_nothing_left(tmp_path)


@pytest.mark.parametrize("name", [f"angry/{'x' * 300}.png", f"angry/{'ü' * 126}.png", "angry/" * 300 + "1.png"])
def test_names_too_long_for_any_disk_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=r"long\.zip.*\d bytes") as found:
        _unpack(_zip(tmp_path / "long.zip", {**_faces(), name: PNG}))
    assert "room" not in str(found.value)
    _assert_nothing_left(tmp_path)


@pytest.mark.parametrize("name", ["happy/con.png", "happy./1.png", "happy/1.png:2.png", "nul/1.png"])
def test_names_invalid_on_windows_are_refused_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file = _zip(tmp_path / "a.zip", {**_faces(), name: PNG})
    if sys.platform != "win32":
        assert (_unpack(file) / name).is_file()
        shutil.rmtree(tmp_path / "unpacked")
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(DatasetError, match=re.escape(name)):
        _unpack(file)
    _assert_nothing_left(tmp_path)


def test_a_path_too_long_for_windows_is_refused_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "angry/" + "x" * (archive.MAX_WINDOWS_PATH - len(str(tmp_path)) - 30) + ".png"
    file = _zip(tmp_path / "a-long-name.zip", {**_faces(), name: PNG})
    if sys.platform != "win32":
        assert (_unpack(file) / name).is_file()
        shutil.rmtree(tmp_path / "unpacked")
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(DatasetError, match=f"{archive.MAX_WINDOWS_PATH}.*xxx"):
        _unpack(file)
    _assert_nothing_left(tmp_path)
    assert len(list(_unpack(_zip(tmp_path / "short.zip", _faces())).iterdir())) == 2


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    file = _zip(tmp_path / "nameless.zip", _faces(), zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 28 : at + 34] = bytes(4) + len("angry/0.png").to_bytes(2, "little")  # its name becomes its comment
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"nameless\.zip.*without a name"):
        _unpack(file)
    _assert_nothing_left(tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_nonsense_where_an_entry_should_be_is_refused(tmp_path: Path, method: int, seed: int) -> None:
    file = _zip(tmp_path / "broken.zip", _faces(), method)
    content = bytearray(file.read_bytes())
    start = (
        content.index(b"angry/0.png") + len("angry/0.png") + (0, 4, 9, 30)[seed]
    )  # of lzma: version, properties, data
    content[start : start + 40] = random.Random(seed).randbytes(40)
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"broken\.zip") as found:
        _unpack(file)
    assert "room" not in str(found.value)
    _assert_nothing_left(tmp_path)


@pytest.mark.slow
def test_any_damage_gives_an_error_or_the_same_files(tmp_path: Path) -> None:
    """An archive with a few bytes changed anywhere; seeded."""
    chance = random.Random(0)
    for number in range(300):
        method = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[number % 4]
        file = _zip(tmp_path / "damaged.zip", _faces(), method)
        content = bytearray(file.read_bytes())
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        file.write_bytes(content)
        try:
            unpacked = _unpack(file)
        except DatasetError:
            _assert_nothing_left(tmp_path)
        else:
            assert all(one.read_bytes() == PNG for one in unpacked.rglob("*.png"))
            shutil.rmtree(unpacked)


def test_an_unsupported_compression_method_is_refused(tmp_path: Path) -> None:
    file = _zip(tmp_path / "new.zip", _faces(), zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    for header, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # position of the method
        for found in re.finditer(re.escape(header), content):
            content[found.start() + at] = 96
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"new\.zip"):
        _unpack(file)
    _assert_nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("badutf8.zip", r"badutf8\.zip"),
        ("lzma-broken.zip", r"lzma-broken\.zip"),
    ],
)
def test_hostile_archives_from_elsewhere(tmp_path: Path, name: str, found: str) -> None:
    file = CASES / "hostile" / name
    if not file.is_file():
        pytest.skip("../shared/cases is not beside the repository")
    with pytest.raises(DatasetError, match=found):
        archive.unpack(file, tmp_path / "unpacked")
    assert not list((tmp_path / "unpacked").iterdir())


# Beside the class folders


@pytest.mark.parametrize("beside", [("README.txt",), ("labels.csv", "LICENSE.txt"), ("metadata.csv", ".DS_Store")])
@pytest.mark.parametrize("above", ["", "images/", "faces/images/"])
def test_texts_and_tables_may_be_beside_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: tuple[str, ...], above: str
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    faces = {f"{above}{part}/{name}": content for part in ("train", "test") for name, content in _faces().items()}
    dataset = open_dataset(_zip(tmp_path / "a.zip", {**faces, **dict.fromkeys(beside, b"a,b\n")}))
    assert dataset.labels == ("anger", "happiness")
    assert set(dataset.splits) == {"train", "test"} and len(dataset) == 8


def test_an_archive_from_elsewhere_with_a_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    file = CASES / "oheix_readme_txt.zip"
    if not file.is_file():
        pytest.skip("../shared/cases is not beside the repository")
    dataset = open_dataset(file)
    assert len(dataset) == 350 and len(dataset.labels) == 7
    assert not any("README" in note for note in dataset.notes)


def test_an_archive_of_other_things_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"code\.zip.* 2 "):
        _unpack(_zip(tmp_path / "code.zip", {"a.py": b"", "b.exe": b""}))


def test_pictures_without_class_folders_are_refused_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match=r"1\.png, 2\.png"):
        open_dataset(_zip(tmp_path / "a.zip", {"1.png": PNG, "2.png": PNG}))


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_move", full)
    with pytest.raises(DatasetError, match="full"):
        _unpack(_zip(tmp_path / "faces.zip", _faces()))
    _assert_nothing_left(tmp_path)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.zip"):
        _unpack(tmp_path / "gone.zip")


def test_another_process_may_have_unpacked_it_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _zip(tmp_path / "faces.zip", _faces())
    move = archive._move

    def be_second(partial: Path, folder: Path) -> None:
        shutil.copytree(partial, folder)
        move(partial, folder)

    monkeypatch.setattr(archive, "_move", be_second)
    assert (_unpack(file) / "happy" / "1.png").read_bytes() == PNG
    assert len(list((tmp_path / "unpacked").iterdir())) == 1
