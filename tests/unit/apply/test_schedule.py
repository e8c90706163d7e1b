"""Order and need: what may start, what is skipped, what goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply.schedule import Schedule, in_order
from reconciler.core.report import Outcome
from reconciler.plan.model import PlannedCall


def call(id_: str, after: tuple[str, ...] = (), needs: tuple[str, ...] = ()) -> PlannedCall:
    return PlannedCall(id_, "update", id_, "PATCH", "/", {}, None, after, needs)


def ids(calls: list[PlannedCall]) -> list[str]:
    return [one.id for one in calls]


def test_a_call_starts_when_all_that_it_follows_is_settled() -> None:
    """Both kinds of edges hold it back, one call named by both only once."""
    schedule = Schedule([call("a"), call("b"), call("c", after=("a", "b"), needs=("a",))])

    assert ["a", "b"] == ids(schedule.ready())
    assert ([], []) == schedule.settle("a", Outcome.APPLIED)
    ready, skipped = schedule.settle("b", Outcome.FAILED)
    assert (["c"], []) == (ids(ready), skipped)


def test_a_failure_skips_what_needs_it_and_frees_what_follows() -> None:
    """Through any number of links, each naming the call that it needed itself."""
    schedule = Schedule(
        [call("a"), call("b", needs=("a",)), call("c", needs=("b",)), call("d", after=("c",))]
    )

    ready, skipped = schedule.settle("a", Outcome.STALE)

    assert ["d"] == ids(ready)
    assert [("b", "a"), ("c", "b")] == [(one.call.id, one.because) for one in skipped]
    assert not schedule.finished
    schedule.settle("d", Outcome.APPLIED)
    assert schedule.finished


def test_a_chain_of_100000_calls_is_walked_and_skipped() -> None:
    """No recursion, and no search through calls that have nothing to do with it."""
    chain = [call("0")] + [call(str(n), needs=(str(n - 1),)) for n in range(1, 100_000)]

    _, skipped = Schedule(chain).settle("0", Outcome.FAILED)

    assert 99_999 == len(skipped)


def test_edges_that_point_forward_or_nowhere_are_no_order() -> None:
    """So a schedule of what passes can never wait for ever."""
    assert in_order([call("a"), call("b", after=("a",))])
    assert not in_order([call("a", after=("b",)), call("b")])
    assert not in_order([call("a", needs=("gone",))])
    assert not in_order([call("a", needs=("a",))])
    assert not in_order([call("a"), call("a")])


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[PlannedCall], list[Outcome]]:
    size = draw(st.integers(1, 12))
    earlier = [st.sets(st.sampled_from(range(n))) if n else st.just(set()) for n in range(size)]
    calls = [
        call(
            str(n),
            tuple(map(str, sorted(draw(earlier[n])))),
            tuple(map(str, sorted(draw(earlier[n])))),
        )
        for n in range(size)
    ]
    some = st.sampled_from([Outcome.APPLIED, Outcome.APPLIED, Outcome.FAILED, Outcome.STALE])
    return calls, draw(st.lists(some, min_size=size, max_size=size))


@given(plans(), st.randoms(use_true_random=False))
def test_every_call_comes_out_exactly_once(
    drawn: tuple[list[PlannedCall], list[Outcome]], chance: object
) -> None:
    """Whatever fails, in whatever order answers come: made or skipped, and never too early."""
    calls, outcomes = drawn
    schedule = Schedule(calls)
    by_id = {one.id: one for one in calls}
    waiting = schedule.ready()
    settled: dict[str, bool] = {}
    while waiting:
        one = waiting.pop(chance.randrange(len(waiting)))  # type: ignore[attr-defined]
        assert settled.keys() >= {*one.after, *one.needs}
        assert all(settled[id_] for id_ in one.needs)
        outcome = outcomes[int(one.id)]
        settled[one.id] = outcome is Outcome.APPLIED
        ready, skipped = schedule.settle(one.id, outcome)
        waiting += ready
        for skip in skipped:
            assert skip.because in by_id[skip.call.id].needs
            assert skip.call.id not in settled
            settled[skip.call.id] = False

    assert schedule.finished
    assert by_id.keys() == settled.keys()
