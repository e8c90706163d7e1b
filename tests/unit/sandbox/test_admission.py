"""Admission: four schemes, two tell-tale words, tokens that expire; requests a second."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.platform.operations import DEFAULT_LIMITS, Operation
from reconciler.sandbox.admission import Authorization, Limits


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


@given(gaps=st.lists(st.sampled_from([0.0, 0.05, 0.25, 0.5, 1.0]), max_size=40))
def test_any_window_of_one_second_is_within_the_limit(gaps: list[float]) -> None:
    """At most three requests in any one second; the fourth is refused and not counted."""
    limits = Limits({**DEFAULT_LIMITS, Operation.GET: 3})
    now, admitted = 0.0, []
    for gap in gaps:
        now += gap
        expected = sum(1 for earlier in admitted if earlier > now - 1) < 3
        assert expected == limits.admits(Operation.GET, now)
        if expected:
            admitted.append(now)


def test_operations_are_counted_apart() -> None:
    """One operation at its limit takes nothing from another."""
    limits = Limits(DEFAULT_LIMITS)
    assert [True] * 5 + [False] == [limits.admits(Operation.PERSONS, 0.5) for _ in range(6)]
    assert all(limits.admits(Operation.GET, 0.5) for _ in range(50))


def test_without_limits_everything_is_admitted() -> None:
    """None means no limits at all."""
    limits = Limits(None)
    assert all(limits.admits(Operation.PERSONS, 0.0) for _ in range(1000))
