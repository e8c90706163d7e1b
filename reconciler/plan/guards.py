"""Guards that refuse a whole plan: each says what, measured, limit and the way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.core.project import Pattern
from reconciler.core.record import Record
from reconciler.diff.changes import Diff

from .definition import Refusal

# The name of the guard, before that of the application.
GONE = "gone:"
LEAVING_SHARE = 0.10
GONE_SHARE = 0.50
# Below this many devices a share says nothing: one of two is half a fleet.
FEW = 3


def refusals(
    diff: Diff,
    record: Record,
    looked_at: Mapping[str, int],
    empty_patterns: Iterable[Pattern],
    accepted: Mapping[str, int],
) -> tuple[Refusal, ...]:
    """Return the guards that trip and that were not accepted with this very count.

    `looked_at` counts the declared devices of each application that the plan covers; `accepted`
    maps a guard's name to the count that somebody consented to (`--accept leaving=12`).

    A plan of a part of the fleet is measured likewise: what leaves by it, against all that is
    recorded, for both are known in full; what is gone, against what it looked at, for of the others
    nobody knows.
    """
    found = [*_patterns(empty_patterns), *_leaving(diff, record), *_gone(diff, looked_at)]
    return tuple(
        refusal for count, refusal in found if not count or accepted.get(refusal.guard) != count
    )


def _patterns(patterns: Iterable[Pattern]) -> Iterable[tuple[int, Refusal]]:
    for pattern in patterns:
        yield (
            0,
            Refusal(
                "pattern",
                f'{pattern.source}: the pattern "{pattern.text}" matches no file',
                "0 files",
                "at least 1",
                "mend the pattern, or delete the line if those manifests are gone for good",
            ),
        )


def _leaving(diff: Diff, record: Record) -> Iterable[tuple[int, Refusal]]:
    count, total = len(diff.leaving), len(record.devices)
    if count > FEW and count > LEAVING_SHARE * total:
        yield (
            count,
            Refusal(
                "leaving",
                f"{count} of {total} recorded devices left the files",
                f"{count} devices ({count / total:.0%})",
                f"{LEAVING_SHARE:.0%} of the recorded devices, or {FEW}",
                f"if it is meant: --accept leaving={count}",
            ),
        )


def _gone(diff: Diff, looked_at: Mapping[str, int]) -> Iterable[tuple[int, Refusal]]:
    gone = Counter(device.application for device in diff.gone)
    for application, count in sorted(gone.items()):
        total = looked_at[application]
        if count > FEW and count > GONE_SHARE * total:
            yield (
                count,
                Refusal(
                    f"{GONE}{application}",
                    f"{count} of {total} devices of application {application} that the plan covers "
                    "are gone; is its application code the right one?",
                    f"{count} devices ({count / total:.0%})",
                    f"{GONE_SHARE:.0%} of an application, or {FEW}",
                    f"check the application code; if it is meant: "
                    f"--accept gone:{application}={count}",
                ),
            )
