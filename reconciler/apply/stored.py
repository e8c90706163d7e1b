"""What the answer to an update shows, held against what was sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.core.fields import (
    ADDITIONAL_DATA,
    LiveValue,
    Scalar,
    data_key,
    same_value,
    updated_fields,
)
from reconciler.core.live import LiveRegistration
from reconciler.core.opaque import Opaque
from reconciler.core.privacy import Privacy
from reconciler.plan.fingerprints import observed_value
from reconciler.plan.model import PlannedCall

_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A field that the service stored in another form than it was sent. None: no value.

    `is_kept`: a key of additionalData whose value the service changed by itself, so that it will
    do the same the next time; the state remembers both forms. What was left as it was, and every
    other field, stays a change.
    """

    path: str
    sent: Scalar | None
    stored: LiveValue | None
    is_kept: bool


def stored_otherwise(
    call: PlannedCall, before: LiveRegistration, answer: LiveRegistration
) -> tuple[StoredValue, ...]:
    """Return the declared fields of an update that its answer does not show as they were sent."""
    return tuple(_differing(call, before, answer))


def _differing(
    call: PlannedCall, before: LiveRegistration, answer: LiveRegistration
) -> Iterator[StoredValue]:
    unreadable = {part.path: part.type for part in answer.unreadable}
    for path, value in updated_fields(call.body or {}):
        sent = value if isinstance(value, Scalar) else None
        stored = observed_value(path, answer)
        # What is odd as a whole tells nothing of any key in it.
        whole = path if data_key(path) is None else ADDITIONAL_DATA
        odd = unreadable.get(path) or unreadable.get(whole)
        if odd is not None:
            yield StoredValue(path, sent, Opaque(_EXAMPLES.get(odd, "null")), is_kept=False)
        elif stored is not sent and not same_value(stored, sent):
            was = observed_value(path, before)
            is_changed = not (stored is was or same_value(stored, was))
            yield StoredValue(path, sent, stored, is_changed and data_key(path) is not None)


# The least text of each type: of a value that cannot be read its type is all that is shown.
_EXAMPLES: Final = {"list": "[]", "object": "{}", "text": '""', "number": "0", "boolean": "true"}


def describe(values: Iterable[StoredValue], privacy: Privacy) -> str:
    """Say which fields are stored otherwise: sent what, stored what; nothing that is hidden."""
    return "; ".join(
        f"{value.path}: sent {_shown(value.sent, hidden)}, stored {_shown(value.stored, hidden)}"
        for value in values
        for hidden in (privacy.hides(value.path),)
    )


def _shown(value: LiveValue | None, hidden: bool) -> str:
    match value:
        case None:
            return "nothing"
        case _ if hidden:
            return "(hidden)"
        case Opaque():
            return f"({value.type})"
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
