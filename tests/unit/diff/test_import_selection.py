"""Which registrations an import takes: by id, by value, by owner, the first so many."""

from __future__ import annotations

from reconciler.core.live import Live
from reconciler.diff.import_selection import (
    ImportFilter,
    ImportSelection,
    data_keys,
    select_registrations,
)
from tests.fleet import external, person, registration

ANA = person(7, external("courier-118"))
FOUND = (
    registration("A1", data={"fleet": "zagreb", "floor": 2}),
    registration("A2", data={"fleet": "split", "ready": True}),
    registration("B1", data={"fleet": "zagreb"}),
    registration("B2"),
)
LIVE = Live(
    {one.id: one for one in FOUND}, {"A1": ANA, "A2": None, "B1": None, "B2": ANA, "Z": ANA}
)


def taken(wanted: ImportFilter, declared: frozenset[str] = frozenset()) -> list[str]:
    return list(select_registrations(LIVE, declared, wanted).live.registrations)


def test_everything_unless_told() -> None:
    """With the owners of what is taken, and of nothing else."""
    picked = select_registrations(LIVE, frozenset(), ImportFilter())

    assert ["A1", "A2", "B1", "B2"] == list(picked.live.registrations)
    assert {"A1": ANA, "A2": None, "B1": None, "B2": ANA} == picked.live.owners


def test_globs() -> None:
    """One of the ids, all of the keys; values as YAML writes them; by case, in full."""
    assert ["A1", "A2"] == taken(ImportFilter(ids=("A*",)))
    assert ["A1", "A2", "B2"] == taken(ImportFilter(ids=("A*", "B2")))
    assert [] == taken(ImportFilter(ids=("a*", "A")))
    assert ["A1", "B1"] == taken(ImportFilter(data=(("fleet", "z*"),)))
    assert ["A1"] == taken(ImportFilter(data=(("fleet", "z*"), ("floor", "2"))))
    assert ["A2"] == taken(ImportFilter(ids=("A*",), data=(("ready", "true"),)))
    assert ["A1", "A2", "B1"] == taken(ImportFilter(data=(("fleet", "*"),)))


def test_each_is_counted_once() -> None:
    """By the first reason that leaves it out."""
    wanted = ImportFilter(ids=("A*", "B2"), only_owned=True, most=1)
    picked = select_registrations(LIVE, frozenset({"A1", "other"}), wanted)

    assert ImportSelection(picked.live, declared=1, unowned=2) == picked
    assert ["B2"] == list(picked.live.registrations)
    picked = select_registrations(LIVE, frozenset(), ImportFilter(ids=("A*", "B1"), most=2))
    assert ImportSelection(picked.live, unmatched=1, beyond=1) == picked


def test_the_keys_that_are_there() -> None:
    """Sorted, each once."""
    assert ["fleet", "floor", "ready"] == data_keys(LIVE)
