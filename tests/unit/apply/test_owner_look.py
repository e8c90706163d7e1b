"""The look right before an ownership call: by match where that confirms, else one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import pytest

from reconciler.api.breaker import Breaker
from reconciler.api.errors import Denied, Rejected
from reconciler.apply.owner_look import FRESH_FOR, MatchBatcher
from reconciler.core.device import OnRemove
from reconciler.core.identity import IdentityValue
from reconciler.core.live import Matchable
from reconciler.core.report import Outcome
from tests.changed import replace
from tests.fleet import desired, device, external, owner, phone, project

from .model import ModelDoor, Run, outcomes, person, refusal, registration, world

ANA, BOB = owner("ana"), owner("bob")
A1, B2 = person(1, external("ana")), person(2, external("bob"))
APPLIED, STALE = Outcome.APPLIED, Outcome.STALE


def handover(to=BOB, *more) -> Run:
    return Run(desired(device("a", owner=to)), world(A1, B2, *more, registration("a", 1)))


def claim(to=ANA) -> Run:
    return Run(desired(device("a", owner=to)), world(A1, B2, registration("a")))


def detach() -> Run:
    return Run(desired(device("a", owner=None)), world(A1, registration("a", 1)))


def leave() -> Run:
    of = project(on_remove=OnRemove.DEPERSONALIZE)
    return Run(
        desired(device("z")), world(A1, registration("a", 1), registration("z")), [LEFT], of=of
    )


LEFT = device("a", owner=ANA)


@pytest.mark.parametrize("make", [handover, detach, leave])
def test_the_owner_that_the_plan_saw_is_confirmed_by_its_number(make: Callable[[], Run]) -> None:
    """Nothing else of anybody is read."""
    run = make()
    assert run.carry_out().complete
    assert ["get", "match"] == [call.partition("/")[0] for call in run.door.calls[:2]]
    assert not [call for call in run.door.calls if call.startswith("persons/")]


def test_that_nobody_owns_it_is_never_told_by_a_match() -> None:
    """A claim asks for the owner by itself."""
    run = claim()
    assert run.carry_out().complete
    assert ["get/a", "persons/a", "personalize/a"] == run.door.calls


def test_values_that_a_match_leaves_out_are_looked_up_where_there_are_several() -> None:
    """Perhaps somebody has them: then the service might make two people one. The owner is last."""
    run = handover(owner("eve", external("eve"), phone("385919")))
    assert run.carry_out().complete
    assert [
        "get/a",
        "match/3",
        "persons/externalId",
        "persons/phoneNumber",
        "persons/a",
        "personalize/a",
    ] == run.door.calls


@pytest.mark.parametrize("can_match", [True, False])
def test_values_of_two_people_are_not_sent(can_match: bool) -> None:
    """Whichever way it is found out."""
    run = handover(owner("bob", external("bob"), phone("385911")))
    run.door.matcher.is_refused = not can_match
    run.door.world = run.door.world.with_person(person(3, phone("385911")))
    assert {"personalize/a": STALE} == outcomes(run.carry_out())
    assert [] == run.door.writes


@pytest.mark.parametrize("make", [handover, claim, detach, leave])
def test_where_match_is_refused_people_are_looked_up_one_by_one(make: Callable[[], Run]) -> None:
    """For the rest of the run, with the same end."""
    run = make()
    asked = []

    def meddle(name: str) -> None:
        asked.append(name)
        if name.startswith("match/"):
            raise refusal(Denied, name, status=403)

    run.door.meddle = meddle
    assert run.carry_out().complete
    assert "persons/a" in asked
    assert sum(name.startswith("match/") for name in asked) <= 1


class Blind(ModelDoor):
    """Answers no match with the number of a registration, or with wrong ones."""

    tells: Callable[[Matchable, int], int | None]

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]:
        told = {key: self.tells(key, number) for key, number in (await super().match(keys)).items()}
        return {key: number for key, number in told.items() if number is not None}


@pytest.mark.parametrize(
    "tells",
    [
        pytest.param(lambda key, number: None, id="nobody"),
        pytest.param(
            lambda key, number: number if isinstance(key, IdentityValue) else None, id="no owner"
        ),
        pytest.param(lambda key, number: number + 100, id="others"),
    ],
)
@pytest.mark.parametrize("make", [handover, claim, detach, leave])
def test_what_a_match_leaves_out_or_tells_otherwise_decides_nothing(
    make: Callable[[], Run], tells: Callable[[Matchable, int], int | None]
) -> None:
    """The owner is read one by one then, and is as the plan saw it."""
    run = make()
    run.door.__class__ = Blind
    run.door.tells = tells  # type: ignore[attr-defined]
    assert run.carry_out().complete
    assert "persons/a" in run.door.calls


@pytest.mark.parametrize("make", [handover, detach, leave])
def test_a_device_that_somebody_took_is_left_alone(make: Callable[[], Run]) -> None:
    """Another number than the plan saw is looked at in full, and stale."""
    run = make()
    start = run.door.world.with_person(person(9, external("eve")))
    run.door.world = start.with_registration(replace(start.registrations["a"], owner=9))
    (outcome,) = {row.outcome for row in run.carry_out().rows if row.device == "a"}
    assert STALE is outcome
    assert [] == run.door.writes


def test_a_look_that_is_old_before_the_call_leaves_is_made_again() -> None:
    """The disk took its time: who owned it then may not own it now, and the intent is not written
    twice."""
    run = handover()
    now = 0.0
    journal = run.state.journal
    write, intents = journal.intent, 0

    async def intent(plan: str, call: str) -> None:
        nonlocal now, intents
        intents += 1
        now += FRESH_FOR + 0.1
        await write(plan, call)

    journal.intent = intent  # type: ignore[method-assign]
    from reconciler.api.dispatch import Timing

    assert run.carry_out(timing=Timing(clock=lambda: now)).complete
    assert ["get/a", "match/2", "get/a", "match/2", "personalize/a"] == run.door.calls
    assert 1 == intents


class Gate:
    """A door whose matches wait until they are let through."""

    def __init__(self, size: int = 50) -> None:
        self.match_size = size
        self.can_match = True
        self.asked: list[list[Matchable]] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]:
        self.asked.append(list(keys))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return {key: len(self.asked) for key in self.asked[-1]}


def test_look_ups_that_wait_share_a_call_and_late_ones_the_next() -> None:
    """What came after a call left is not answered by it."""

    async def run() -> None:
        gate = Gate()
        batcher = MatchBatcher(gate, Breaker())  # type: ignore[arg-type]
        first = asyncio.create_task(batcher.match([external("a")]))
        await asyncio.sleep(0)
        later = [asyncio.create_task(batcher.match([external(str(n))])) for n in range(5)]
        await asyncio.sleep(0)
        assert 1 == len(gate.asked)
        gate.open.set()
        assert {external("a"): 1} == await first
        assert [{external(str(n)): 2} for n in range(5)] == await asyncio.gather(*later)
        assert [1, 5] == [len(keys) for keys in gate.asked]

    asyncio.run(run())


def test_no_call_names_more_than_the_service_takes() -> None:
    """A look-up is not parted from itself; one that is too large goes alone."""

    async def run() -> None:
        gate = Gate(size=4)
        batcher = MatchBatcher(gate, Breaker())  # type: ignore[arg-type]
        sizes = enumerate((3, 2, 2, 9))
        asked = [[external(f"{n}-{k}") for k in range(size)] for n, size in sizes]
        tasks = [asyncio.create_task(batcher.match(keys)) for keys in asked]
        await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(*tasks)
        assert [3, 4, 9] == [len(keys) for keys in gate.asked]

    asyncio.run(run())


def test_a_failure_is_everybody_s_who_waited_for_that_call_and_nobody_else_s() -> None:
    """The next call is made for those who come later."""

    async def run() -> None:
        gate = Gate()
        gate.error = Rejected("match", None, "POST", "/x", 401)
        gate.open.set()
        batcher = MatchBatcher(gate, Breaker())  # type: ignore[arg-type]
        failed = await asyncio.gather(
            *(batcher.match([external(name)]) for name in "ab"), return_exceptions=True
        )
        assert [gate.error] * 2 == failed
        gate.error = None
        assert {external("c"): len(gate.asked) + 1} == await batcher.match([external("c")])

    asyncio.run(run())


def test_who_asks_for_others_and_is_cancelled_leaves_them_to_the_next() -> None:
    """Nobody waits for ever."""

    async def run() -> None:
        gate = Gate()
        batcher = MatchBatcher(gate, Breaker())  # type: ignore[arg-type]
        one = asyncio.create_task(batcher.match([external("a")]))
        other = asyncio.create_task(batcher.match([external("b")]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        one.cancel()
        await asyncio.sleep(0)
        gate.open.set()
        assert external("b") in await asyncio.wait_for(other, 5)

    asyncio.run(run())
