"""Who may train, delete and name paths on this machine: local visitors, and others only if the owner allows it."""

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from fer.errors import FerError
from fer.home import app_folder, data_folder, runs_folder
from fer.names import literal
from pages.parts.words import in_words

ALLOW_TRAINING_VARIABLE = "FER_ALLOW_TRAINING"
"""Environment variable or secret: 1 allows it for every visitor, 0 for nobody. If it is unset, see `may_train`."""
HOSTS_VARIABLE = "FER_HOSTS"
"""Environment variable or secret: the host names under which other machines reach the app, separated by commas."""
UPLOADS_VARIABLE, UPLOADS_MB = "FER_UPLOADS_MB", 4000
"""Environment variable or secret: the limit for all uploads together, in MB, in memory and again on disk."""
_PATH = re.compile(r"(?<![\w…/.])(?:[A-Za-z]:)?(?:[\\/][^\s\\/:'\"]+)+[\\/]([^\s\\/:'\"]+)")
"""A path; the first group is what follows the last separator."""
_FORWARDED = {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
_ADDRESS = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)


def is_own_page(headers: Mapping[str, str], hosts: str | None) -> bool:
    """Return whether a request comes from a page of this app, not from another site open in the same browser.

    Browsers send the requesting page (Origin) and the name they know this server by (Host). Both must be equal,
    including the port. A site that points its own name at this machine (DNS rebinding) makes them equal, so the name
    must also be known.

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
    """Return whether this visitor may train, delete and name paths on this machine.

    A request from another site never may, see `is_own_page`. If the owner has set nothing, only local visitors may.
    Each of four signs marks a visitor as remote: the connection comes from another machine, the browser's address is
    not a local one, the request asked for another host (which also stops sites that point their name at 127.0.0.1), or
    a proxy forwarded it. A client can fake the last three, but not the first. Only a proxy on this machine that hides
    both the name and itself makes visitors look local; set the variable to 0 behind such a proxy.

    Args:
        setting: the value of `ALLOW_TRAINING_VARIABLE`; None or "" if the owner has set nothing.
        client: the address of the connection; None for this machine.
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
    """Return whether this visitor may train, delete and name paths on this machine."""
    setting, hosts = setting_of(ALLOW_TRAINING_VARIABLE), setting_of(HOSTS_VARIABLE)
    return may_train(setting, st.context.ip_address, st.context.url, st.context.headers.to_dict(), hosts)


def for_visitor(text: str) -> str:
    """Return an error message as Markdown, with this machine's paths shortened for remote visitors."""
    text = in_words(text)
    if training_allowed():
        return literal(text)
    for place in (data_folder().absolute(), runs_folder().absolute(), app_folder(), Path.cwd(), Path.home()):
        text = text.replace(f"{place}{os.sep}", "…/")
    return literal(_PATH.sub(r"…/\1", text))


def allowed_bytes() -> float:
    """Return the limit in bytes for the uploads of all visitors together; one visitor may use half of it.

    Raises:
        FerError: the setting is not a number above 0.
    """
    text = setting_of(UPLOADS_VARIABLE) or str(UPLOADS_MB)
    with suppress(ValueError):
        if 0 < (megabytes := float(text)) < math.inf:
            return 2**20 * megabytes
    raise FerError(f"expected a number of MB in {UPLOADS_VARIABLE}, such as {UPLOADS_MB}, got {text!r}. Change it.")


def refuse(what: str) -> None:
    """Say that this visitor may not do something.

    Args:
        what: the start of the sentence: "Inspecting data sets is".
    """
    st.info(
        f"{what} disabled for remote visitors. Whoever runs the app can allow it by setting "
        f"{ALLOW_TRAINING_VARIABLE}=1.",
        icon=":material/lock:",
    )


def setting_of(name: str) -> str | None:
    """Return a setting from the environment, or else from Streamlit's secrets."""
    value = os.environ.get(name)
    if value is None and st.secrets.load_if_toml_exists():
        value = st.secrets.get(name)
    return None if value is None else str(value)
