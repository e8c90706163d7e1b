"""Digests: a quick encoder changes no byte of what plans and records already hold."""

from __future__ import annotations

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.digest import Digester, canonical_json
from reconciler.core.identity import IdentityKind
from reconciler.core.secret import Secret

TEXTS = st.text() | st.sampled_from(
    ["", '"', "\\", "/", "\x00", "\x1f", "\x7f", "\x80", "\u2028", "\ufffd", "\U0001f600", "é\n\t"]
)
NUMBERS = (
    st.integers()
    | st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1.0, -0.0, 1e16, 1e22, 1e-7, 5e-324, 0.1])
)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | NUMBERS | st.sampled_from(IdentityKind),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(TEXTS, inner, max_size=6)
    ),
)


def _by_value(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _by_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_by_value(item) for item in value]
    return value


def _written_out(value: object) -> bytes:
    """Encode as the standard library does: this is what canonical JSON is defined by."""
    return json.dumps(
        _by_value(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


@given(VALUES)
def test_canonical_json_is_that_of_the_standard_library(value: object) -> None:
    """Whichever encoder writes a value, the bytes are the same."""
    assert _written_out(value) == canonical_json(value)


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=2))
def test_keys_stand_in_the_order_of_their_characters(value: dict[str, int]) -> None:
    """Beyond the basic plane too, where UTF-16 would have another order."""
    assert sorted(value) == list(json.loads(canonical_json(value)))


def test_whole_floats_are_the_integers_that_they_equal() -> None:
    assert canonical_json({"n": 1}) == canonical_json({"n": 1.0}) == b'{"n":1}'


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, ["\udfff"]])
def test_what_is_no_text_has_no_canonical_form(value: object) -> None:
    with pytest.raises(UnicodeEncodeError):
        canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_what_is_no_number_has_no_canonical_form(value: object) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(value)


@given(st.binary(max_size=80), st.text(max_size=10), VALUES)
def test_a_digest_is_the_hmac_of_purpose_and_value(key: bytes, purpose: str, value: object) -> None:
    """The first 128 bits of it; asked for twice, it is the same."""
    message = purpose.encode() + b"\0" + _written_out(value)
    expected = hmac.digest(key, message, "sha256")[:16].hex()
    digester = Digester(Secret(key))
    assert expected == digester.of(purpose, value) == digester.of(purpose, value)
