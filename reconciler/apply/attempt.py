"""One planned call, attempted until its fate is known: read, compared, intended, sent, judged.

A write is never sent twice with one look: before each repetition the device is read again, so
that what somebody else did meanwhile is seen. A write whose answer never came is settled by that
reading: done, or not done and sent again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.api.breaker import Breaker, BreakerTripped
from reconciler.api.dispatch import Attempts, Timing
from reconciler.api.errors import (
    ApiError,
    Conflict,
    Denied,
    RegistrationNotFound,
    Rejected,
)
from reconciler.api.exchange import do_nothing
from reconciler.api.rate_limit import TooLate
from reconciler.api.retry import SURE_AFTER, RetryBudget
from reconciler.core.device import Owner
from reconciler.core.digest import Digester
from reconciler.core.events import Intended, Listener, Pausing
from reconciler.core.failures import StateError
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.privacy import Privacy
from reconciler.core.report import Outcome
from reconciler.core.safety import Safety
from reconciler.plan.model import PlannedCall
from reconciler.plan.ordering import is_ownership
from reconciler.platform.operations import Operation

from .bodies import personalize_body, update_body
from .owner_look import OwnerLooks
from .ports import Door, Journal
from .result import Result
from .staleness import Effects, Subject, moved, protected, reached
from .stored import StoredValue, describe, stored_otherwise

GONE = "the registration is gone"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all attempts of a run share.

    `unsettled` are the calls that an earlier run of this plan sent, or was about to send; from
    `sure_from` on (by the clock of `timing`) reads tell what became of them.
    """

    plan: str
    door: Door
    looks: OwnerLooks
    journal: Journal
    app_codes: Mapping[str, str]
    digester: Digester
    safety: Safety
    privacy: Privacy
    unsettled: frozenset[str]
    sure_from: float
    breaker: Breaker
    timing: Timing
    listen: Listener


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the reads right before a call showed; the owner only before an ownership call.

    `holders` are the people who have a value of the declared owner, before a personalize;
    `good_until` and `release` see OwnerLook.
    """

    registration: LiveRegistration
    owner: LivePerson | None = None
    holders: frozenset[int] = frozenset()
    good_until: float = math.inf
    release: Callable[[], None] = do_nothing


@dataclass(slots=True)
class _Trial:
    """What the attempts of one call have come to.

    in_doubt: sent, and nobody knows whether it was done · trouble: what the last attempt met ·
    is_last: another look may settle it, but it is not sent again · is_noted: the journal knows it ·
    is_intended: its intent is written, and it has not been sent since.
    """

    in_doubt: bool
    is_noted: bool
    trouble: ApiError | None = None
    is_last: bool = False
    is_intended: bool = False
    application_id: str | None = None
    attempts: Attempts = field(default_factory=Attempts)
    tries: RetryBudget = field(default_factory=RetryBudget)

    def settle(self, *, done: bool) -> None:
        """Take down what a look has told."""
        self.in_doubt = False
        if self.trouble is not None:
            # What the error says is true now, and it is shown.
            self.trouble.truth = "done" if done else "not done"

    def ended(
        self,
        outcome: Outcome,
        truth: str | None = None,
        detail: str | None = None,
        stop: str | None = None,
    ) -> Result:
        """Return the result; what is true is what the attempts say, unless the caller knows."""
        known = truth or ("unknown" if self.in_doubt else "not done")
        return Result(outcome, known, detail, self.attempts.count, self.application_id, stop)


async def attempt(
    call: PlannedCall, subject: Subject, effects: Effects, circumstances: Circumstances
) -> Result:
    """Make one call of a plan, if its device is still as the plan saw it; return its fate."""
    was_sent = call.id in circumstances.unsettled
    tries_so_far = _Trial(in_doubt=was_sent, is_noted=was_sent)
    try:
        if was_sent:
            await _until_sure(circumstances)
        while True:
            result = await _once(call, subject, effects, circumstances, tries_so_far)
            if result is not None:
                return await _noted(call, circumstances, tries_so_far, result)
    except BreakerTripped as closed:
        return await _noted(
            call, circumstances, tries_so_far, _cut_short(tries_so_far, closed.reason)
        )


async def _until_sure(circumstances: Circumstances) -> None:
    """Wait as after a lost answer: the run before may have been killed a moment ago."""
    wait = circumstances.sure_from - circumstances.timing.clock()
    if wait > 0:
        with circumstances.breaker.waiting():
            await circumstances.timing.sleep(wait)


async def _once(
    call: PlannedCall,
    subject: Subject,
    effects: Effects,
    circumstances: Circumstances,
    tries_so_far: _Trial,
) -> Result | None:
    """Look, and send if that is right; None when it has to be looked at again."""
    try:
        seen = await _read(call, subject, effects, circumstances, tries_so_far)
    except RegistrationNotFound:
        return tries_so_far.ended(Outcome.STALE, detail=GONE)
    except ApiError as error:
        return _unread(tries_so_far, error, circumstances)
    try:
        return await _judge_and_send(call, subject, effects, circumstances, tries_so_far, seen)
    finally:
        seen.release()


async def _judge_and_send(
    call: PlannedCall,
    subject: Subject,
    effects: Effects,
    circumstances: Circumstances,
    tries_so_far: _Trial,
    seen: _Seen,
) -> Result | None:
    tries_so_far.application_id = seen.registration.application_id
    settled = _settled(call, subject, effects, circumstances, tries_so_far, seen)
    if settled is not None:
        return settled
    tries_so_far.settle(done=False)
    if tries_so_far.is_last and tries_so_far.trouble is not None:
        return tries_so_far.ended(Outcome.FAILED, detail=str(tries_so_far.trouble))
    try:
        if not tries_so_far.is_intended:
            await circumstances.journal.intent(circumstances.plan, call.id)
    except StateError as error:
        return _cut_short(tries_so_far, str(error))
    tries_so_far.is_noted = tries_so_far.is_intended = True
    if circumstances.timing.clock() > seen.good_until:
        # The disk took its time: somebody else may own it by now.
        return None
    tries_so_far.attempts.good_until = seen.good_until
    tries_so_far.attempts.leaves = seen.release
    circumstances.listen(Intended(call.id, lambda: tries_so_far.attempts.written))
    return await _send(call, subject, seen, circumstances, tries_so_far)


def _settled(
    call: PlannedCall,
    subject: Subject,
    effects: Effects,
    circumstances: Circumstances,
    tries_so_far: _Trial,
    seen: _Seen,
) -> Result | None:
    """Return what a look at the device settles; None if the call is still to be made."""
    looked_for = tries_so_far.in_doubt or _refused(tries_so_far.trouble)
    if looked_for and reached(call, subject.device, seen.registration, seen.owner):
        how = _how_it_is_known(tries_so_far)
        tries_so_far.settle(done=True)
        return tries_so_far.ended(Outcome.APPLIED, "done", how)
    if tries_so_far.in_doubt and _is_half_moved(call, seen):
        effects = replace(effects, owner_changed=True)
    path = moved(subject, seen.registration, seen.owner, effects, circumstances.digester)
    if path is not None:
        return tries_so_far.ended(Outcome.STALE, detail=f"{path} changed since the plan")
    if is_ownership(call) and not tries_so_far.in_doubt:
        rule = protected(subject, seen.registration, circumstances.safety)
        if rule is not None:
            detail = f"it is protected since the plan, by the rule at {rule.source}"
            return tries_so_far.ended(Outcome.STALE, detail=detail)
    if len(seen.holders) > 1:
        detail = "the declared identity values belong to different people since the plan"
        return tries_so_far.ended(Outcome.STALE, detail=detail)
    return None


def _refused(trouble: ApiError | None) -> bool:
    return isinstance(trouble, (Rejected, Conflict))


def _how_it_is_known(tries_so_far: _Trial) -> str:
    if tries_so_far.trouble is None:
        return "sent by an earlier run, and read to be done"
    if _refused(tries_so_far.trouble):
        return "refused, and read to be so already"
    return "its answer did not come; read to be done"


def _is_half_moved(call: PlannedCall, seen: _Seen) -> bool:
    """Whether a forced move may have got as far as detaching: then nobody owns the device."""
    is_forced = "forceDepersonalize" in call.query
    return is_forced and (seen.owner is None or not seen.owner.is_somebody)


def _cut_short(tries_so_far: _Trial, why: str) -> Result:
    """Return the result of a call that may not be sent, or not looked at, any more."""
    if tries_so_far.in_doubt:
        said = (
            "sent by an earlier run" if tries_so_far.trouble is None else str(tries_so_far.trouble)
        )
        return tries_so_far.ended(
            Outcome.UNKNOWN, detail=f"{said}; not read any more: {why}", stop=why
        )
    if tries_so_far.trouble is not None:
        detail = f"{tries_so_far.trouble}; not sent again: {why}"
        return tries_so_far.ended(Outcome.FAILED, detail=detail, stop=why)
    return tries_so_far.ended(Outcome.NOT_TRIED, detail=why, stop=why)


def _unread(tries_so_far: _Trial, error: ApiError, circumstances: Circumstances) -> Result:
    """Return the result of a call whose device could not be read."""
    if tries_so_far.in_doubt:
        said = (
            "sent by an earlier run" if tries_so_far.trouble is None else str(tries_so_far.trouble)
        )
        stop = str(error) if isinstance(error, Denied) else None
        return tries_so_far.ended(Outcome.UNKNOWN, detail=f"{said}; then {error}", stop=stop)
    if isinstance(error, Denied):
        # Nothing else will work either; the calls that meet it after the first were not tried.
        if tries_so_far.trouble is not None:
            return _cut_short(tries_so_far, str(error))
        first = circumstances.breaker.reason in (None, str(error))
        outcome = Outcome.FAILED if first else Outcome.NOT_TRIED
        return tries_so_far.ended(outcome, detail=str(error), stop=str(error))
    return tries_so_far.ended(Outcome.FAILED, detail=str(tries_so_far.trouble or error))


async def _read(
    call: PlannedCall,
    subject: Subject,
    effects: Effects,
    circumstances: Circumstances,
    tries_so_far: _Trial,
) -> _Seen:
    circumstances.breaker.raise_if_tripped()
    app_code = circumstances.app_codes[subject.change.application]
    if not is_ownership(call):
        return _Seen(await circumstances.door.registration(call.device, app_code))
    look = await circumstances.looks.look(
        call, subject, effects, app_code, in_doubt=tries_so_far.in_doubt
    )
    return _Seen(look.registration, look.owner, look.holders, look.good_until, look.release)


async def _send(
    call: PlannedCall,
    subject: Subject,
    seen: _Seen,
    circumstances: Circumstances,
    tries_so_far: _Trial,
) -> Result | None:
    """Send the call once; return its fate, or None after the wait for another look."""
    try:
        # The disk took its time; what allowed the call before may not any more.
        circumstances.breaker.raise_if_tripped()
        stored = await _call(call, subject, seen, circumstances, tries_so_far.attempts)
    except TooLate:
        return None
    except RegistrationNotFound:
        return tries_so_far.ended(Outcome.STALE, "not done", GONE)
    except Denied as error:
        return tries_so_far.ended(Outcome.FAILED, error.truth, str(error), stop=str(error))
    except ApiError as error:
        tries_so_far.trouble = error
        tries_so_far.is_intended = False
        tries_so_far.in_doubt = error.truth == "unknown"
        wait = tries_so_far.tries.wait_after(error, jitter=circumstances.timing.jitter())
        tries_so_far.is_last = wait is None
        if wait is None:
            if not tries_so_far.in_doubt and not _may_be_so_already(call, error):
                return tries_so_far.ended(Outcome.FAILED, detail=str(error))
            wait = SURE_AFTER if tries_so_far.in_doubt else 0.0
        circumstances.listen(Pausing(call.operation, wait, error.attempts, str(error)))
        with circumstances.breaker.waiting():
            await circumstances.timing.sleep(wait)
        return None
    if stored:
        detail = describe(stored, circumstances.privacy)
        result = tries_so_far.ended(Outcome.STORED_OTHERWISE, "done", detail)
        return replace(result, stored=stored)
    return tries_so_far.ended(Outcome.APPLIED, "done", _after_trouble(tries_so_far))


def _may_be_so_already(call: PlannedCall, error: ApiError) -> bool:
    """Whether an unforced personalize was refused, perhaps because its goal is reached.

    Some services refuse what is so already, with a code that nobody documents.
    """
    is_unforced = call.operation == Operation.PERSONALIZE and "forceDepersonalize" not in call.query
    return is_unforced and _refused(error)


def _after_trouble(tries_so_far: _Trial) -> str | None:
    return None if tries_so_far.trouble is None else f"after {tries_so_far.attempts.count} attempts"


async def _call(
    call: PlannedCall,
    subject: Subject,
    seen: _Seen,
    circumstances: Circumstances,
    attempts: Attempts,
) -> tuple[StoredValue, ...]:
    """Make the call; return what the answer to an update shows otherwise than it was sent."""
    app_code = circumstances.app_codes[subject.change.application]
    device = subject.device
    match Operation(call.operation):
        case Operation.UPDATE:
            body = update_body(call, seen.registration)
            answer = await circumstances.door.update(call.device, app_code, body, attempts=attempts)
            return stored_otherwise(call, seen.registration, answer)
        case Operation.PERSONALIZE if device is not None and isinstance(device.owner, Owner):
            hidden = personalize_body(call, device.owner)
            await circumstances.door.personalize(
                call.device, app_code, hidden.reveal(), call.query, attempts=attempts
            )
        case Operation.DEPERSONALIZE:
            await circumstances.door.depersonalize(call.device, app_code, attempts=attempts)
        case _:
            raise ValueError(f"{call.id} is no call that an apply makes")
    return ()


async def _noted(
    call: PlannedCall, circumstances: Circumstances, tries_so_far: _Trial, result: Result
) -> Result:
    """Write the outcome. A journal that fails now ends the run, and hides nothing of it."""
    if not tries_so_far.is_noted:
        return result
    try:
        await circumstances.journal.outcome(circumstances.plan, call.id, result.outcome)
    except StateError as error:
        said = "; ".join(text for text in (result.detail, str(error)) if text)
        return replace(result, detail=said, stop=str(error))
    return result
