"""A comment on a pull request: short enough whatever a plan holds, and nothing but what we mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.core.fields import data_path
from reconciler.core.report import Outcome, Report, Row
from reconciler.plan.drift import MovedDevice, MovedField
from reconciler.plan.model import Action, Plan, Risk
from reconciler.render import drift, markdown
from reconciler.render import report_markdown as outcome
from reconciler.render.gfm import LIMIT
from tests import plans

from .test_drift import document

# What GitHub understands beside the standard; links without markup are looked for by their looks.
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKS = "`|<>*_[]()!:/.\\&~$%-#@+={}\"'1ab \n\t\r"
HOSTILE = st.one_of(
    st.text(st.characters(), max_size=80),
    st.text(st.sampled_from(MARKS), max_size=200),
    st.sampled_from(plans.HOSTILE),
    st.sampled_from(
        [
            "</details>",
            "<!--",
            "-->",
            "- [x] done",
            "```\n",
            "![a](b)",
            "@me",
            "#1",
            "GH-1",
            "|a|b|",
            "1. first",
            "2) second",
        ]
    ),
)
TEXTS = st.lists(HOSTILE, min_size=1, max_size=3)
OURS = re.compile(
    r"(<!-- reconciler:(plan|apply|drift) -->"
    r"|<details( open)?><summary>[\w ,;:()-]+</summary>|</details>)\n?"
)
PLAIN = {
    *{"paragraph", "heading", "inline", "text", "code_inline", "strong", "softbreak", "hardbreak"},
    *{"table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item"},
}


def tokens(shown: str) -> Iterator[Token]:
    for token in GITHUB.parse(shown):
        yield token
        yield from token.children or ()


def foreign(shown: str) -> list[str]:
    """What a comment holds beside tables, lists, code and our own folds."""
    found: list[str] = []
    for token in tokens(shown):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind == "html_inline" and token.content in ("<sub>", "</sub>"):
            continue
        if kind == "html_block" and OURS.fullmatch(token.content):
            continue
        if kind not in PLAIN:
            found.append(f"{token.type}: {token.content}")
    return found


@settings(max_examples=60)
@given(TEXTS, st.sampled_from([0, None]))
def test_nothing_of_a_stranger_is_markup(texts: list[str], fold: int | None) -> None:
    """Read as GitHub reads it, a comment holds no element that a harmless plan has not."""
    assert foreign(markdown.render(plans.hostile(texts), fold)) == []


@pytest.mark.parametrize("text", ["1. first", "1) first", "007. first"])
def test_no_sentence_begins_a_list(text: str) -> None:
    """What an error tells stands on lines of their own, where a number would begin one."""
    shown = markdown.render(plans.hostile([text]))

    assert foreign(shown) == []
    assert text in shown.replace("`", "")


@settings(max_examples=40)
@given(TEXTS)
def test_no_table_loses_or_gains_a_cell(texts: list[str]) -> None:
    """Every row of every table has as many cells as its head, the codes in them in their places."""
    for line in markdown.render(plans.hostile(texts)).split("\n"):
        if line.startswith("|"):
            assert line.count("|") in {5, 6}
            assert line.count("`") % 2 == 0


@settings(max_examples=20)
@given(
    st.lists(HOSTILE, min_size=1, max_size=4),
    st.integers(1, 150),
    st.integers(0, 40),
    st.sampled_from([0, 5, None]),
)
def test_a_comment_of_any_plan_can_be_posted(
    texts: list[str], times: int, longer: int, fold: int | None
) -> None:
    """However many, however long, however vile: it fits, and says so where it was cut."""
    plan = plans.hostile([text * (longer + 1) for text in texts] * (times // len(texts) + 1))

    shown = markdown.render(plan, fold)

    assert len(shown) <= LIMIT
    assert shown.startswith(f"{markdown.MARKER}\n")
    assert "Too long to show" not in shown
    lines = shown.split("\n")
    opened = sum(line.startswith("<details") for line in lines)
    assert opened == lines.count("</details>")
    whole = markdown.render(plan, fold, limit=100 * LIMIT)
    if len(whole) > LIMIT:
        assert "`--format json` has all." in shown


def fleet(count: int) -> Plan:
    return plans.plan(
        *(
            plans.change(
                f"F{number:07d}",
                plans.field(data_path("tier"), "a", "b"),
                source=f"devices/{number % 2}.yaml:{number}:3",
            )
            for number in range(count)
        )
    )


def test_identical_changes_are_one_line() -> None:
    """Four hundred devices are read in one line; which they are is folded away below it."""
    shown = markdown.render(fleet(412)).split("\n")

    assert '**412 devices**: `additionalData.tier` `"a"` → `"b"`' in shown
    below = shown[shown.index('**412 devices**: `additionalData.tier` `"a"` → `"b"`') :]
    assert below[2] == "<details><summary>which, and each field</summary>"
    assert below[4] == (
        "`F0000000`, `F0000001`, `F0000002` and 409 more · application `courier` · "
        "`devices/0.yaml` (206), `devices/1.yaml` (206)"
    )


def test_risks_are_told_first() -> None:
    """The table of risks comes before anything that is listed, refusals among it."""
    headings = [
        line for line in markdown.render(plans.everything()).split("\n") if line.startswith("####")
    ]

    assert headings[0] == "#### ⚠️ Risks"


def test_no_cut_hides_a_risk() -> None:
    """Of more changes than fit those with a risk are shown."""
    quiet = [
        plans.change(f"A{number:05d}", plans.field(data_path("n"), 0, number))
        for number in range(5_000)
    ]
    risky = plans.change(
        "Z-last",
        plans.field("owner", "person 1", "nobody"),
        actions=(Action.DEPERSONALIZE,),
        risks=(Risk.DETACH,),
    )
    details = markdown.render(plans.plan(*quiet, risky)).split("<details")[1]

    assert details.startswith("><summary>Changes: 5,001 devices</summary>\n\n**`Z-last`**")
    assert "more changes; `--format json` has all." in details


def vile_report(texts: list[str], times: int) -> Report:
    bad = [one for one in Outcome if not one.is_good]
    return Report(
        texts[0],
        tuple(
            Row(
                f"{index}{text}",
                text,
                text,
                bad[index % len(bad)],
                text,
                text,
                text,
                text,
                2,
                text,
                text,
            )
            for index, text in enumerate(texts * times)
        ),
        1.0,
        stopped=texts[-1],
    )


@settings(max_examples=40)
@given(TEXTS, st.sampled_from([0, None]))
def test_nothing_of_a_stranger_is_markup_in_a_report(texts: list[str], fold: int | None) -> None:
    """Nor in what an apply tells."""
    shown = outcome.render(vile_report(texts, 1), again=f"apply {texts[0]}", withheld=2, fold=fold)

    assert foreign(shown) == []
    for line in shown.split("\n"):
        if line.startswith("|"):
            assert line.count("|") == 7


@settings(max_examples=25)
@given(TEXTS, st.integers(1, 300), st.integers(0, 40))
def test_a_report_of_any_apply_fits(texts: list[str], times: int, longer: int) -> None:
    """However much went wrong; how to go on is never what is cut off."""
    long = [text * (longer + 1) for text in texts]
    shown = outcome.render(vile_report(long, times), again=f"apply {long[0]}", fold=None)

    assert len(shown) <= LIMIT
    assert "How to go on:" in shown


@pytest.mark.parametrize("count", [1, 20_000])
def test_a_report_of_a_fleet_is_short(count: int) -> None:
    """What went well is counted, not listed."""
    done = tuple(
        Row(f"A-{number}", "courier", None, Outcome.APPLIED, f"update/A-{number}", "update")
        for number in range(count)
    )

    assert len(outcome.render(Report("01J9ZQ4M8T", done, 2.0))) < 300


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 200), st.integers(0, 40), st.sampled_from([0, None]))
def test_drift_holds_nothing_of_a_stranger_and_fits(
    texts: list[str], times: int, longer: int, fold: int | None
) -> None:
    """What others wrote behind our back is text as well, however much it is."""
    devices = [
        MovedDevice(
            f"{index}{text}",
            text,
            text,
            text,
            ("there", "gone", "elsewhere")[index % 3],
            text,
            (
                MovedField(
                    data_path(text), "both", text, text * (longer + 1), text, True, True, True
                ),
            ),
        )
        for index, text in enumerate(texts * times)
    ]

    assert foreign(drift.markdown(document(*devices[:20]), fold)) == []
    assert len(drift.markdown(document(*devices), fold)) <= LIMIT
