"""Promises about what is on disk after each run: journal, record, lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.core.digest import Digester
from reconciler.core.secret import Secret
from tests.properties.fleets import held
from tests.worlds import canonical

from .sent import calls_of
from .story import Story, is_late, is_sending
from .worldly import could_be_read

Json = dict[str, Any]
_NOT_DONE = ("failed", "stale", "skipped", "not-tried")


def intents_come_before_calls(story: Story) -> Iterator[str]:
    """What was sent stands in the journal, whatever became of the run."""
    for run in story.runs:
        for call in calls_of(run) if run.applies and not run.finished else ():
            if story.sendings(run, call) and call["id"] not in run.journal:
                yield f"{call['id']} is sent and not in the journal ({run.said})"


def the_journal_tells_the_truth(story: Story) -> Iterator[str]:
    """What it calls applied was done or is so; what it calls failed or stale was not done."""
    for run in story.runs:
        for call in calls_of(run) if run.applies else ():
            outcome = run.journal.get(call["id"])
            done = [
                made
                for one in story.same_plan(run)
                for made in story.sendings(one, call)
                if made.done
            ]
            if outcome == "applied" and not done and not could_be_read(story, call, run):
                yield f"{call['id']} is said to be applied, and was not done ({run.said})"
            if outcome in _NOT_DONE and any(
                is_sending(made, call) and not is_late(made)
                for made in story.writes_of(run)
                if made.done
            ):
                yield f"{call['id']} is said to be {outcome}, and was done ({run.said})"
    last = [run for run in story.runs if run.applies][-1:]
    if any(run.exit == 0 and run.id is not None and not run.finished for run in last):
        yield "the plan that was applied last is not noted as finished"


def the_record_is_what_lives(story: Story) -> Iterator[str]:
    """In the end it holds exactly the declared devices and fields, with their living values."""
    if story.record is None:
        yield "there is no state"
        return
    digester, recorded = Digester(Secret(story.record.key)), story.record.devices
    now = canonical(story.runs[-1].world)
    declared = {device.id: device for device in story.case.fleet.devices}
    for id_ in sorted(recorded.keys() ^ declared.keys()):
        yield f"{id_} is {'recorded' if id_ in recorded else 'not recorded'}"
    for id_ in sorted(recorded.keys() & declared.keys()):
        expected = _digests(declared[id_].fields, now, id_, digester)
        for path in sorted(recorded[id_].keys() | expected.keys()):
            said, seen = recorded[id_].get(path), expected.get(path)
            if said is None or seen is None:
                yield f"{id_}: {path} is {'declared' if said is None else 'recorded'} only"
            elif path == "owner" and (not set(said) <= set(seen) or bool(said) != bool(seen)):
                # Some of the owner's values are declared; nobody has none.
                yield f"{id_}: the recorded owner is not the living one"
            elif path != "owner" and tuple(said) != seen:
                yield f"{id_}: the recorded {path} is not the living one"


def _digests(fields: Json, now: Json, id_: str, digester: Digester) -> dict[str, tuple[str, ...]]:
    """Return the digests of what lives, of the declared fields."""
    registration = now["registrations"][id_]
    found: dict[str, tuple[str, ...]] = {}
    for name in ("isPrimary", "registrationEnabled"):
        if name in fields:
            found[name] = (digester.of(name, registration[name]),)
    for key in fields.get("additionalData", {}):
        path = f"additionalData.{key}"
        found[path] = (digester.of(path, registration["additionalData"].get(key)),)
    if "owner" in fields:
        owner = now["people"].get(registration["owner"])
        values = [] if owner is None else sorted(held(owner))
        found["owner"] = tuple(digester.of("owner", [kind, value]) for kind, value in values)
    return found


def the_lock_is_given_back(story: Story) -> Iterator[str]:
    """By every run that was not killed."""
    for run in story.runs:
        if run.leased and run.applies and run.signal != "SIGKILL":
            yield f"after {run.said}"
