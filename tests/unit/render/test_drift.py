"""What moved since the last apply, as it is read: exact texts, nothing of a stranger breaks out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from reconciler.plan.drift import DriftDocument, DriftSummary, MovedDevice, MovedField, encode
from reconciler.plan.model import ReadCounts, Reads, StateRef
from reconciler.render import drift
from reconciler.render.spans import plain
from tests import plans

ROOT = Path(__file__).resolve().parents[3]
ANA = "devices/zg.yaml#people.ana"


def field(path: str, moved: str, applied: Any, live: Any, declared: Any, **more: Any) -> MovedField:
    """One field that is known, managed and shown, unless it is said."""
    flags = {"applied_known": True, "managed": True, "shown": True, **more}
    return MovedField(path, moved, applied, live, declared, **flags)


def moved(device: str, *fields: MovedField, **more: Any) -> MovedDevice:
    """One device that is there."""
    values: dict[str, Any] = {
        "application": "courier",
        "label": None,
        "source": "devices/zg.yaml:14:3",
        "found": "there",
        "found_in": None,
        **more,
    }
    return MovedDevice(device, fields=fields, **values)


def document(*devices: MovedDevice, total: int = 120, **counts: Any) -> DriftDocument:
    """A document of 120 devices, of which others moved these."""
    numbers = {"gone": 0, "both": 0, "files_moved": 0, "not_compared": 0, **counts}
    drifted = numbers.pop("drifted", len(devices) - numbers["files_moved"])
    application = numbers.pop("application", None)
    return DriftDocument(
        "1.0",
        "2026-11-26T20:00:00Z",
        StateRef("6c1f0d5e", 7),
        None,
        application,
        DriftSummary(devices=total, drifted=drifted, as_applied=total - len(devices), **numbers),
        Reads("points", ReadCounts(total, 0)),
        devices,
    )


EVERYTHING = document(
    moved(
        "A-1",
        field("owner", "service", ANA, "person 1844", ANA),
        field("isPrimary", "both", True, False, None, managed=False),
        field("additionalData.shift", "both", None, "day", "noon", applied_known=False),
        field("additionalData.tier", "files", 1, 1, 2),
        field("additionalData.new", "files", None, None, "x"),
        field(
            "additionalData.old",
            "service",
            None,
            None,
            None,
            applied_known=False,
            managed=False,
            shown=False,
        ),
        label="Ana's phone",
    ),
    moved("B-2", found="gone"),
    moved(
        "C-3",
        field("owner", "service", None, "nobody", None, applied_known=False, managed=False),
        source=None,
    ),
    moved("D-4", source=None),
    moved("E-5", found="elsewhere", found_in="shop"),
    gone=1,
    both=1,
    files_moved=1,
)


def test_as_text() -> None:
    """Each field says what is there, what we applied, what the files say, and who moved it."""
    assert (
        plain(drift.lines(EVERYTHING))
        == """\
~ A-1  "Ana's phone"  courier  devices/zg.yaml:14:3
    owner                 is person 1844, applied devices/zg.yaml#people.ana  (changed by others)
    isPrimary             is false, applied true, not declared any more  \
(changed by others, and the files moved)
    additionalData.shift  is "day", not what was applied, declared "noon"  \
(changed by others, and the files moved)
    additionalData.tier   is 1, as applied, declared 2  (the files moved)
    additionalData.new    is null, declared "x"  (the files moved)
    additionalData.old    no file declares it any more, so its value is not shown  \
(changed by others)

~ B-2  courier  devices/zg.yaml:14:3
    gone: the service knows no such registration

~ C-3  courier  left the files
    owner  is nobody, not what was applied  (changed by others)

~ D-4  courier  left the files

~ E-5  courier  devices/zg.yaml:14:3
    stands in the application shop now

Drift: 4 of 120 devices, 1 of them gone. 1 device moved in the files only.
reconciler plan shows what apply would fix; onDrift says what it leaves.
"""
    )


def test_as_markdown() -> None:
    """One table, a row for each field, values and names as code."""
    assert (
        drift.markdown(EVERYTHING)
        == """\
<!-- reconciler:drift -->
### Reconciler drift

**Drift: 4 of 120 devices, 1 of them gone. 1 device moved in the files only.**

| device | application | field | is | applied | declared | moved by |
| --- | --- | --- | --- | --- | --- | --- |
| `A-1` `"Ana's phone"` | `courier` | `owner` | `person 1844` | `devices/zg.yaml#people.ana` \
| `devices/zg.yaml#people.ana` | others |
| `A-1` `"Ana's phone"` | `courier` | `isPrimary` | `false` | `true` | not any more \
| others and the files |
| `A-1` `"Ana's phone"` | `courier` | `additionalData.shift` | `"day"` | not known | `"noon"` \
| others and the files |
| `A-1` `"Ana's phone"` | `courier` | `additionalData.tier` | `1` | `1` | `2` | the files |
| `A-1` `"Ana's phone"` | `courier` | `additionalData.new` | `null` | `null` | `"x"` | the files |
| `A-1` `"Ana's phone"` | `courier` | `additionalData.old` | not shown | not shown | not any more \
| others |
| `B-2` | `courier` |  | gone: the service knows no such registration |  |  | others |
| `C-3` | `courier` | `owner` | `nobody` | not known | not any more | others |
| `D-4` | `courier` |  |  |  | left the files | the files |
| `E-5` | `courier` |  | stands in the application `shop` now |  |  | others |
"""
    )


def test_as_json() -> None:
    """As its schema says."""
    schema = json.loads((ROOT / "schemas" / "drift.schema.json").read_bytes())
    Draft202012Validator(schema).validate(json.loads(encode(EVERYTHING)))


def test_the_last_line_says_what_there_is() -> None:
    """In words that fit one device and many, and none at all."""
    said = [
        drift.summary(document(**counts))
        for counts in (
            {},
            {"total": 1},
            {"files_moved": 2, "drifted": 0},
            {"total": 0},
            {"total": 0, "application": "courier"},
            {"total": 0, "not_compared": 1},
            {"drifted": 3, "not_compared": 2},
        )
    ]
    lost = "cannot be compared: the project does not have"
    assert said == [
        "No drift: 120 devices are as applied.",
        "No drift: 1 device is as applied.",
        "No drift: 120 devices are as applied. 2 devices moved in the files only.",
        "No drift: the state holds no device, so there is nothing to compare.",
        "No drift: the state holds no device of this application.",
        f"No drift: the state holds no device that can be compared. 1 device {lost} its "
        "application any more.",
        f"Drift: 3 of 120 devices. 2 devices {lost} their application any more.",
    ]


def test_values_that_differ_look_different() -> None:
    """However far behind their beginning they part."""
    long = field("additionalData.note", "service", "x" * 200, "x" * 200 + "y", "x" * 200)
    shown = plain(drift.lines(document(moved("A-1", long)))).split("\n")[1]
    live, applied = shown.removesuffix("  (changed by others)").split(", applied ")
    assert live.split("is ")[1] != applied


def test_a_flag_is_no_number() -> None:
    """1 was applied and true is there: they are equal to Python only."""
    one = field("additionalData.count", "service", 1, True, 1)
    assert "is true, applied 1  (changed by others)" in plain(
        drift.lines(document(moved("A-1", one)))
    )


def test_both_moved_it_to_the_same() -> None:
    """That is no conflict, and reads like none."""
    one = field("additionalData.shift", "both", None, "noon", "noon", applied_known=False)
    assert (
        'is "noon", not what was applied, as declared now  (changed by others, and the files moved)'
        in plain(drift.lines(document(moved("A-1", one))))
    )


def test_those_that_moved_alike_are_one() -> None:
    """Not those that differ in a type only."""
    alike = [moved(f"A-{n}", field("additionalData.k", "service", 1, 2, 1)) for n in range(6)]
    other = [moved(f"B-{n}", field("additionalData.k", "service", True, 2, True)) for n in range(6)]
    shown = plain(drift.lines(document(*alike, *other)))
    assert ["~ 6 devices  courier"] * 2 == [
        line for line in shown.split("\n") if line.startswith("~")
    ]
    assert "on A-0, A-1, A-2 and 3 more" in shown
    assert 12 == plain(drift.lines(document(*alike, *other), fold=None)).count("~ ")


def test_a_long_table_is_cut_and_says_so() -> None:
    """A comment has its limit."""
    many = [
        moved(f"A-{number:05}", field("additionalData.k", "service", number, "y" * 60, number))
        for number in range(2_000)
    ]
    shown = drift.markdown(document(*many, total=2_000))
    assert len(shown) <= drift.LIMIT
    rows = shown.count("| `A-")
    assert f"And {2_000 - rows:,} devices more; `--format json` has all." in shown


def test_hostile_texts_stay_legible() -> None:
    """No control character of a stranger reaches the terminal, no markup of his the comment."""
    devices = [
        moved(
            text,
            field(f"additionalData.{text}", "both", None, text, text + "!", applied_known=False),
            label=text,
            application=text,
            source=text,
        )
        for text in (*plans.HOSTILE, "a | b `c` <!-- -->")
    ]
    devices += [moved("E-5", found="elsewhere", found_in=text) for text in plans.HOSTILE]
    shown = document(*devices)
    for line in drift.lines(shown):
        assert all(span.text.isprintable() for span in line)
    rows = drift.markdown(shown).split("\n")[6:]
    for row in rows[1:-1]:
        assert row.isprintable()
        assert 8 == row.count("|"), row
        bare = "".join(row.split("`")[::2])
        assert not set(bare) & set("<>@#[]*"), row
