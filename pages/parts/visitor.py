"""The owner of a visitor's results: the machine's owner, an account, or a browser."""

import re
import secrets
from hashlib import sha256

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.permissions import HOSTS_VARIABLE, may_train, setting_of, training_allowed
from pages.parts.session import session_id

COOKIE = "fer_visitor"
_AGE_SECONDS = 365 * 24 * 3600
_VALUE = re.compile(r"[\w-]{43}")
_IN_HEADER = re.compile(rf"(?:^|;\s*){COOKIE}=([\w-]{{43}})(?:;|$)")


def owner() -> str:
    """Return the owner of this visitor's results.

    "" stands for the owner of the machine. Others are identified by their account if `st.login` is set up, else by a
    random cookie, or by their session if the browser refuses cookies. Only a hash of these is stored, so the database
    gives no access to accounts or to other visitors' results. Without a visitor, as in a thread that makes a download,
    it is an owner who has no results.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return _hashed("nobody")
    context = st.context
    hosts, headers = setting_of(HOSTS_VARIABLE), context.headers.to_dict()
    if training_allowed() and may_train(None, context.ip_address, context.url, headers, hosts):
        return ""
    if st.user.get("is_logged_in"):
        return _hashed(f"account {st.user.get('iss')} {st.user.get('sub') or st.user.get('email')}")
    cookie = context.cookies.to_dict().get(COOKIE, "")
    return _hashed(f"cookie {cookie}" if _VALUE.fullmatch(cookie) else f"session {session_id()}")


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def cookie_of(headers: Headers) -> str:
    """Return the visitor's cookie in a request; "" if it has none."""
    there = _IN_HEADER.search(headers.get("cookie", ""))
    return there[1] if there else ""


def with_cookie(scope: Scope, send: Send) -> Send:
    """Return a `send` that adds a cookie to the response if a browser opens a page.

    An existing cookie keeps its value and is valid for another `_AGE_SECONDS`. Scripts cannot read it, and requests
    from other sites do not carry it, except when somebody follows a link.
    """
    headers = Headers(scope=scope)
    if "text/html" not in headers.get("accept", ""):
        return send
    value = cookie_of(headers) or secrets.token_urlsafe(32)
    is_secure = "https" in (scope["scheme"], headers.get("x-forwarded-proto", ""))

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append(
                "Set-Cookie",
                f"{COOKIE}={value}; Path=/; Max-Age={_AGE_SECONDS}; HttpOnly; SameSite=Lax" + "; Secure" * is_secure,
            )
        await send(message)

    return sent
