"""What happened in a case: each run of the command line with all it left, and every call made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core.fields import same_value
from reconciler.sandbox.calls import LoggedCall
from reconciler.sandbox.fault import Effect, Fault
from reconciler.sandbox.spec import read_fault

from .cases import ANSWER_WITHIN, Case

Json = dict[str, Any]
Journal = Mapping[str, str | None]

# Answers that need most of the time allowed may be too late for their client.
_SURELY_IN_TIME: Final = 0.6 * ANSWER_WITHIN
_PUSH: Final = "/people/2/contactInformation/push/"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command line; times are monotonic seconds.

    `plan` is the document applied or made; of a run that plans by itself, one that was made right
    before it. `journal` are the outcomes by call id of the plan that was run, `signals` the times
    at which signals went out, `world` is how it was afterwards.
    """

    what: str
    arguments: tuple[str, ...]
    began: float
    ended: float
    exit: int
    out: str
    err: str
    world: Json
    plan: Json | None = None
    report: Json | None = None
    id: str | None = None
    journal: Journal = field(default_factory=dict)
    finished: bool = False
    leased: bool = False
    signals: tuple[float, ...] = ()
    signal: str | None = None
    timed_out: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def applies(self) -> bool:
        return self.what in ("apply", "fresh")

    @property
    def killed_at(self) -> float | None:
        """When it was cut off: by SIGKILL, or by the second signal."""
        if self.signal == "SIGKILL":
            return self.signals[0] if self.signals else None
        return self.signals[1] if len(self.signals) > 1 else None

    @property
    def said(self) -> str:
        return f"{self.what} ({' '.join(self.arguments)})"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The state in the end: digests by field path, and the key that they are made with."""

    key: bytes
    devices: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """`start` is the world before the first run, `calls` all calls since in the order of starts."""

    case: Case
    start: Json
    runs: tuple[Run, ...]
    calls: tuple[LoggedCall, ...]
    record: Recorded | None

    def calls_of(self, run: Run) -> list[LoggedCall]:
        """Return the calls that a run made, also those that ended after it."""
        return [call for call in self.calls if run.began <= call.start < run.ended]

    def writes_of(self, run: Run) -> list[LoggedCall]:
        return [call for call in self.calls_of(run) if call.is_write]

    def same_plan(self, run: Run) -> list[Run]:
        """Return the runs of a run's plan, up to it and with it."""
        runs = [other for other in self.runs if other.id is not None and other.id == run.id]
        return [other for other in runs if other.began <= run.began]

    def sendings(self, run: Run, call: Json) -> list[LoggedCall]:
        """Return how often a run sent a planned call."""
        return [made for made in self.writes_of(run) if is_sending(made, call)]

    def others_since(self, run: Run) -> Iterator[LoggedCall]:
        """Yield what was done under other plans between the first run of this plan and its end."""
        for other in self._applied_since(run):
            yield from (call for call in self.writes_of(other) if call.done)

    def noted_since(self, run: Run) -> set[str]:
        """Return the devices that were adopted or released under other plans in that time.

        No call says so, but the state: an older plan's ground for removing a key may be gone.
        """
        reports = [other.report for other in self._applied_since(run) if other.report]
        rows = [row for report in reports for row in report["rows"]]
        return {row["device"] for row in rows if row["outcome"] in ("adopted", "released")}

    def _applied_since(self, run: Run) -> Iterator[Run]:
        made = next((plan for plan in self.runs if _made(plan, run)), run)
        for other in self.runs:
            if other.applies and other.id != run.id and made.ended <= other.began < run.ended:
                yield other

    def rivals(
        self, until: float | None = None, *, since: float = -math.inf
    ) -> dict[str, set[str]]:
        """Return the fields that a rival has set, by device, in calls started between two times."""
        touched: dict[str, set[str]] = {}
        for call in self.calls:
            fault = fault_of(call)
            if fault is None or fault.effect is not Effect.RIVAL or not fault.merge:
                continue
            if since <= call.start and (until is None or call.start < until):
                touched.setdefault(device_of(call), set()).update(_paths(fault.merge))
        return touched

    def moved_by_rivals(self, device: str, plan: Run, until: float) -> list[str]:
        """Return the declared fields that a rival has changed between the start of a plan and a
        time, from what the plan saw. Nobody else may have touched the device meanwhile."""
        declared = next((one for one in self.case.fleet.devices if one.id == device), None)
        shown = {one["registrationId"]: one for one in plan.world["registrations"]}.get(device)
        if declared is None or shown is None:
            return []
        now: Json = {}
        for call in self.calls:
            fault = fault_of(call)
            is_theirs = fault is not None and fault.effect is Effect.RIVAL
            if is_theirs and fault is not None and device_of(call) == device and call.end < until:
                if call.start < plan.ended:
                    # What the plan saw is not known then.
                    return []
                theirs = dict(fault.merge or {})
                data = {**now.get("additionalData", {}), **theirs.pop("additionalData", {})}
                now = {**now, **theirs, "additionalData": data}
        keys = declared.fields.get("additionalData", {}).keys()
        before = shown.get("additionalData", {})
        moved = [
            f"additionalData.{key}"
            for key in sorted(keys & now.get("additionalData", {}).keys())
            if not _is_same(before.get(key), now["additionalData"][key])
        ]
        name = "registrationEnabled"
        if name in declared.fields and name in now and now[name] != shown.get(name, True):
            moved.append(name)
        return moved


def _is_same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return same_value(one, other)


def _made(run: Run, applied: Run) -> bool:
    return run.what == "plan" and run.plan is not None and run.plan["id"] == applied.id


def _paths(merge: Mapping[str, object]) -> Iterator[str]:
    for name, value in merge.items():
        if name == "additionalData" and isinstance(value, Mapping):
            yield from (f"additionalData.{key}" for key in value)
        else:
            yield name


def is_sending(made: LoggedCall, call: Json) -> bool:
    """Whether a call that was made is a planned one."""
    return (made.method, made.path) == (call["method"], call["path"])


def device_of(call: LoggedCall) -> str:
    """Return the registration that a call is about; look-ups by person are about none."""
    if call.path.startswith(_PUSH):
        return call.path.removeprefix(_PUSH).split("/")[0]
    parts = dict(part.partition("=")[::2] for part in call.query.split("&"))
    return parts.get("identifier", "") if parts.get("type") == "PUSH" else ""


def fault_of(call: LoggedCall) -> Fault | None:
    return None if call.fault is None else read_fault(call.fault)


def is_late(call: LoggedCall) -> bool:
    """Whether a call may have been carried out when its client had given it up."""
    fault = fault_of(call)
    slow = fault is not None and fault.effect is Effect.DELAY
    return slow and call.end - call.start > _SURELY_IN_TIME


def is_heard(call: LoggedCall, run: Run) -> bool:
    """Whether the client of a run surely got the whole and true answer to a call."""
    killed = run.killed_at
    if call.status == 0 or (killed is not None and call.end > killed - 0.2):
        return False
    fault = fault_of(call)
    if fault is None:
        return True
    if fault.effect in (Effect.DELAY, Effect.DRIP):
        return call.end - call.start < _SURELY_IN_TIME
    return fault.effect is Effect.RIVAL
