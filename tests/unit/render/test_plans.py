"""What holds for every plan in every format: legible, bounded, quick, nothing breaks out."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.fields import Reason
from reconciler.plan.document import encode
from reconciler.plan.model import OTHERS_CHANGED_TOO, Plan, PlanWarning
from reconciler.render import calls, markdown, text
from reconciler.render.folding import FOLD
from reconciler.render.formats import PLAN_FORMATS
from reconciler.render.html import page as html
from reconciler.render.spans import plain
from reconciler.render.view import view
from tests import plans


def rendered(form: str, plan: Plan, fold: int | None = FOLD) -> str:
    """Return a plan in a format for people as one text, without colours."""
    shown = PLAN_FORMATS[form](plan, fold)
    assert not isinstance(shown, bytes)
    return shown if isinstance(shown, str) else plain(shown)


# Every format for people; JSON escapes nothing for the eye.
FORMATS: dict[str, Callable[[Plan], str]] = {
    f"{form}{'' if fold else ', unfolded'}": partial(rendered, form, fold=fold)
    for form in PLAN_FORMATS
    if form != "json"
    for fold in (FOLD, None)
}
WILD = st.lists(st.text(st.characters(), max_size=60), min_size=1, max_size=3)


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_texts_stay_legible(form: str) -> None:
    """No control, bidi or zero-width character of a stranger reaches any format."""
    shown = FORMATS[form](plans.hostile())

    assert [line for line in shown.split("\n") if not line.replace("⚠️", "").isprintable()] == []


@settings(max_examples=25)
@given(WILD)
def test_any_text_stays_legible(texts: list[str]) -> None:
    """The same for whatever hypothesis thinks of."""
    plan = plans.hostile(texts)

    for line in (*text.lines(plan), *calls.lines(plan)):
        assert all(span.text.isprintable() for span in line)
    for shown in (markdown.render(plan), html.render(plan)):
        assert all(line.replace("⚠️", "").isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("alike", [True, False])
def test_twenty_thousand_changes_are_quick(form: str, alike: bool) -> None:
    """A plan of a whole fleet is shown in seconds, in every format."""
    plan = plans.large(20_000, alike=alike)
    start = time.process_time()

    FORMATS[form](plan)

    assert time.process_time() - start < 5


@pytest.mark.parametrize("alike", [True, False])
def test_the_document_of_twenty_thousand_changes_is_quick(alike: bool) -> None:
    """And so is the form for machines."""
    plan = plans.large(20_000, alike=alike)
    start = time.process_time()

    encode(plan)

    assert time.process_time() - start < 5


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("fold", [5, None])
def test_a_comment_is_never_too_long(alike: bool, fold: int | None) -> None:
    """GitHub refuses longer comments, so the cut is made here, and told."""
    shown = markdown.render(plans.large(20_000, alike=alike), fold)

    assert len(shown) <= markdown.LIMIT
    assert ("more changes; `--format json` has all." in shown) == (not alike or fold is None)


def test_the_vilest_comment_is_never_too_long() -> None:
    """Every section is bounded by itself, so that long ones leave room for the others."""
    vile = plans.hostile([f"{number}" + "`|\x1b" * 300 for number in range(300)])

    for limit in (markdown.LIMIT, 20_000, 1_000):
        assert len(markdown.render(vile, limit=limit)) <= limit


def test_a_small_plan_is_whole_in_a_comment() -> None:
    """Nothing is cut that fits."""
    assert "more changes" not in markdown.render(plans.large(40))


def test_a_comment_is_found_again_by_its_first_line() -> None:
    """A pipeline replaces its own comment rather than adding one."""
    assert markdown.render(plans.empty()).startswith("<!-- reconciler:plan -->\n")


def outside_code(shown: str) -> str:
    """The text of a comment without its code spans, which no renderer interprets."""
    return "".join(part for index, part in enumerate(shown.split("`")) if index % 2 == 0)


@settings(max_examples=40)
@given(
    st.lists(
        st.text(st.sampled_from("ab1@#`|<>*_[]()!:/.\\&~$% -"), max_size=20), min_size=1, max_size=3
    )
)
def test_nothing_in_a_comment_breaks_out(texts: list[str]) -> None:
    """Outside of code spans there is no mention, reference, link, markup or cell of a stranger."""
    quiet = outside_code(markdown.render(plans.hostile(["a"] * len(texts))))
    loud = outside_code(markdown.render(plans.hostile(texts)))

    for mark in "@[]!\\_~$&":
        assert loud.count(mark) <= quiet.count(mark) + (mark == "\\") * 3 * len(texts)
    for mark in ("<", "://", "www."):
        assert loud.count(mark) <= quiet.count(mark) + (mark == "<") * 4
    for line in markdown.render(plans.hostile(texts)).split("\n"):
        if line.startswith("|"):
            assert line.count("|") in {5, 6}


class Tags(HTMLParser):
    """Notes every element and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.seen |= {tag, *(f"{tag}[{key}]" for key, _ in attrs)}


def tags(plan: Plan) -> Tags:
    found = Tags()
    found.feed(html.render(plan))
    return found


@settings(max_examples=40)
@given(st.lists(st.text("<>\"'&/={} scriptonload", max_size=30), min_size=1, max_size=3))
def test_nothing_in_a_page_breaks_out(texts: list[str]) -> None:
    """A hostile plan has no element and no attribute that a harmless one has not."""
    vile, harmless = tags(plans.hostile(texts)), tags(plans.hostile(["a", "b"]))

    assert vile.seen <= harmless.seen
    assert vile.scripts == 1


def test_a_page_loads_nothing() -> None:
    """It can be opened from anywhere, and mailed: no address stands in it but text."""
    page = html.render(plans.everything())

    assert "default-src &#39;none&#39;" in page
    assert [word for word in ("http:", "https:", "src=", "@import", "url(") if word in page] == []


def test_identical_changes_are_one_block() -> None:
    """More than `fold` devices with the same change are shown once; fewer are shown each."""
    plan = plans.large(6, alike=True)

    assert [len(change.devices) for change in view(plan, 5).changes] == [6]
    assert [len(change.devices) for change in view(plan, 6).changes] == [1] * 6
    assert [len(change.devices) for change in view(plan, None).changes] == [1] * 6


def test_values_of_different_types_are_not_identical() -> None:
    """To 1, to 1.0 and to true are three changes, although Python calls them equal."""
    plan = plans.plan(
        *(
            plans.change(f"{index}", plans.field("additionalData.k", "x", value))
            for index, value in enumerate((1, True, 1, True))
        )
    )

    assert [len(change.devices) for change in view(plan, 1).changes] == [2, 2]


def test_the_reason_is_part_of_a_change() -> None:
    """A key that was removed from the files is not folded with one declared null."""
    plan = plans.plan(
        plans.change("a", plans.field("additionalData.k", "x", None)),
        plans.change("b", plans.field("additionalData.k", "x", None, Reason.REMOVED)),
    )

    assert [len(change.devices) for change in view(plan, 1).changes] == [1, 1]


def test_what_others_changed_too_is_said_where_it_stands() -> None:
    """Beside the field, in every format, and in no list of warnings; it keeps changes apart."""
    changes = [
        plans.change(f"A-{number}", plans.field("additionalData.shift", "day", "noon"))
        for number in range(12)
    ]
    too = [
        PlanWarning(
            OTHERS_CHANGED_TOO,
            f"A-{number}",
            f"A-{number}: others changed additionalData.shift too",
            ("additionalData.shift",),
        )
        for number in range(6)
    ]
    plan = plans.plan(*changes, warnings=too)
    shown = view(plan)

    assert [(6, "others changed it too"), (6, "")] == [
        (len(change.devices), change.fields[0].note) for change in shown.changes
    ]
    assert () == shown.warnings
    for form in ("text", "markdown", "html"):
        assert 1 == FORMATS[form](plan).count("others changed it too"), form


def test_a_field_that_others_changed_too_is_a_warning_where_nothing_is_called() -> None:
    """A warning is never lost: what stands at no field stands in the list."""
    too = PlanWarning(OTHERS_CHANGED_TOO, "A-1", "A-1: others changed owner too", ("owner",))

    assert ["A-1: others changed owner too"] == [
        warning.message for warning in view(plans.plan(warnings=[too])).warnings
    ]
