"""The list of results: search, choose, rename, share, delete, export; how much room they take, and until when."""

import time
from collections import Counter
from functools import partial

import streamlit as st

from fer.names import literal
from fer.reports.rendering import render
from fer.results.result import (
    DAMAGED,
    FOLDER,
    KEPT,
    KINDS,
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
from pages.parts.kept_jobs import as_it_stands, resume
from pages.parts.result_actions import delete, export_of, rename, share
from pages.parts.results import JOBS, KEPT_NOTES, NAMES, address_of, job_of, state_of, when
from pages.parts.session import attempt, errors_shown
from pages.parts.widgets import clock, counted

ROWS_AT_ONCE = 25
_LEAST_GB = 0.1
_ICONS = dict(zip(KINDS, ("photo_camera", "photo_library", "movie", "videocam"), strict=True))
_KEPT_NAMES = {
    PICTURES: "Results and pictures, annotated ones, too",
    RESULTS: "Results with small thumbnails of the faces",
    NOTHING: "Nothing",
}
_WHY = {
    TOO_OLD: "as they had become too old",
    NO_ROOM: "as there was no room for them any more",
    DAMAGED: "set aside, as the database could not be read: look into the folder damaged-… beside it",
}
_ROW_STYLE = """<style>
[class*="st-key-row"] { border-bottom: 1px solid rgba(128, 128, 128, .25); padding: .4rem 0; }
[class*="st-key-row"] > :nth-child(4) { flex: 1 1 0 !important; min-width: 0; }
[class*="st-key-row"] [data-testid="stPageLink-NavLink"] { background: none; padding: .25rem 0; }
[class*="st-key-row"] [data-testid="stPageLink-NavLink"] * { font-weight: 600; }
[class*="st-key-row"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-row"] [data-testid="stPageLink-NavLink"]:hover { text-decoration: underline; }
@media (max-width: 640px) {
  [class*="st-key-row"] { row-gap: .3rem; }
  [class*="st-key-row"] > :nth-child(3) { flex: 1 1 10rem !important; min-width: 0; }
  [class*="st-key-row"] > :nth-child(4) { order: 6; flex: 1 1 100% !important; }
}
</style>"""
"""A line below each result; on a phone what is said of it stands below its name."""
_OPEN, _RESUME, _RENAME, _SHARE, _DELETE = "Open", "Resume", "Rename", "Link for others", "Delete"
_MENU = {
    _OPEN: ":material/visibility: Open",
    _RESUME: ":material/play_arrow: Resume",
    _RENAME: ":material/edit: Rename",
    _SHARE: ":material/link: Link for others",
    _DELETE: ":material/delete: Delete",
}


def show_list(store: ResultStore, owner: str) -> None:
    """Show somebody's results, a page of them at once."""
    settings = store.settings
    st.caption(f"What was recognized{' on this machine' * (not owner)}. {KEPT_NOTES[settings.keep]}")
    _show_notices(store, owner)
    if not store.usage(owner).count:
        _show_empty(settings)
    else:
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left:
            query = st.text_input(
                "Search",
                type="search",
                placeholder="Search names, people, expressions",
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
            _show_page(store, owner, query, tuple(wanted or KINDS), number)
    _show_usage(store, owner, settings)


def _show_page(store: ResultStore, owner: str, query: str, kinds: tuple[str, ...], number: int) -> None:
    found = store.list(owner, query, kinds, ROWS_AT_ONCE, (number - 1) * ROWS_AT_ONCE)
    if not found.results:
        st.info("Nothing is like that.", icon=":material/filter_alt_off:")
        return
    going = any(seen and seen.active for seen in map(job_of, found.results))
    st.fragment(_show_rows, run_every=2.0 if going else None)(store, found.results)


def _show_rows(store: ResultStore, results: tuple[Result, ...]) -> None:
    now = time.time()
    with errors_shown():
        results = tuple(as_it_stands(store, result) for result in results if store.get(result.id, result.owner))
    st.html(_ROW_STYLE)
    with st.container(gap=None):
        chosen = [result for result in results if _show_row(store, result, now)]
    if chosen:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{counted(len(chosen), 'result')} chosen**", width="content")
            st.download_button(
                "Export (ZIP)",
                export_of(store, chosen),
                "results.zip",
                "application/zip",
                icon=":material/download:",
                on_click="ignore",
            )
            if st.button("Delete", icon=":material/delete:"):
                delete(store, chosen)


def _show_row(store: ResultStore, result: Result, now: float) -> bool:
    """Show a result in a line, do what its menu says, and return whether it is chosen."""
    name = literal(result.name)
    page, said = address_of(result)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row {result.id}"):
        is_chosen = st.checkbox(f"Choose {name}", key=f"choose {result.id}", label_visibility="collapsed")
        show_thumbnail(store, result)
        st.page_link(page, label=name, query_params=said, width=240)
        st.html(render("result.html", **parts_of(result, now)), width="stretch")
        seen = job_of(result)
        offered = [one for one in _MENU if one != _RESUME or (seen and seen.can_resume)]
        done = st.menu_button(
            ":material/more_horiz:", offered, format_func=_MENU.__getitem__, type="tertiary",
            key=f"menu {result.id}",
        )  # fmt: skip
    if done == _OPEN:
        st.switch_page(page, query_params=said)
    elif done == _RESUME and seen:
        attempt(partial(resume, seen, result))
    elif done == _RENAME:
        rename(store, result)
    elif done == _SHARE:
        share(store, result)
    elif done == _DELETE:
        delete(store, [result])
    return is_chosen


def show_thumbnail(store: ResultStore, result: Result) -> None:
    """Show the face that stands for a result, or the icon of its kind."""
    if thumbnail := store.thumbnail(result):
        st.image(thumbnail, width=44, alt="")
    else:
        st.markdown(f":material/{_ICONS[result.kind]}:", width=44)


def parts_of(result: Result, now: float) -> dict[str, str]:
    """Return what a list says of a result: its kind, how much was found, what was shown most, when, which model."""
    seen = job_of(result) if result.kind in JOBS else None
    state, figures = state_of(result, seen), result.figures
    if state == RUNNING:
        found = f"analysing {seen.status.share:.0%}".replace("%", " %") if seen else "recording"
    elif result.kind in (PHOTO, FOLDER):
        found = f"{counted(figures.pictures, 'photo')}, " * bool(figures.pictures) + counted(figures.faces, "face")
    else:
        found = f"{clock(figures.seconds)}, {counted(figures.people, 'person', 'people')}"
    if state not in (RUNNING, "complete"):
        found = f"{found}, interrupted"
    return {
        "kind": NAMES[result.kind],
        "found": found,
        "shown": ", ".join(figures.dominant),
        "when": when(result.changed, now, st.context.timezone_offset),
        "model": result.model,
    }


def _show_empty(settings: Settings) -> None:
    st.info(
        "Nothing is kept, as the settings below say."
        if settings.keep == NOTHING
        else "Nothing here yet. What you analyse appears here, and can be opened again, renamed, shared and exported.",
        icon=":material/history:",
    )
    with st.container(horizontal=True):
        for kind, page in zip(KINDS, ("photo", "folder", "video", "webcam"), strict=True):
            st.page_link(f"pages/{page}.py", label=NAMES[kind], icon=f":material/{_ICONS[kind]}:")


def _show_notices(store: ResultStore, owner: str) -> None:
    notices = store.notices(owner)
    if not notices:
        return
    lines = [f"{counted(count, 'result')} went, {_WHY[why]}." for why, count in Counter(n.why for n in notices).items()]
    with st.container(border=True):
        st.markdown("  \n".join(f":material/auto_delete: {line}" for line in lines))
        with st.container(horizontal=True):
            with st.popover("Which"):
                st.text("\n".join(notice.name for notice in notices))
            if st.button("Dismiss", icon=":material/check:"):
                attempt(lambda: store.dismiss(owner))


def _show_usage(store: ResultStore, owner: str, settings: Settings) -> None:
    usage = store.usage(owner)
    until = f"oldest go first after {settings.expiry_days} days" if settings.expiry_days else "without a time limit"
    over = " · what alone is larger, or goes on, stays" * (usage.size_bytes > settings.limit_bytes)
    room = f"{size(usage.size_bytes)} of {size(settings.limit_bytes)}{over}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{counted(usage.count, 'result')} · {room} · {until}", width="content")
        if owner == "":
            with st.popover("What is kept", icon=":material/tune:", type="tertiary"):
                _ask_settings(store, settings)


def _ask_settings(store: ResultStore, settings: Settings) -> None:
    with st.form("results_settings", border=False):
        keep = st.radio("Keep", KEPT, KEPT.index(settings.keep), format_func=_KEPT_NAMES.__getitem__)
        limit = max(settings.limit_bytes / 1e9, _LEAST_GB)
        gigabytes = st.number_input("At most, in GB", _LEAST_GB, 10_000.0, limit, 1.0, format="%.1f")
        days = st.number_input(
            "For so many days; 0: without a limit", 0, 36_500, settings.expiry_days or 0, help="Counted from when "
            "something was last found."
        )  # fmt: skip
        st.caption(
            "It holds for all who use this app: what to keep, for what is analysed from now on; the limit and the "
            "days, at once for all that is there. The oldest go first."
        )
        if st.form_submit_button("Save", type="primary"):
            attempt(lambda: setattr(store, "settings", Settings(keep, int(gigabytes * 1e9), days or None)))


def size(count: float) -> str:
    """Say a number of bytes as people do: "12 MB", "5 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1000:.0f} kB"
