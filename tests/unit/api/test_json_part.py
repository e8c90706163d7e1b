"""Any JSON is taken apart: escapes of whole characters stay, halves are carried as they came."""

from __future__ import annotations

import json

import pytest

from reconciler.api.json_part import whole
from reconciler.core.opaque import Opaque


@pytest.mark.parametrize(
    "text",
    [
        r"\ud83d\ude00",
        r"a\ud83d\ude00b\uD83D\uDE00",
        r"\\ud83d",
        r"\\\\ud800",
        r"\u0041\n\\u",
        "plain",
    ],
)
def test_a_whole_text_is_that_text(text: str) -> None:
    """A pair is one character, and what stands behind an escaped backslash is no escape."""
    document = f'{{"a": "{text}"}}'
    members = whole(document.encode()).members()

    assert members is not None
    assert json.loads(document)["a"] == members["a"].value()


@pytest.mark.parametrize(
    "text",
    [
        r"\ud800",
        r"\udc00",
        r"\ude00\ud83d",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\ude00\ude00",
        r"\\ud83d\ude00",
        r"\\\ud83d",
        r"\ud83dA",
    ],
)
def test_half_of_a_character_costs_only_itself(text: str) -> None:
    """Wherever it stands among pairs and backslashes; it goes out again as it came."""
    members = whole(f'{{"odd": "{text}", "other": 1}}'.encode()).members()

    assert members is not None
    odd = members["odd"].value()
    assert isinstance(odd, Opaque)
    assert json.loads(f'"{text}"') == json.loads(odd.json)
    assert (None, 1) == (members["odd"].text_value(), members["other"].value())
