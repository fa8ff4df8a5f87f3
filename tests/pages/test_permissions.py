"""Who may train."""

import pytest

from fer.errors import FerError
from pages.parts.permissions import UPLOADS_VARIABLE, allowed_bytes, may_train

HERE = {"Host": "localhost:8501"}


@pytest.mark.parametrize("url", ["http://localhost:8501/training", "http://127.0.0.1:8501", "http://[::1]:8501", None])
@pytest.mark.parametrize("client", [None, "127.0.0.1", "::1"])
def test_local_visitors_may(client: str | None, url: str | None) -> None:
    assert may_train(None, client, url, HERE)
    assert may_train("", client, url, {})
    assert not may_train("0", client, url, HERE)


@pytest.mark.parametrize(
    ("client", "url", "headers"),
    [
        ("192.168.0.7", "http://localhost:8501", HERE),  # a forged address does not help
        (None, "http://studio.example.org", HERE),
        (None, "http://localhost:8501", {"host": "studio.example.org"}),  # another name that points here
        (None, "http://localhost.example.org", HERE),
        (None, "http://localhost:8501", {**HERE, "X-Forwarded-For": "127.0.0.1"}),
        (None, "http://localhost:8501", {**HERE, "forwarded": "for=10.0.0.1"}),
        ("not an address", "http://localhost:8501", HERE),
    ],
)
def test_others_may_only_if_the_owner_allows_it(client: str | None, url: str, headers: dict[str, str]) -> None:
    assert not may_train(None, client, url, headers)
    assert may_train("1", client, url, headers, "studio.example.org")
    assert not may_train("no", client, url, headers)


@pytest.mark.parametrize("setting", [None, "1"])
@pytest.mark.parametrize(
    ("headers", "hosts"),
    [
        ({**HERE, "Origin": "http://localhost:3000"}, None),  # another page on this machine
        ({**HERE, "Origin": "http://127.0.0.1:8501"}, None),
        ({**HERE, "origin": "null"}, None),
        ({"Host": "evil.example:8501", "Origin": "http://evil.example:8501"}, "studio.example.org"),
        ({"Host": "evil.example"}, None),
        ({"Host": "me@localhost:8501"}, None),
    ],
)
def test_nobody_may_through_another_page(setting: str | None, headers: dict[str, str], hosts: str | None) -> None:
    assert not may_train(setting, None, "http://localhost:8501", headers, hosts)
    assert may_train(setting, None, "http://localhost:8501", {**HERE, "Origin": "http://localhost:8501"}, hosts)


@pytest.mark.parametrize("text", ["4 GB", "-1", "0", "nan", "inf", "4000,5"])
def test_a_limit_that_is_no_number_is_said(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UPLOADS_VARIABLE, text)
    with pytest.raises(FerError, match=UPLOADS_VARIABLE) as refused:
        allowed_bytes()
    assert text in str(refused.value)
    monkeypatch.setenv(UPLOADS_VARIABLE, "1.5")
    assert allowed_bytes() == 1.5 * 2**20
