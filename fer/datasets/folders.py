"""Class folders: a folder for each expression, optionally below train, validation and test.

CK+48 is such a data set; its file names (S010_004_00000017.png) identify the people.
"""

from pathlib import Path

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.labeled import Face, open_faces, split_of
from fer.datasets.names import person_on
from fer.errors import DatasetError
from fer.files import visible
from fer.images import IMAGE_SUFFIXES

KIND = "class folders"


def matches(path: Path) -> bool:
    """Whether the path looks like this layout, whatever the labels."""
    return path.is_dir() and any(_pictures(folder) for folder, _ in _class_folders(path))


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the folders in a path. Missing splits are cut from train, see `complete_splits`.

    Raises:
        DatasetError: class folders are beside split folders, or a folder's name cannot be a label.
    """
    faces: list[Face] = []
    notes = []
    for folder, split in _class_folders(path):
        files = _pictures(folder)
        if not files:
            notes.append(f"The folder {folder.relative_to(path)} has no pictures and was left out.")
        faces += [Face(file, folder.name, split, person_on(file)) for file in files]
    return open_faces(path.name, faces, notes, progress)


def _class_folders(path: Path) -> list[tuple[Path, str]]:
    """Return (folder, split) for each class folder; the split is "" if the layout has none."""
    subfolders = list(filter(Path.is_dir, visible(path)))
    split_folders = [folder for folder in subfolders if split_of(folder.name)]
    if not split_folders:
        return [(folder, "") for folder in subfolders]
    beside = [folder.name for folder in subfolders if folder not in split_folders and _pictures(folder)]
    if beside:
        raise DatasetError(
            f"expected either split folders or class folders in {path}, found both: "
            f"{', '.join(folder.name for folder in split_folders)} beside {', '.join(beside[:8])}. Move the class "
            "folders into one called train."
        )
    return [(folder, split_of(above.name)) for above in split_folders for folder in filter(Path.is_dir, visible(above))]


def _pictures(folder: Path) -> list[Path]:
    return [file for file in visible(folder) if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()]
