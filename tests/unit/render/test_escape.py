"""Strangers' text is legible: nothing invisible, nothing that moves, nothing endless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.escape import name, prose, quoted, quoted_pair, width

ANY = st.text(st.characters(), max_size=200)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana's phone", '"Ana\'s phone"'),
        ("Željko 電話 📱", '"Željko 電話 📱"'),
        ('say "hi" \\', '"say \\"hi\\" \\\\"'),
        ("\x1b[31m", '"\\x1b[31m"'),
        ("a\nb\tc", '"a\\nb\\tc"'),
        ("\x9b1m", '"\\x9b1m"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("a\u200bb\ufe0f\u00a0", '"a\\u200bb\\ufe0f\\xa0"'),
        ("\U000e0041", '"\\U000e0041"'),
        ("e\u0301", '"e\u0301"'),
        ("\u0301e", '"\\u0301e"'),
        ("e" + "\u0301" * 4, '"e\u0301\u0301\u0301\\u0301"'),
        ("", '""'),
        ("a" * 90, f'"{"a" * 80}"… (90 characters)'),
    ],
)
def test_a_quoted_text(text: str, expected: str) -> None:
    """What is plain stays; what cannot be seen is escaped; what is long is cut and says so."""
    assert expected == quoted(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8621824C-86B2", "8621824C-86B2"),
        ("devices/zg.yaml#people.ana", "devices/zg.yaml#people.ana"),
        ("tier: 1 -> 2", '"tier: 1 -> 2"'),
        ("", '""'),
        ("a\u200b", '"a\\u200b"'),
    ],
)
def test_a_name_stands_bare_only_when_it_is_plain(text: str, expected: str) -> None:
    """A key that looks like a change must not read like one."""
    assert expected == name(text)


def test_different_texts_look_different() -> None:
    """Two long values that differ far behind are cut where they part."""
    before, after = quoted_pair("x" * 3000 + "old", "x" * 3000 + "new")

    assert before == f'…"{"x" * 20}old" (3,003 characters)'
    assert after == f'…"{"x" * 20}new" (3,003 characters)'


@given(ANY)
def test_nothing_unseen_survives(text: str) -> None:
    """Whatever goes in, only printable characters come out."""
    for shown in (quoted(text), name(text), prose(text)):
        assert shown.isprintable()
        assert width(shown) <= 2 * len(shown)


@given(ANY, ANY)
def test_two_texts_never_look_alike(one: str, other: str) -> None:
    """Quoting is unambiguous: short texts look the same exactly when they are."""
    shown = quoted(one, 4000), quoted(other, 4000)

    assert (one == other) == (shown[0] == shown[1])


@given(st.text("ab", max_size=200), st.text("ab", max_size=200))
def test_a_pair_that_differs_shows_it(one: str, other: str) -> None:
    """However long two values are, a change of one into the other is visible."""
    shown = quoted_pair(one, other)

    assert (one == other) == (shown[0] == shown[1])
