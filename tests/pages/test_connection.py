"""WebRTC servers as set in the environment."""

import json

import pytest

from fer.errors import ConnectionSettingsError
from pages.parts.connection import EXAMPLE, ICE_SERVERS_VARIABLE, read_ice_servers

STUN = {"urls": "stun:stun.example.org:3478"}
TURN = {
    "urls": ["turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp"],
    "username": "fer",
    "credential": "secret",
}


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_without_settings_no_external_server_is_used(text: str | None) -> None:
    assert read_ice_servers(text) == []


@pytest.mark.parametrize(
    "servers", [[], [STUN], [TURN], [STUN, TURN], [{"urls": ["stuns:a.example", "stun:b.example"]}]]
)
def test_servers_are_returned_as_browsers_expect_them(servers: list[dict[str, object]]) -> None:
    assert read_ice_servers(json.dumps(servers)) == servers


def test_the_example_of_the_messages_is_valid() -> None:
    (server,) = read_ice_servers(EXAMPLE)
    assert server.keys() == {"urls", "username", "credential"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stun:stun.example.org", "JSON"),
        ('[{"urls": ', "JSON"),
        (json.dumps(STUN), "list"),
        ('"stun:stun.example.org"', "list"),
        ("null", "list"),
        ('["stun:stun.example.org"]', "server 1"),
        ("[{}]", "server 1"),
        ('[{"urls": []}]', "server 1"),
        ('[{"urls": [3478]}]', "server 1"),
        (json.dumps([STUN, {"urls": "https://stun.example.org"}]), "server 2"),
        (json.dumps([{"urls": ["stun:a.example", "example.org"]}]), "server 1"),
        (json.dumps([STUN, {**TURN, "username": ""}]), "server 2.*TURN"),
        ('[{"urls": "turns:turn.example.org", "username": "fer"}]', "server 1.*TURN"),
    ],
)
def test_each_mistake_is_reported(text: str, problem: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=problem) as caught:
        read_ice_servers(text)
    assert ICE_SERVERS_VARIABLE in str(caught.value)
    assert EXAMPLE in str(caught.value)


def test_no_message_repeats_a_password() -> None:
    for text in (
        json.dumps([{**TURN, "urls": "http://a.example"}]),
        '[{"credential": "secret"',
        '{"credential": "secret"}',
    ):
        with pytest.raises(ConnectionSettingsError) as caught:
            read_ice_servers(text)
        assert "secret" not in str(caught.value)
