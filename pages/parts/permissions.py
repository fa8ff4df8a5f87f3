"""Who may train, delete and name paths of this machine: whoever sits at it, and others only if its owner says so."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from fer.home import app_folder, data_folder, runs_folder
from fer.names import literal

ALLOW_TRAINING_VARIABLE = "FER_ALLOW_TRAINING"
"""Environment variable, or secret: 1 allows it to everybody who opens the app, 0 to nobody. Unset: see `may_train`."""
HOSTS_VARIABLE = "FER_HOSTS"
"""Environment variable, or secret: the names by which other machines reach the app, with commas between them."""
UPLOADS_VARIABLE, UPLOADS_MB = "FER_UPLOADS_MB", 4000
"""Environment variable, or secret: how much visitors may have uploaded at a time, in memory and as much on the disk."""
_PATH = re.compile(r"(?<![\w…/.])(?:[A-Za-z]:)?(?:[\\/][^\s\\/:'\"]+)+[\\/]([^\s\\/:'\"]+)")
"""Of a machine; what is behind the last separator is called the first group."""
_FORWARDED = {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
_ADDRESS = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)


def is_own_page(headers: Mapping[str, str], hosts: str | None) -> bool:
    """Whether a request comes from a page of this app, and not from another one that is open in the same browser.

    Browsers say which page asks (Origin) and whom they take us for (Host). The two must be equal, port and all. A page
    that points its own name at this machine (DNS rebinding) makes them equal, too: so the name must be known.

    Args:
        headers: of the request; without an Origin only the name counts.
        hosts: the value of `HOSTS_VARIABLE`: "studio.example.org, 192.168.0.7:8501".
    """
    names = {name.lower(): value for name, value in headers.items()}
    host = names.get("host", "localhost")
    address = _ADDRESS.fullmatch(host)
    if address is None or names.get("origin", f"http://{host}").partition("://")[2] != host:
        return False
    known = {entry.strip() for entry in (hosts or "").split(",")}
    return host in known or address[1] in known or _is_this_machine(address[1].strip("[]"))


def may_train(
    setting: str | None, client: str | None, url: str | None, headers: Mapping[str, str], hosts: str | None = None
) -> bool:
    """Whether this visitor may train, delete and name paths of this machine.

    Nobody may through a page that is not ours, see `is_own_page`.
    Where the owner has said nothing, only visitors from this machine may. Each of four signs alone rules that out: the
    connection comes from another machine, the browser's address is not one of this machine, the request asked for
    another host (which also foils pages that point their own name at 127.0.0.1), or a proxy has passed it on. The last
    three are the client's word, but no lie makes the first one true. Only a proxy on this machine that hides both the
    name and that it is one looks like a visitor from here; who runs such a one sets the variable to 0.

    Args:
        setting: the value of `ALLOW_TRAINING_VARIABLE`; None or "" if the owner has said nothing.
        client: the address that the connection comes from; None for this machine.
        url: the address that the browser shows.
        headers: of the request.
        hosts: the value of `HOSTS_VARIABLE`.
    """
    if not is_own_page(headers, hosts):
        return False
    if setting:
        return setting.strip().lower() in ("1", "true", "yes", "on")
    names = {name.lower(): value for name, value in headers.items()}
    asked = [urlsplit(url).hostname if url else "localhost", urlsplit(f"//{names.get('host', 'localhost')}").hostname]
    return (
        _is_this_machine(client or "localhost") and all(map(_is_this_machine, asked)) and not names.keys() & _FORWARDED
    )


def _is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def training_allowed() -> bool:
    """Whether this visitor may train, delete and name paths of this machine."""
    setting, hosts = setting_of(ALLOW_TRAINING_VARIABLE), setting_of(HOSTS_VARIABLE)
    return may_train(setting, st.context.ip_address, st.context.url, st.context.headers.to_dict(), hosts)


def for_visitor(text: str) -> str:
    """Return what went wrong, as Markdown; where things lie on this machine is said to those who sit at it."""
    if training_allowed():
        return literal(text)
    for place in (data_folder().absolute(), runs_folder().absolute(), app_folder(), Path.cwd(), Path.home()):
        text = text.replace(f"{place}{os.sep}", "…/")
    return literal(_PATH.sub(r"…/\1", text))


def allowed_bytes() -> float:
    """Return how much all visitors together may have uploaded at a time; each of them may half of it."""
    return 2**20 * float(setting_of(UPLOADS_VARIABLE) or UPLOADS_MB)


def refuse(what: str) -> None:
    """Say that this visitor may not do something.

    Args:
        what: begins the sentence: "Looking at data sets is".
    """
    st.info(
        f"{what} switched off for visitors from other machines. Whoever runs the app allows it with "
        f"{ALLOW_TRAINING_VARIABLE}=1 in its environment.",
        icon=":material/lock:",
    )


def setting_of(name: str) -> str | None:
    """Return what the owner of the app has set, in the environment or else in the secrets."""
    value = os.environ.get(name)
    if value is None and st.secrets.load_if_toml_exists():
        value = st.secrets.get(name)
    return None if value is None else str(value)
