"""Authorization: four schemes, two tell-tale words, tokens that expire."""

from __future__ import annotations

import base64

import pytest

from reconciler.sandbox.authorization import Authorization


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("App key", None),
        ("app key", None),
        (_basic("user:word"), None),
        ("IBSSO token", None),
        ("Bearer token", None),
        (None, 401),
        ("", 401),
        ("App", 401),
        ("App ", 401),
        ("Digest x", 401),
        ("Basic %%%", 401),
        (_basic("user"), 401),
        (_basic(":"), 401),
        ("App revoked-key", 401),
        (_basic("user:revoked"), 401),
        ("App forbidden-key", 403),
        ("Bearer sandbox-token-7", 401),
    ],
)
def test_credentials(header: str | None, status: int | None) -> None:
    """Each scheme passes with a credential; a wrong one is a 401, a powerless one a 403."""
    refusal = Authorization(60).refusal(header, 0.0)
    assert status == (None if refusal is None else refusal.status)


def test_an_issued_token_expires() -> None:
    """A token is good for as long as it says, and not a moment longer."""
    authorization = Authorization(60)
    form = b"grant_type=client_credentials&client_id=me&client_secret=word"
    body = authorization.issue(form, 100.0).body
    assert isinstance(body, dict)
    assert (60, "Bearer") == (body["expires_in"], body["token_type"])
    header = f"Bearer {body['access_token']}"
    assert authorization.refusal(header, 159.0) is None
    assert authorization.refusal(header, 160.0) is not None


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"grant_type=password&client_id=me&client_secret=word", 400),
        (b"grant_type=client_credentials&client_id=me", 401),
        (b"grant_type=client_credentials&client_id=me&client_secret=revoked", 401),
    ],
)
def test_a_token_is_refused(form: bytes, status: int) -> None:
    """Another grant or no form is a 400, wrong client credentials are a 401."""
    assert status == Authorization(60).issue(form, 0.0).status
