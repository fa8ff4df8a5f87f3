"""WebRTC connections: STUN and TURN servers from the settings, and a track that drops repeated frames."""

import json
from typing import Any

import streamlit as st
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from fer.errors import ConnectionSettingsError
from fer.names import literal
from pages.parts.permissions import setting_of

ICE_SERVERS_VARIABLE = "FER_ICE_SERVERS"
"""Environment variable, or key in `.streamlit/secrets.toml`, with the servers as JSON."""
EXAMPLE = '[{"urls": "turn:turn.example.org:3478", "username": "…", "credential": "…"}]'
_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


def read_ice_servers(text: str | None) -> list[dict[str, Any]]:
    """Read a list of STUN and TURN servers, as browsers expect it (RTCIceServer, W3C WebRTC 1.0).

    Args:
        text: JSON, a list of objects with `urls` (a string or a list) and, for TURN, `username` and `credential`. None
            or "" means no servers, which is right if browser and app share a machine or a network; then no outside
            server is contacted.

    Raises:
        ConnectionSettingsError: the text is not such a list.
    """
    if not text or not text.strip():
        return []
    expected = f"expected {ICE_SERVERS_VARIABLE} to be JSON such as {EXAMPLE}"
    try:
        servers = json.loads(text)
    except ValueError as error:
        raise ConnectionSettingsError(f"{expected}, found invalid JSON: {error}.") from error
    if not isinstance(servers, list):
        raise ConnectionSettingsError(f"{expected}, found {type(servers).__name__} instead of a list.")
    for number, server in enumerate(servers, start=1):
        urls = server.get("urls") if isinstance(server, dict) else None
        urls = [urls] if isinstance(urls, str) else urls
        if not (isinstance(urls, list) and urls and all(isinstance(u, str) and u.startswith(_SCHEMES) for u in urls)):
            raise ConnectionSettingsError(
                f"{expected}; server {number} has no urls that start with {', '.join(_SCHEMES)}."
            )
        if any(url.startswith("turn") for url in urls) and not (server.get("username") and server.get("credential")):
            raise ConnectionSettingsError(
                f"{expected}; server {number} is a TURN server and needs username and credential."
            )
    return servers


def ice_servers() -> list[dict[str, Any]]:
    """Return the servers for WebRTC, or show the error and end the page."""
    try:
        return read_ice_servers(setting_of(ICE_SERVERS_VARIABLE))
    except ConnectionSettingsError as error:
        st.error(literal(str(error)), icon=":material/lan:")
        st.stop()


class NewFrames(MediaStreamTrack):
    """A track that drops frames identical to the previous one."""

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self.kind = source.kind
        self._source = source
        self._last: Any = None

    async def recv(self) -> Any:
        frame = self._last
        try:
            while frame is self._last:
                frame = await self._source.recv()
        except MediaStreamError:
            self.stop()
            raise
        self._last = frame
        return frame

    def stop(self) -> None:
        super().stop()
        self._source.stop()
