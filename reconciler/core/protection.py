"""Protected devices: which rule of the project, or which entry, forbids to move one.

Rules look at what is declared and at what is live; so they hold for an entry that was changed so
that it fits no more, and for one that is not in the files any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from .absent import ABSENT
from .device import DesiredDevice
from .fields import LiveValue, as_yaml
from .live import Found, LiveRegistration
from .safety import ProtectRule, Safety


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule can look at. `data` are the declared and the live additionalData, if known."""

    id: str
    application: str
    label: str | None = None
    data: tuple[Mapping[str, LiveValue | None], ...] = ()


def of_declared(device: DesiredDevice, live: Found | None = None) -> Subject:
    """Return what is declared of a device, and what is live if it was read."""
    return Subject(
        device.id, device.application, device.label, (device.additional_data, *_live(live))
    )


def of_undeclared(id_: str, application: str, live: Found | None = None) -> Subject:
    """Return what is known of a device that left the files: no label, no declared values."""
    return Subject(id_, application, None, _live(live))


def protecting(safety: Safety, subject: Subject) -> ProtectRule | None:
    """Return the first rule that a device fits."""
    for rule in safety.protect:
        if _fits(rule, subject):
            return rule
    return None


def _live(registration: Found | None) -> tuple[Mapping[str, LiveValue | None], ...]:
    if not isinstance(registration, LiveRegistration) or registration.additional_data is ABSENT:
        return ()
    return (registration.additional_data,)


def _fits(rule: ProtectRule, subject: Subject) -> bool:
    named = (
        (rule.id, subject.id),
        (rule.label, subject.label),
        (rule.application, subject.application),
    )
    return all(
        glob is None or (text is not None and _matcher(glob)(text)) for glob, text in named
    ) and all(_has(subject, key, glob) for key, glob in rule.data.items())


def _has(subject: Subject, key: str, glob: str) -> bool:
    fits = _matcher(glob)
    values = [data[key] for data in subject.data if key in data]
    return any(fits(text) for value in values for text in _spellings(value))


def _spellings(value: LiveValue | None) -> tuple[str, ...]:
    """Return a value as YAML writes it. Who says 2.0 for 2 must not get around a rule about 2."""
    text = as_yaml(value)
    match value:
        case float() if value.is_integer():
            return (text, f"{int(value)}", f"{int(value)}.0")
        case int() if not isinstance(value, bool):
            return (text, f"{value}.0")
        case _:
            return (text,)


@lru_cache(maxsize=1000)
def _matcher(glob: str) -> Callable[[str], bool]:
    match = re.compile(translate(glob)).match
    return lambda text: match(text) is not None
