"""Which of the live registrations an import takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import translate

from reconciler.core.fields import as_yaml
from reconciler.core.live import Found, Live, LiveRegistration


@dataclass(frozen=True, slots=True)
class ImportFilter:
    """What the options say. `ids` are globs of which one must match, `data` keys of additionalData
    with their globs, which all must; `most` counts registrations, None: all."""

    ids: tuple[str, ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    only_owned: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class ImportSelection:
    """`live` holds what is taken; the rest is counted by the first reason that left it out."""

    live: Live
    declared: int = 0
    unowned: int = 0
    unmatched: int = 0
    beyond: int = 0


def select_registrations(
    live: Live, declared: Collection[str], wanted: ImportFilter
) -> ImportSelection:
    """Take the registrations that nobody declares yet and that fit, the first by id."""
    fits = _fits(wanted)
    taken: list[str] = []
    known = unowned = unmatched = 0
    for id_ in sorted(live.registrations):
        registration = live.registrations[id_]
        if id_ in declared:
            known += 1
        elif wanted.only_owned and live.owners.get(id_) is None:
            unowned += 1
        elif not fits(id_, registration):
            unmatched += 1
        else:
            taken.append(id_)
    kept = taken if wanted.most is None else taken[: wanted.most]
    return ImportSelection(
        Live(
            {id_: live.registrations[id_] for id_ in kept},
            {id_: live.owners[id_] for id_ in kept if id_ in live.owners},
        ),
        known,
        unowned,
        unmatched,
        len(taken) - len(kept),
    )


def data_keys(live: Live) -> list[str]:
    """Return the keys of additionalData that any registration has, sorted."""
    return sorted(
        {
            key
            for registration in live.registrations.values()
            if isinstance(registration, LiveRegistration) and registration.additional_data
            for key in registration.additional_data
        }
    )


def _fits(wanted: ImportFilter) -> Callable[[str, Found], bool]:
    ids = [re.compile(translate(glob)).match for glob in wanted.ids]
    data = [(key, re.compile(translate(glob)).match) for key, glob in wanted.data]

    def fits(id_: str, registration: Found) -> bool:
        shown = isinstance(registration, LiveRegistration) and registration.additional_data
        values = shown or {}
        return (not ids or any(match(id_) for match in ids)) and all(
            key in values and match(as_yaml(values[key])) is not None for key, match in data
        )

    return fits
