"""Keep the results of photos and show them again after a reload, in another tab or on a later visit."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path, PurePath

import streamlit as st

from fer.model.checkpoint import model_sha256
from fer.recognition.photo import PhotoResult
from fer.results.photo import PhotoRecord, photo_content, restored_photo
from fer.results.result import PHOTO, Result
from pages.parts.models import checkpoint_path, chosen_faces, model_info, model_name
from pages.parts.results import ADDRESS, addressed, result_store, show_missing
from pages.parts.session import FILES_AS_THEY_ARE
from pages.parts.visitor import owner

_IDS, _LAST = "photo_ids", "photo_last"
"""In the session: the result of each chosen photo, and the results shown last."""


def keep_photo(key: str, name: str, data: bytes, found: PhotoResult) -> None:
    """Keep what was found in a photo; file, name, model and kind of faces identify its result, the rotation does not.

    Args:
        key: names the photo among the chosen ones.
        name: the name of its file.
        data: the content of its file.
        found: the photo, analyzed with the model that this visitor uses.

    Raises:
        ResultsError: the result cannot be kept.
    """
    info, sha = model_info(), chosen_sha()
    labels, unsure_below = info.labels, info.reading(chosen_faces()).unsure_below
    figures, content = photo_content(found, labels, unsure_below, (PurePath(name).suffix or ".jpg", data))
    kept = result_store().add(
        owner(),
        PHOTO,
        name,
        content=content,
        figures=figures,
        model=model_name(checkpoint_path()),
        model_sha=sha,
        source=f"{sha256(data).hexdigest()} {sha} {chosen_faces()} {name}",
    )
    if kept:
        st.session_state.setdefault(_IDS, {})[key] = kept.id


def name_of_file(result: Result) -> str:
    """Return the name of a photo's file; keeping the photo again under this name updates the same result."""
    return result.source.partition(f" {result.model_sha} ")[2].partition(" ")[2] or result.name


def address_photos(keys: Iterable[str]) -> None:
    """Put the results of the chosen photos into the page's address, and remember them as the last ones shown."""
    ids = st.session_state.get(_IDS, {})
    _show_again([ids[key] for key in keys if key in ids])


def is_addressed(keys: Iterable[str]) -> bool:
    """Return whether the page's address names the results of these photos, or none."""
    ids, asked = st.session_state.get(_IDS, {}), set(st.query_params.get_all(ADDRESS))
    return not asked or asked == {ids[key] for key in keys if key in ids}


def forget_kept() -> None:
    """Stop showing earlier photos; they stay under Results."""
    _show_again([])


def kept_photos() -> list[tuple[Result, PhotoRecord, PhotoResult, Path | None]]:
    """Return the photos in the page's address, or those shown last, each with its picture file if it was kept.

    Deleted photos and those read with other labels than the first one are left out.

    Raises:
        FerError: the results or a picture cannot be read.
    """
    asked = st.query_params.get_all(ADDRESS) or st.session_state.get(_LAST, [])
    if not asked:
        return []
    store = result_store()
    there = [result for one in asked if (result := store.get(one, owner())) and result.kind == PHOTO]
    records = [(result, record) for result in there if (record := store.record(result, PhotoRecord))]
    same = [(result, record) for result, record in records if record.labels == records[0][1].labels]
    _show_again([result.id for result, _ in same])
    if not same:
        show_missing()
    return [
        (result, record, restored(store.folder(result), result.changed, record), store.picture(result))
        for result, record in same
    ]


@st.cache_resource(max_entries=50, show_spinner=False, scope="session")
def restored(folder: Path, changed: float, _record: PhotoRecord) -> PhotoResult:
    """Return a kept photo, see `restored_photo`; read once per visitor, until the result changes."""
    return restored_photo(_record, folder)


def _show_again(ids: list[str]) -> None:
    st.session_state[_LAST] = ids
    addressed(ids)


def chosen_sha() -> str:
    """Return the hash of the model file that this visitor uses."""
    return sha_of(checkpoint_path())


@st.cache_data(show_spinner=False, hash_funcs=FILES_AS_THEY_ARE)
def sha_of(path: Path) -> str:
    """Return the hash of a model file."""
    return model_sha256(path)
