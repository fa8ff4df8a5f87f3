"""The list of results: search, select, rename, share, delete, export; storage used, and settings."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from fer.jobs.job import JobView
from fer.results.result import (
    COMPLETE,
    DAMAGED,
    FOLDER,
    KEPT,
    KINDS,
    NAMES,
    NO_ROOM,
    NOTHING,
    PHOTO,
    PICTURES,
    RESULTS,
    RUNNING,
    TOO_OLD,
    Result,
    Settings,
)
from fer.results.store import ResultStore
from pages.parts.corrections import said_labels
from pages.parts.kept_jobs import as_it_stands, resume
from pages.parts.kept_pictures import offer_deletion, show_offer
from pages.parts.result_actions import delete, rename, share, show_export
from pages.parts.result_rows import OPEN, Row, result_rows
from pages.parts.results import KEPT_NOTES, address_of, job_of, size, state_of, when
from pages.parts.session import attempt, errors_shown
from pages.parts.widgets import clock, counted, fragment

ROWS_AT_ONCE = 25
_LEAST_GB = 0.1
_ICONS = dict(zip(KINDS, ("photo_camera", "photo_library", "movie", "videocam"), strict=True))
_KEPT_NAMES = {
    PICTURES: "Results, pictures and annotated copies",
    RESULTS: "Results with small thumbnails of the faces",
    NOTHING: "Nothing",
}
_WHY = {
    TOO_OLD: ("result", "removed: too old"),
    NO_ROOM: ("result", "removed: the storage was full"),
    DAMAGED: ("damaged database", "moved aside; its folder is listed under “Show names”"),
}
"""Reason of a notice → what went, and what happened to it."""
_RESUME, _RENAME, _SHARE, _STOP, _DELETE = "resume", "rename", "share", "stop sharing", "delete"
_MENU = {
    OPEN: "Open",
    _RESUME: "Resume",
    _RENAME: "Rename",
    _SHARE: "Share",
    _STOP: "Stop sharing",
    _DELETE: "Delete",
}
_CHOSEN = "results_chosen"
"""In the session: the IDs of the selected results."""


def show_list(store: ResultStore, owner: str) -> None:
    """Show an owner's results, one page at a time."""
    settings = store.settings
    st.caption(f"Your results{' on this machine' * (not owner)}. {KEPT_NOTES[settings.keep]}")
    _show_notices(store, owner)
    show_offer(store, owner)
    if not store.usage(owner).count:
        _show_empty(settings)
    else:
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left:
            query = st.text_input(
                "Search",
                type="search",
                placeholder="Search by name, person, expression, kind or model",
                label_visibility="collapsed",
                key="results_query",
                icon=":material/search:",
            )
        with right:
            wanted = st.pills(
                "Kinds", KINDS, selection_mode="multi", format_func=NAMES.__getitem__, label_visibility="collapsed"
            )
        pages = -(-store.list(owner, query, wanted or KINDS, 0).total // ROWS_AT_ONCE)
        place = st.container()
        number = st.pagination(pages, key=f"results_page {query} {wanted} {pages}") if pages > 1 else 1
        with place:
            kinds = tuple(wanted or KINDS)
            fragment(_show_rows)(store, (owner, query, kinds, ROWS_AT_ONCE, (number - 1) * ROWS_AT_ONCE))
    _show_usage(store, owner, settings)


def _show_rows(store: ResultStore, asked: tuple[str, str, tuple[str, ...], int, int]) -> None:
    now, (owner, query, kinds, *_) = time.time(), asked
    page = store.list(*asked)
    found = [(result, job_of(result)) for result in page.results]
    with errors_shown():
        found = [(as_it_stands(store, result, seen), seen) for result, seen in found]
    picked = {result.id: result for result in store.those(st.session_state.get(_CHOSEN, ()), owner)}
    here = [result.id for result, _ in found]

    def choose(ids: Iterable[str], of: Sequence[str]) -> None:
        """Select those of some results; the selection of others stays."""
        st.session_state[_CHOSEN] = [*picked.keys() - set(of), *ids]

    if page.total > 1:
        with st.container(horizontal=True):
            if page.total > len(here) and st.button("Select this page", type="tertiary", icon=":material/done:"):
                attempt(lambda: choose(here, here))
            if st.button(f"Select all {page.total:,}", type="tertiary", icon=":material/done_all:"):
                every = [result.id for result in store.list(owner, query, kinds, page.total).results]
                attempt(lambda: choose(every, every))
    if not found:
        st.info("No results match.", icon=":material/filter_alt_off:")
    done = found and result_rows(
        [_row(store, result, seen, now) for result, seen in found],
        [one for one in here if one in picked],
        any(result.state == RUNNING for result, _ in found),
        "result_rows",
        lambda ids: choose(ids, here),
    )
    if picked:
        with st.container(horizontal=True, vertical_alignment="center", key="chosen"):
            st.markdown(f"**{counted(len(picked), 'result')} selected**", width="content")
            show_export(store, list(picked.values()), "results.zip", said_labels())
            if st.button("Delete", icon=":material/delete:"):
                delete(store, list(picked.values()))
            if st.button("Clear selection", type="tertiary", icon=":material/close:"):
                attempt(lambda: choose([], list(picked)))
    for result, seen in found:
        if done and done[0] == result.id:
            _do(store, result, seen, done[1])


def _row(store: ResultStore, result: Result, seen: JobView[Any] | None, now: float) -> Row:
    page, said = address_of(result, seen)
    parts = parts_of(result, seen, now)
    absent = {_RESUME: not (seen and seen.can_resume), _STOP: not result.token}
    return Row(
        result.id,
        result.name,
        f"{PurePath(page).stem}?{urlencode(said)}",
        store.thumbnail(result),
        _ICONS[result.kind],
        [(parts["kind"], parts["when"]), (parts["found"], parts["model"]), (parts["shown"], "")],
        result.token is not None,
        [(what, label) for what, label in _MENU.items() if not absent.get(what)],
    )


def _do(store: ResultStore, result: Result, seen: JobView[Any] | None, what: str) -> None:
    """Perform an action of a result's menu."""
    if what == OPEN:
        page, said = address_of(result, seen)
        st.switch_page(page, query_params=said)
    elif what == _RESUME and seen:
        attempt(partial(resume, seen, result))
    elif what == _RENAME:
        rename(store, result)
    elif what == _SHARE:
        share(store, result)
    elif what == _STOP:
        attempt(lambda: store.revoke(result.id, result.owner))
    elif what == _DELETE:
        delete(store, [result])


def show_thumbnail(store: ResultStore, result: Result) -> None:
    """Show the thumbnail of a result, or the icon of its kind."""
    if thumbnail := store.thumbnail(result):
        st.image(thumbnail, width=44, alt="")
    else:
        st.markdown(f":material/{_ICONS[result.kind]}:", width=44)


def parts_of(result: Result, seen: JobView[Any] | None, now: float) -> dict[str, str]:
    """Return a result's entry in a list: its kind, what was found, the leading expressions, the time and the model.

    `seen` is its job, if it has one; `now` is in seconds since 1970.
    """
    state, figures = state_of(result, seen), result.figures
    if state == RUNNING:
        found = f"analyzing {seen.status.share:.0%}".replace("%", " %") if seen else "recording"
    elif result.kind in (PHOTO, FOLDER):
        found = f"{counted(figures.pictures, 'photo')}, " * bool(figures.pictures) + counted(figures.faces, "face")
    else:
        found = f"{clock(figures.seconds)}, {counted(figures.people, 'person', 'people')}"
    if state not in (RUNNING, COMPLETE):
        found = f"{found}, {state}" if figures.faces or figures.seconds else state
    return {
        "kind": NAMES[result.kind],
        "found": found,
        "shown": ", ".join(figures.dominant),
        "when": when(result.changed, now, st.context.timezone_offset),
        "model": result.model,
    }


def _show_empty(settings: Settings) -> None:
    st.info(
        "No results are kept. You can change this in the settings below."
        if settings.keep == NOTHING
        else "No results yet. Everything you analyze appears here. You can open, rename, share and export it.",
        icon=":material/history:",
    )
    with st.container(horizontal=True):
        for kind, page in zip(KINDS, ("photo", "folder", "video", "webcam"), strict=True):
            st.page_link(f"pages/{page}.py", label=NAMES[kind], icon=f":material/{_ICONS[kind]}:")


def _show_notices(store: ResultStore, owner: str) -> None:
    notices = store.notices(owner)
    if not notices:
        return
    lines = [f"{counted(count, _WHY[why][0])} {_WHY[why][1]}" for why, count in Counter(n.why for n in notices).items()]
    with st.container(border=True):
        st.markdown("  \n".join(f":material/auto_delete: {line}" for line in lines))
        with st.container(horizontal=True):
            with st.popover("Show names"):
                st.text("\n".join(notice.name for notice in notices))
            if st.button("Dismiss", icon=":material/check:"):
                attempt(lambda: store.dismiss(owner))


def _show_usage(store: ResultStore, owner: str, settings: Settings) -> None:
    usage = store.usage(owner)
    until = f"kept for {counted(settings.expiry_days, 'day')}" if settings.expiry_days else "no time limit"
    over = " · running results, and any larger than the limit, stay" * (usage.size_bytes > settings.limit_bytes)
    shared = " shared by all remote visitors; whoever uses most loses their oldest results first" * (owner != "")
    room = f"{size(usage.size_bytes)} of {size(settings.limit_bytes)}{shared}{over}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{counted(usage.count, 'result')} · {room} · {until}", width="content")
        change_settings(store, owner, "Change settings")


def change_settings(store: ResultStore, owner: str, label: str) -> None:
    """Let the machine's owner change what is kept; tell others who decides."""
    if owner:
        st.caption("Whoever runs the app decides what is kept.", width="content")
        return
    with st.popover(label, icon=":material/tune:", type="tertiary"):
        _ask_settings(store, store.settings)


def _ask_settings(store: ResultStore, settings: Settings) -> None:
    with st.form("results_settings", border=False):
        keep = st.radio("Keep", KEPT, KEPT.index(settings.keep), format_func=_KEPT_NAMES.__getitem__)
        limit = max(settings.limit_bytes / 1e9, _LEAST_GB)
        gigabytes = st.number_input("Storage limit in GB", _LEAST_GB, 10_000.0, limit, 1.0, format="%.1f")
        days = st.number_input(
            "Days to keep results (0: forever)",
            0,
            36_500,
            settings.expiry_days or 0,
            help="Counted from when the result was last analyzed.",
        )
        st.caption(
            "These settings apply to all visitors. A change to *Keep* affects new results only; the limits apply at "
            "once, and the oldest results are removed first. All remote visitors together have the same amount of "
            "storage again; when it is full, whoever uses most loses their oldest results first."
        )
        pressed = st.form_submit_button("Save", type="primary")

    def save() -> None:
        store.settings = Settings(keep, int(gigabytes * 1e9), days or None)
        offer_deletion(keep)

    if pressed:
        attempt(save)
