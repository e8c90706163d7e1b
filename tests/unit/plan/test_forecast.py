"""How long an apply takes: small plans computed by hand, and bounds that every plan keeps."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.forecast import USUAL_LATENCY, Lookups, forecast, lookups_of
from reconciler.plan.model import ForecastCalls, PlannedCall
from reconciler.plan.simulation import SimulatedCall, least, simulate
from reconciler.platform.operations import IN_ORDER, Operation
from reconciler.platform.pace import gap, streams
from tests.fleet import (
    Service,
    desired,
    device,
    email,
    external,
    owner,
    person,
    phone,
    plan,
    project,
    record,
    registration,
)

NONE = dict.fromkeys(Operation, inf)
USUAL = dict.fromkeys(Operation, 40.0) | {Operation.PERSONS: 4.0}


def call(name, after=(), needs=()):
    operation, _, id_ = name.partition("/")
    return PlannedCall(
        name, operation, id_, "POST", f"/{id_}", {}, None, tuple(after), tuple(needs)
    )


def test_nothing_takes_no_time():
    """A plan without calls."""
    assert (0.0, 0, ForecastCalls()) == of(forecast((), {}, USUAL, 1.0))


def of(foretold):
    return foretold.seconds, foretold.chain, foretold.calls


def test_a_call_takes_as_long_as_its_reads_and_itself():
    """An update two answers, a detach three, a handover as many more as values are looked up."""
    assert (2.0, 1, ForecastCalls(get=1, update=1)) == of(
        forecast([call("update/a")], {}, NONE, 1.0)
    )
    assert (3.0, 1, ForecastCalls(get=1, depersonalize=1)) == of(
        forecast([call("depersonalize/a")], {}, NONE, 1.0)
    )
    assert (5.0, 1, ForecastCalls(get=1, persons=2, personalize=1)) == of(
        forecast([call("personalize/a")], {"personalize/a": Lookups(persons=2)}, NONE, 1.0)
    )


def test_a_chain_takes_the_sum_of_its_calls():
    """A handover, the update behind it, and one more: 4 + 2 + 2 answers; beside it a short one."""
    calls = [
        call("personalize/a"),
        call("update/a", needs=["personalize/a"]),
        call("update/b", after=["update/a"]),
        call("update/z"),
    ]
    assert (8.0, 3) == of(forecast(calls, {"personalize/a": Lookups(persons=1)}, NONE, 1.0))[:2]


def test_the_busiest_stream_takes_its_time():
    """41 updates at 40 a second: the last read leaves after 40 gaps, then come two answers."""
    calls = [call(f"update/{number}") for number in range(41)]
    assert pytest.approx(1.015 / 40) == gap(40.0)
    assert 3.0 == forecast(calls, {}, USUAL, 1.0).seconds


def test_look_ups_of_people_are_few_a_second():
    """Nine claims are nine look-ups at 4 a second, 8 gaps; before them a read, behind the last its
    answer and the claim's."""
    calls = [call(f"personalize/{number}") for number in range(9)]
    lookups = {one.id: Lookups(matches=False, persons=1) for one in calls}
    assert round(8 * 1.015 / 4 + 3.0, 1) == forecast(calls, lookups, USUAL, 1.0).seconds


def test_handovers_that_wait_share_a_match():
    """Four hundred are at the pace of their reads, and no slower for the limit of the matches."""
    calls = [call(f"personalize/{number}") for number in range(400)]
    rates = USUAL | {Operation.MATCH: 2.0}
    for limits in (USUAL, rates):
        assert 399 * gap(40.0) <= forecast(calls, {}, limits, 0.1).seconds <= 399 * gap(40.0) + 1.5


def test_only_so_many_are_at_work():
    """256 updates without limits, and 64 places for reads: four rounds of reads, and a write."""
    calls = [call(f"update/{number}") for number in range(256)]
    assert 50.0 <= forecast(calls, {}, NONE, 10.0).seconds <= 51.0


def test_what_is_done_is_not_done_again():
    """And holds nothing up."""
    calls = [call("personalize/a"), call("update/a", needs=["personalize/a"]), call("update/b")]
    left = forecast(calls, {"personalize/a": Lookups()}, NONE, 1.0, {"personalize/a", "update/b"})
    assert (2.0, 1, ForecastCalls(get=1, update=1)) == of(left)


def test_where_nobody_measured_an_answer_it_is_a_usual_one():
    """And the forecast says which."""
    assert USUAL_LATENCY == forecast([call("update/a")], {}, NONE).latency_seconds
    assert 0.2 == forecast([call("update/a")], {}, NONE).seconds


def test_without_limits_this_machine_is_the_limit():
    """Never nothing: a thousand updates are two thousand answers."""
    calls = [call(f"update/{number}") for number in range(1_000)]
    for rates in (NONE, dict.fromkeys(Operation, 0.0)):
        assert 1.0 <= forecast(calls, {}, rates, 0.0).seconds <= 5.0


def test_values_that_the_owner_lacks_are_looked_up():
    """A handover to somebody who has all is matched; what an owner lacks and nobody has is looked
    up, and then the owner; so is that nobody owns a device."""
    ana = owner("ana", external("ana"), phone("+385911"), email("ana@x"))
    service = Service(
        person(1, external("ana"), owns=[registration("a")]),
        person(2, external("bob"), owns=[registration("b")]),
        unowned=[registration("c")],
    )
    completed = desired(device("a", owner=ana))
    moved = desired(device("a", owner=owner("ana")), device("b", owner=owner("ana")))
    new = desired(device("b", owner=owner("eve", external("eve"), email("eve@x"))))
    claimed = desired(device("c", owner=owner("ana")))
    for declared, expected in (
        (completed, {"personalize/a": Lookups(persons=3)}),
        (moved, {"personalize/b": Lookups()}),
        (new, {"personalize/b": Lookups(persons=3)}),
        (claimed, {"personalize/c": Lookups(matches=False, persons=1)}),
    ):
        live = service.read(declared, record(), project())
        made = plan(declared, service)
        assert expected == lookups_of(made.calls, made.changes, declared, live.people)


def test_a_plan_says_how_long_it_takes():
    """In the document and in its summary, at the rates and the latency of its circumstances."""
    service = Service(
        person(1, external("ana"), owns=[registration("a", is_primary=True), registration("b")])
    )
    declared = desired(device("a", is_primary=False), device("b", is_primary=True))
    made = plan(declared, service, latency=0.5)
    assert (2.0, 2.0, 2, 0.5) == (
        made.forecast.seconds,
        made.summary.forecast_seconds,
        made.forecast.chain,
        made.forecast.latency_seconds,
    )
    assert ForecastCalls(get=2, update=2) == made.forecast.calls
    assert made.digest == plan(declared, service, latency=0.1).digest


@st.composite
def errands(draw):
    """Up to thirty calls of every kind, each behind some of those before it."""
    found = []
    for place in range(draw(st.integers(1, 30))):
        kind = draw(st.sampled_from(IN_ORDER))
        *reads, write = streams(kind)
        more = draw(st.integers(0, 3)) if kind is Operation.PERSONALIZE else 0
        way = (*reads, *(Operation.PERSONS,) * more, write)
        earlier = draw(st.sets(st.integers(0, place - 1), max_size=2)) if place else set()
        found.append(SimulatedCall(kind, way, tuple(sorted(earlier))))
    return found


RATES = st.fixed_dictionaries(
    {kind: st.sampled_from([0.5, 1.0, 4.0, 5.6, 40.0, 400.0, inf]) for kind in Operation}
)
LATENCIES = st.floats(0.0, 2.0)


@given(errands(), RATES, LATENCIES)
def test_no_plan_is_quicker_than_its_parts(made, rates, latency):
    """Than the busiest stream, than the longest chain of answers, than what is done by each; and
    none is slower than one call after the other."""
    took = simulate(made, rates, latency)
    assert took >= least(made, rates, latency) - 1e-9
    for kind in set(Operation) - {Operation.MATCH}:
        count = sum(errand.way.count(kind) for errand in made)
        assert took >= (count - 1) * gap(rates[kind]) - 1e-9
    answers = sum(len(errand.way) for errand in made)
    slowest = max(gap(rates[kind]) for kind in Operation)
    assert took <= answers * (latency + slowest + 0.005)


@given(st.integers(1, 400), RATES, LATENCIES, LATENCIES)
def test_what_waits_for_nothing_is_slower_the_farther_the_service(count, rates, one, other):
    """With edges it may not be, as for any work that is shared out first come, first served: a
    call that is late gives way to one that many wait for."""
    made = [SimulatedCall(Operation.UPDATE, streams(Operation.UPDATE))] * count
    near, far = sorted((one, other))
    assert simulate(made, rates, near) <= simulate(made, rates, far) + 1e-9


@given(errands(), RATES, LATENCIES, LATENCIES)
def test_the_bound_grows_with_the_latency(made, rates, one, other):
    """Whatever the edges."""
    near, far = sorted((one, other))
    assert least(made, rates, near) <= least(made, rates, far)
