"""Signing in with an account, at a provider of OpenID Connect that knows everybody."""

import json
import re
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, Page, expect

from fer.results.store import ResultStore
from scripts.benchmarks.page import running_app
from tests.browser.acting import Handler, serving, settled

KEY = RSAKey.generate_key(2048, {"kid": "only", "use": "sig", "alg": "RS256"})
SECRETS = """[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "only for this test, 32 letters or more"
client_id = "studio"
client_secret = "secret"
server_metadata_url = "PROVIDER/.well-known/openid-configuration"
"""


class Provider(Handler):
    """Signs everybody in as Ada, without asking."""

    def do_GET(self) -> None:
        here, asked = f"http://{self.headers['Host']}", urlsplit(self.path)
        if asked.path == "/authorize":
            given = {name: values[0] for name, values in parse_qs(asked.query).items()}
            self.send_response(302)
            back = urlencode({"code": given["nonce"], "state": given["state"]})
            self.send_header("Location", f"{given['redirect_uri']}?{back}")
            self.end_headers()
        elif asked.path == "/keys":
            self.tell({"keys": [KEY.as_dict(private=False)]})
        else:
            ends = {"authorization_endpoint": f"{here}/authorize", "token_endpoint": f"{here}/token"}
            self.tell({"issuer": here, "jwks_uri": f"{here}/keys"} | ends)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        now = int(time.time())
        claims = {
            "iss": f"http://{self.headers['Host']}",
            "aud": "studio",
            "sub": "7",
            "email": "ada@example.org",
            "iat": now,
            "exp": now + 600,
            "nonce": sent["code"][0],
        }
        token = jwt.encode({"alg": "RS256", "kid": "only"}, claims, KEY)
        self.tell({"access_token": "any", "token_type": "Bearer", "id_token": token})

    def tell(self, content: object) -> None:
        self.answer(json.dumps(content), "application/json")


@pytest.fixture
def provider() -> Iterator[str]:
    with serving(Provider) as url:
        yield url


@pytest.mark.slow
def test_who_signs_in_sees_their_results_in_another_browser_too(
    browser: Browser, page: Page, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text(SECRETS.replace("PROVIDER", provider))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")  # nobody counts as the owner
    elsewhere = browser.new_context()
    account = sha256(f"account {provider} 7".encode()).hexdigest()
    assert ResultStore(tmp_path / "results").add(account, "webcam", "Standup")
    with running_app(tmp_path) as url:
        for seen in (page, elsewhere.new_page()):
            seen.goto(f"{url}/results")
            result = seen.get_by_role("link", name="Standup")
            sign_in = seen.get_by_role("button", name="Sign in")
            expect(sign_in).to_be_visible()
            settled(seen)
            expect(result).to_have_count(0)
            sign_in.click()
            expect(seen.get_by_role("button", name="Sign out")).to_be_visible()
            expect(seen.get_by_text(re.compile("ada.*example.org"))).to_be_visible()
            seen.goto(f"{url}/results")
            expect(result).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        page.goto(f"{url}/results")
        settled(page)
        expect(page.get_by_role("link", name="Standup")).to_have_count(0)
    elsewhere.close()
