"""One planned call, attempted: read, compared, its intent written, sent, its outcome written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.api.asking import Attempts
from reconciler.api.errors import ApiError, Conflict, Denied, RegistrationNotFound, Rejected
from reconciler.core.device import Owner
from reconciler.core.digest import Digester
from reconciler.core.failures import StateError
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.report import Outcome
from reconciler.plan.definition import PlannedCall
from reconciler.plan.groups import is_ownership
from reconciler.platform.operations import Operation

from .bodies import personalize_body, update_body
from .fresh import Effects, Subject, moved, reached
from .ports import Door, Journal
from .result import Result


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all attempts of a run share. `hindrance` says why nothing may be written any more.

    `unsettled` are the calls that an earlier run of this plan sent, or was about to send.
    """

    plan: str
    door: Door
    journal: Journal
    app_codes: Mapping[str, str]
    digester: Digester
    unsettled: frozenset[str]
    hindrance: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the reads right before a call showed; the owner only before an ownership call.

    `holders` are the people who have a value of the declared owner, before a personalize.
    """

    registration: LiveRegistration
    owner: LivePerson | None
    holders: frozenset[int] = frozenset()


async def attempt(
    call: PlannedCall, subject: Subject, effects: Effects, around: Circumstances
) -> Result:
    """Make one call of a plan, if its device is still as the plan saw it."""
    if (why := around.hindrance()) is not None:
        return Result(Outcome.NOT_TRIED, "not done", why)
    try:
        seen = await _read(call, subject, around)
    except RegistrationNotFound:
        return Result(Outcome.STALE, "not done", "the registration is gone")
    except ApiError as error:
        return _unread(error)
    number = seen.registration.application_id
    if call.id in around.unsettled and reached(call, subject.device, seen.registration, seen.owner):
        detail = "sent by an earlier run, and read to be done"
        result = Result(Outcome.APPLIED, "done", detail, application_id=number)
        return await _noted(call, around, result)
    field = moved(subject, seen.registration, seen.owner, effects, around.digester)
    if field is not None:
        detail = f"{field} changed since the plan"
        return Result(Outcome.STALE, "not done", detail, application_id=number)
    if len(seen.holders) > 1:
        detail = "the declared identity values belong to different people since the plan"
        return Result(Outcome.STALE, "not done", detail, application_id=number)
    try:
        await around.journal.intent(around.plan, call.id)
    except StateError as error:
        return Result(Outcome.NOT_TRIED, "not done", str(error), stop=str(error))
    # The disk took its time; what allowed the call before may not any more.
    if (why := around.hindrance()) is not None:
        return await _noted(call, around, Result(Outcome.NOT_TRIED, "not done", why))
    result = await _send(call, subject, seen, around)
    return await _noted(call, around, result)


async def _read(call: PlannedCall, subject: Subject, around: Circumstances) -> _Seen:
    app_code = around.app_codes[subject.change.application]
    registration = await around.door.registration(call.device, app_code)
    owner: LivePerson | None = None
    if is_ownership(call):
        owner = await around.door.owner(call.device, registration.application_id)
    return _Seen(registration, owner, await _holders(call, subject, owner, around))


async def _holders(
    call: PlannedCall, subject: Subject, owner: LivePerson | None, around: Circumstances
) -> frozenset[int]:
    """Look up who has the declared values now: some readings would merge two people for good."""
    wanted = None if subject.device is None else subject.device.owner
    if call.operation != Operation.PERSONALIZE or not isinstance(wanted, Owner):
        return frozenset()
    found: set[int] = set()
    for value in wanted.identity:
        held = owner is not None and value in owner.identities
        person = owner if held else await around.door.person(value)
        if person is not None and person.identities:
            found.add(person.number)
    return frozenset(found)


def _unread(error: ApiError) -> Result:
    stop = str(error) if isinstance(error, Denied) else None
    return Result(Outcome.FAILED, "not done", str(error), stop=stop)


async def _send(call: PlannedCall, subject: Subject, seen: _Seen, around: Circumstances) -> Result:
    attempts = Attempts()
    number = seen.registration.application_id
    try:
        await _call(call, subject, seen, around, attempts)
    except Denied as error:
        outcome, detail = Outcome.FAILED, str(error)
        return Result(outcome, error.truth, detail, attempts.count, number, stop=detail)
    except (Rejected, Conflict) as error:
        if await _reached_all_the_same(call, subject, number, around):
            detail = "refused, and read to be so already"
            return Result(Outcome.APPLIED, "done", detail, attempts.count, number)
        return Result(Outcome.FAILED, error.truth, str(error), attempts.count, number)
    except ApiError as error:
        outcome = Outcome.UNKNOWN if error.truth == "unknown" else Outcome.FAILED
        return Result(outcome, error.truth, str(error), attempts.count, number)
    return Result(Outcome.APPLIED, "done", None, attempts.count, number)


async def _call(
    call: PlannedCall, subject: Subject, seen: _Seen, around: Circumstances, attempts: Attempts
) -> None:
    app_code = around.app_codes[subject.change.application]
    device = subject.device
    match Operation(call.operation):
        case Operation.UPDATE:
            body = update_body(call, seen.registration)
            await around.door.update(call.device, app_code, body, attempts=attempts)
        case Operation.PERSONALIZE if device is not None and isinstance(device.owner, Owner):
            hidden = personalize_body(call, device.owner)
            await around.door.personalize(
                call.device, app_code, hidden.reveal(), call.query, attempts=attempts
            )
        case Operation.DEPERSONALIZE:
            await around.door.depersonalize(call.device, app_code, attempts=attempts)
        case _:
            raise ValueError(f"{call.id} is no call that an apply makes")


async def _reached_all_the_same(
    call: PlannedCall, subject: Subject, application_id: str, around: Circumstances
) -> bool:
    """Whether an unforced personalize that was refused finds its goal reached.

    Some services refuse what is so already, with a code that nobody documents.
    """
    if call.operation != Operation.PERSONALIZE or "forceDepersonalize" in call.query:
        return False
    try:
        owner = await around.door.owner(call.device, application_id)
    except ApiError:
        return False
    seen = LiveRegistration(call.device, application_id)
    return reached(call, subject.device, seen, owner)


async def _noted(call: PlannedCall, around: Circumstances, result: Result) -> Result:
    """Write the outcome. A journal that fails now ends the run, and hides nothing of it."""
    try:
        await around.journal.outcome(around.plan, call.id, result.outcome)
    except StateError as error:
        said = ": ".join(text for text in (result.detail, str(error)) if text)
        return Result(
            result.outcome, result.truth, said, result.attempts, result.application_id, str(error)
        )
    return result
