"""The page of a plan in a real browser: it narrows at once, says nothing, and asks for nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.core.fields import OWNER, data_path
from reconciler.plan.model import Action, Plan, Risk
from reconciler.render.html import page as html
from tests import plans
from tests.browser import CHROMIUM, Page, browser

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

# On a machine of its own a keystroke takes 20 ms; a suite runs on all its cores at once.
KEYSTROKE: Final = 100
# The handler, style, layout and paint: what comes after a frame has been painted.
TIMED: Final = """
(async () => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const find = document.getElementById("find");
  const took = [];
  for (const value of %s) {
    await painted();
    const start = performance.now();
    find.value = value;
    find.dispatchEvent(new InputEvent("input", { bubbles: true }));
    document.body.getBoundingClientRect();
    await painted();
    took.push([value, document.getElementById("count").textContent, performance.now() - start]);
  }
  return took;
})()
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all of them."""
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


def opened(page: Page, file: Path, plan: Plan, width: int = 1200) -> Page:
    """Open the page of a plan."""
    file.write_text(html.render(plan), "utf-8")
    page.look(width=width)
    page.open(file)
    return page


def quiet(page: Page, file: Path) -> None:
    """It asked for nothing but itself, and nothing stands in the console."""
    assert page.requests == [file.as_uri()]
    assert page.complaints == []


def found(page: Page) -> Any:
    """How many entries the page says that it shows, and which it does show."""
    return page.run(
        """[document.getElementById("count").textContent,
        [...document.querySelectorAll("section[data-devices] :is(.id, header > b)")]
        .filter((node) => node.checkVisibility()).map((node) => node.textContent)]"""
    )


def choose(page: Page, name: str, value: str) -> None:
    """Choose in one of the lists, as the browser tells it."""
    page.run(
        f"""(() => {{
        const choice = document.getElementById({json.dumps(name)});
        choice.value = {json.dumps(value)};
        choice.dispatchEvent(new Event("change", {{ bubbles: true }}));
        return choice.value === {json.dumps(value)} ? null : document.no.such.option;
        }})()"""
    )


def two_applications() -> Plan:
    """Three changes with all that can be filtered, and one of each without a call."""
    return plans.plan(
        plans.change(
            "A-1",
            plans.field(OWNER, "person 7", "devices/zg.yaml#people.ana"),
            label="Ana's phone",
            actions=(Action.PERSONALIZE, Action.UPDATE),
            risks=(Risk.OWNER_CHANGE,),
        ),
        plans.change(
            "B-2",
            plans.field(data_path("tier"), "Gold", None),
            application="tablets",
            risks=(Risk.KEY_REMOVAL,),
        ),
        plans.change("C-3", plans.field(data_path("tier"), "a", "b"), application="tablets"),
        plans.change("D-4", label="Van", actions=(Action.ADOPT,)),
        plans.change("E-5", application="tablets", actions=(Action.GONE,)),
        drift=[plans.drift("F-6", plans.field(OWNER, "person 1", "nobody"))],
    )


def test_filters_narrow_and_counts_follow(chromium: Page, tmp_path: Path) -> None:
    """Each filter alone, two together, and with a search; Esc brings everything back."""
    file = tmp_path / "plan.html"
    page = opened(chromium, file, two_applications())
    everything = found(page)
    assert everything == ["6 entries", ["A-1", "B-2", "C-3", "F-6", "E-5", "D-4"]]

    for name, value, expected in (
        ("risk", "any", ["A-1", "B-2"]),
        ("risk", "owner-change", ["A-1"]),
        ("risk", "", everything[1]),
        ("app", "1", ["B-2", "C-3", "E-5"]),
        ("act", "update", ["B-2", "C-3"]),
        ("act", "gone", ["E-5"]),
        ("app", "", ["E-5"]),
        ("act", "drift", ["F-6"]),
        ("act", "adopt", ["D-4"]),
        ("act", "personalize", ["A-1"]),
        ("act", "", everything[1]),
    ):
        choose(page, name, value)
        assert found(page)[1] == expected, (name, value)
    choose(page, "app", "1")
    page.press("/")
    page.type("TIER gold")
    assert found(page) == ["1 of 6 entries", ["B-2"]]
    assert page.run("document.querySelector('section[data-devices] h2').textContent") == (
        "Changes: 1 of 3 devices"
    )
    page.type("x")
    assert found(page) == ["0 of 6 entries", []]
    assert page.run("document.getElementById('none').checkVisibility()")
    page.press("Escape")
    assert found(page) == everything
    quiet(page, file)


def test_the_keys_lead_through_the_page(chromium: Page, tmp_path: Path) -> None:
    """`/` searches, Esc leaves, Tab reaches each filter, j and k go from entry to entry."""
    page = opened(chromium, tmp_path / "plan.html", two_applications())

    def focused() -> str:
        return str(
            page.run(
                """((node) => node === document.body ? "nothing"
                : node.id || node.querySelector(".id").textContent)(document.activeElement)"""
            )
        )

    page.press("/")
    seen = [focused()]
    for _ in range(3):
        page.press("Tab")
        seen.append(focused())
    page.press("Escape")
    seen.append(focused())
    for key in "jjkj":
        page.press(key)
        seen.append(focused())

    assert seen == ["find", "risk", "app", "act", "nothing", "A-1", "B-2", "A-1", "B-2"]
    assert page.run("document.getElementById('find').value") == ""


def test_a_device_of_a_folded_change_is_found(chromium: Page, tmp_path: Path) -> None:
    """Of four hundred devices with the same change only those that fit are shown and counted."""
    file = tmp_path / "plan.html"
    page = opened(chromium, file, plans.large(400, alike=True))
    assert found(page) == ["400 entries", ["400 devices"]]

    page.press("/")
    page.type("tier 7.yaml phone 18d")
    assert found(page) == [
        "1 of 400 entries",
        ["400 devices", "0000018D-86B2-41F7-BF6F-20D3B1426005"],
    ]
    page.press("Escape")
    assert found(page) == ["400 entries", ["400 devices"]]
    quiet(page, file)


@pytest.mark.parametrize("alike", [False, True])
def test_a_keystroke_among_ten_thousand_changes_is_quick(
    chromium: Page, tmp_path: Path, alike: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the key to the painted page, whatever is typed, growing and shrinking."""
    file = tmp_path / "plan.html"
    page = opened(chromium, file, plans.large(10_000, alike=alike))
    typed = ["p", "ph", "phone 12", "phone 123", "phone 12", "p", "", "zzz", "", "b77", "b", ""]
    page.run("new Promise((done) => requestIdleCallback(done))")

    took = page.run(TIMED % json.dumps(typed))

    counts = {value: said for value, said, _ in took}
    assert counts["p"] == "10,000 of 10,000 entries"
    assert counts["zzz"] == "0 of 10,000 entries"
    assert counts[""] == "10,000 entries"
    # Whoever holds up this process holds up a keystroke or two; not half of them.
    times = sorted(milliseconds for *_, milliseconds in took)
    with capsys.disabled():
        sys.stdout.write(f"\na keystroke: {times[len(times) // 2]:.0f} ms, most {times[-1]:.0f}\n")
    assert times[len(times) // 2] < KEYSTROKE
    quiet(page, file)


def test_all_of_many_can_be_shown(chromium: Page, tmp_path: Path) -> None:
    """A hundred stand in the page at first; a button brings a hundred more, another all."""
    page = opened(chromium, tmp_path / "plan.html", plans.large(1_000))
    articles = "document.querySelectorAll('article').length"
    some, everything = (
        f"document.querySelectorAll('section[data-devices] .more button')[{index}].click()"
        for index in (0, 1)
    )

    shown = [page.run(articles)]
    for click in (some, everything):
        page.run(click)
        shown.append(page.run(articles))

    assert shown == [100, 200, 1_000]


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_hostile_runs_or_stands_out(chromium: Page, tmp_path: Path, width: int) -> None:
    """Whatever a stranger wrote: no script of his runs, and no page is wider than the screen."""
    file = tmp_path / "plan.html"
    page = opened(chromium, file, plans.hostile(), width)

    page.press("/")
    page.type("</script><script>")
    assert found(page)[1], "what looks like a script is found like any other text"
    assert page.run("document.documentElement.scrollWidth") <= width
    quiet(page, file)


def test_without_its_script_all_is_there(chromium: Page, tmp_path: Path) -> None:
    """Where scripts are not allowed (a mail, an artifact) all is shown, and no dead field."""
    file = tmp_path / "plan.html"
    chromium.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page = opened(chromium, file, plans.large(300))
        shown = page.ask("DOM.getDocument", depth=-1)
    finally:
        chromium.ask("Emulation.setScriptExecutionDisabled", value=False)

    text = json.dumps(shown)
    assert text.count('"ARTICLE"') == 300
    assert page.run("document.getElementById('tools').hidden")
    quiet(page, file)
