"""Which results a visitor sees."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message

from pages.parts import visitor
from pages.parts.visitor import COOKIE, owner, with_cookie

VALUE = "a" * 43


def cookies_of(scheme: str = "http", **headers: str) -> list[str]:
    """Return the cookies that a browser with these headers gets."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    answer = {"type": "http.response.start", "status": 200, "headers": []}
    asyncio.run(with_cookie({"type": "http", "scheme": scheme, "headers": given}, send)(answer))  # type: ignore[arg-type]
    return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]


def test_a_browser_that_opens_a_page_gets_one_cookie() -> None:
    (one,) = cookies_of(accept="text/html,*/*")
    (other,) = cookies_of(accept="text/html")
    assert one.startswith(f"{COOKIE}=") and one != other
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(one.split("; ")) and "Secure" not in one
    (renewed,) = cookies_of(accept="text/html", cookie=f"a=b; {COOKIE}={VALUE}")
    assert renewed == one.replace(one.partition(";")[0], f"{COOKIE}={VALUE}") and "Max-Age" in renewed
    (anew,) = cookies_of(accept="text/html", cookie=f"{COOKIE}=short")
    assert f"{COOKIE}=short" not in anew
    assert cookies_of(accept="*/*") == [], "scripts and pictures bring none"


@pytest.mark.parametrize("how", [{"scheme": "https"}, {"x_forwarded_proto": "https"}])
def test_under_https_the_cookie_stays_there(how: dict[str, str]) -> None:
    (cookie,) = cookies_of(accept="text/html", **how)
    assert "Secure" in cookie.split("; ")


def whose(monkeypatch: pytest.MonkeyPatch, address: str, user: dict[str, Any] | None = None, **cookies: str) -> str:
    """Return the owner for a visitor with an address, an account and cookies."""
    context = SimpleNamespace(
        ip_address=address,
        url=None,
        headers=SimpleNamespace(to_dict=dict),
        cookies=SimpleNamespace(to_dict=lambda: cookies),
    )
    monkeypatch.setattr(visitor, "st", SimpleNamespace(context=context, user=user or {}))
    monkeypatch.setattr(visitor, "training_allowed", lambda: True)
    monkeypatch.setattr(visitor, "session_id", lambda: "session")
    monkeypatch.setattr(visitor, "get_script_run_ctx", lambda **_: context)
    return owner()


def test_without_a_request_nothing_is_the_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    assert owner() not in ("", whose(monkeypatch, "127.0.0.1"))


def test_a_local_visitor_is_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    account = {"is_logged_in": True, "iss": "them", "sub": "1"}
    assert whose(monkeypatch, "127.0.0.1", account, fer_visitor=VALUE) == ""
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    assert whose(monkeypatch, "192.168.0.7", fer_visitor=VALUE) != "", "who may train owns no results by that"


def test_others_are_identified_by_account_then_cookie_then_session(monkeypatch: pytest.MonkeyPatch) -> None:
    far = "192.168.0.7"
    account = {"is_logged_in": True, "iss": "them", "sub": "1"}
    by_account = whose(monkeypatch, far, account)
    assert by_account == whose(monkeypatch, far, account, fer_visitor=VALUE)
    by_cookie = whose(monkeypatch, far, {"is_logged_in": False}, fer_visitor=VALUE)
    assert by_cookie == whose(monkeypatch, "10.0.0.1", fer_visitor=VALUE)
    by_session = whose(monkeypatch, far)
    assert by_session == whose(monkeypatch, far, fer_visitor="forged")
    others = whose(monkeypatch, far, fer_visitor="b" * 43), whose(monkeypatch, far, account | {"sub": "2"})
    assert len({"", by_account, by_cookie, by_session, *others}) == 6
    assert VALUE not in by_cookie
