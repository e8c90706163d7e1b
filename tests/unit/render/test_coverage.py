"""What a plan of a part of the fleet says of what it covers, in each rendering."""

from __future__ import annotations

import msgspec
import pytest

from reconciler.plan.model import Coverage, Dependency, Plan
from reconciler.render import markdown, text
from reconciler.render.coverage import coverage_view
from reconciler.render.html import page as html
from reconciler.render.spans import plain
from tests import plans


def covering(coverage: Coverage, plan: Plan | None = None) -> Plan:
    return msgspec.structs.replace(plan or plans.everything(), coverage=coverage)


def shown(plan: Plan, fold: int | None = 5) -> str:
    return plain(text.lines(plan, fold))


ALONG = Dependency("old-phone", "new-phone", "it gives up the primary flag first")
PART = Coverage(("--since origin/main",), 3, (ALONG,), 97)


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (
            PART,
            "Covers 3 devices chosen by --since origin/main, and 1 that comes along; "
            "97 declared devices are left out.",
        ),
        (
            Coverage(("--select fleet=zg", "--target a"), 1, (ALONG, ALONG), 1, 0),
            "Covers 1 device chosen by --select fleet=zg and --target a, and 2 that come along; "
            "1 declared device is left out.",
        ),
        (
            Coverage(("--target a",), 1, (), 2_000, 4),
            "Covers 1 device chosen by --target a; 2,000 declared devices and 4 that left the "
            "files are left out.",
        ),
        (
            Coverage(("--target a",), 1, (), 0, 1),
            "Covers 1 device chosen by --target a; 1 that left the files is left out.",
        ),
        (
            Coverage(("--select label=*",), 7),
            "Covers 7 devices chosen by --select label=*; nothing is left out.",
        ),
        (
            Coverage(("--since main",), 0, (), 100),
            "Covers nothing: no device is chosen by --since main; "
            "100 declared devices are left out.",
        ),
        (
            Coverage(("--since main",), 0, (), 1, project_changed=True),
            "Covers nothing: no device is chosen by --since main; 1 declared device is left out. "
            "The project file changed as well: what follows from that for the other devices, only "
            "a plan of all shows.",
        ),
        (
            Coverage(tuple(f"--target {number}" for number in range(9)), 9, (), 1),
            "Covers 9 devices chosen by --target 0, --target 1, --target 2, --target 3, "
            "--target 4 and 4 more; 1 declared device is left out.",
        ),
    ],
)
def test_one_sentence_says_what_is_covered(coverage: Coverage, expected: str) -> None:
    """What was chosen and by what, what comes along, what is left out."""
    view = coverage_view(coverage)

    assert view is not None
    assert expected == view.sentence()


def test_everything_is_nothing_to_say() -> None:
    """Of a whole plan no rendering says what it covers."""
    whole = plans.everything()

    assert coverage_view(whole.coverage) is None
    for rendered in (shown(whole), markdown.render(whole), html.render(whole)):
        assert "Covers" not in rendered


def test_each_rendering_names_what_comes_along_and_why() -> None:
    """For whom, and the reason, beside the sentence."""
    made = covering(PART)

    assert (
        "Covers 3 devices chosen by --since origin/main, and 1 that comes along; "
        "97 declared devices are left out.\n"
        "    old-phone comes along for new-phone: it gives up the primary flag first\n\nPlan: "
    ) in shown(made)
    assert (
        "\nCovers 3 devices chosen by `--since origin/main`, and 1 that comes along; "
        "97 declared devices are left out.\n\n"
        "- `old-phone` comes along for `new-phone`: it gives up the primary flag first\n"
    ) in markdown.render(made)
    assert (
        "<p>Covers 3 devices chosen by --since origin/main, and 1 that comes along; "
        "97 declared devices are left out.</p>"
    ) in html.render(made)
    assert "it gives up the primary flag first</li>" in html.render(made)


def test_of_very_many_that_come_along_only_some_are_shown() -> None:
    """A terminal and a comment have an end; unfolded and JSON have all."""
    many = tuple(Dependency(f"phone-{n:04}", "new", "it leaves") for n in range(3_000))
    made = covering(Coverage(("--since x",), 1, many, 0))

    assert "    and 2,980 more\n" in shown(made)
    assert "phone-2999" in shown(made, None)
    assert "devices that come along; `--format json` has all" in markdown.render(made)
    assert len(markdown.render(made)) <= markdown.LIMIT


def test_a_plan_of_nothing_does_not_say_that_nothing_is_declared() -> None:
    """The last line of a plan for which nothing was chosen."""
    none = msgspec.structs.replace(plans.empty().summary, devices=0, unchanged=0)
    made = msgspec.structs.replace(
        covering(Coverage(("--since main",), 0, (), 100), plans.empty()), summary=none
    )

    assert shown(made).endswith("No changes. No devices are chosen.\n")


def test_what_was_typed_is_shown_escaped() -> None:
    """An option is text of whoever runs the pipeline, or of whoever named a branch."""
    odd = Coverage(("--select label=\x1b[2J<script>|`x` @team",), 1, (), 1)
    made = covering(odd)

    assert "\x1b" not in shown(made) + markdown.render(made) + html.render(made)
    assert "<script>|" not in html.render(made)
    assert "@team`" in markdown.render(made)
