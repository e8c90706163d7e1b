"""Any part of any fleet: what is chosen becomes as declared, what is left out stays as it was."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.live import Live
from reconciler.core.record import Record
from reconciler.diff.previous import Previous, changed_since
from reconciler.diff.scope import Scope
from reconciler.plan.build import Circumstances, build
from reconciler.plan.coverage import coverage
from reconciler.plan.document import decode, encode
from reconciler.plan.fingerprints import declaration_digest
from reconciler.plan.model import Plan, ReadCounts, Reads
from reconciler.plan.people import DeclaredPeople
from reconciler.plan.replay import replay
from reconciler.platform.assumptions import readings
from reconciler.platform.operations import DEFAULT_LIMITS
from reconciler.platform.world import Person, Registration, World
from tests.fleet import APPLICATION_IDS, DIGESTER, desired, device, plan, project, record

from .test_model import CHOICES, IDS, OWNERS, as_service, manifests, undeclared, worlds

EMPTY = record()
PARTS = st.frozensets(st.sampled_from(IDS), min_size=1)


# Of these the last two are registrations of another application.
CROWD = IDS[:5]


@st.composite
def crowds(draw: st.DrawFn) -> tuple[World, Desired]:
    """Few people with many devices, declared in every way: flags are what they fight for."""
    places = {id_: "shop" if id_ in CROWD[3:] else "courier" for id_ in CROWD}
    world = World.of(
        [Person(1, frozenset(OWNERS["p0"].identity)), Person(2, frozenset(OWNERS["p2"].identity))],
        [
            Registration(
                id_,
                APPLICATION_IDS[application],
                owner=draw(st.sampled_from([1, 1, 2, None])),
                is_primary=draw(st.booleans()),
            )
            for id_, application in places.items()
        ],
        {one: one for one in APPLICATION_IDS.values()},
    )
    devices: list[DesiredDevice] = []
    primaries: set[tuple[str, str]] = set()
    for id_, application in places.items():
        whose = draw(st.sampled_from([ABSENT, ABSENT, "p0", "p2", None]))
        flag = draw(st.sampled_from([ABSENT, True, False, False]))
        if flag is True and isinstance(whose, str):
            flag = (whose, application) not in primaries
            primaries.add((whose, application))
        owner = OWNERS[whose] if isinstance(whose, str) else whose
        devices.append(device(id_, application=application, owner=owner, is_primary=flag))
    return world, desired(*devices)


FLEETS = st.one_of(crowds(), st.tuples(worlds(), manifests()))


def part(declared: Desired, world: World, chosen: frozenset[str], recorded: Record = EMPTY) -> Plan:
    """Plan a part of the fleet and what comes along, as the command line does."""
    service, of = as_service(world), project()
    scope = Scope.of(declared, recorded, of, chosen)
    live = Live()
    for _ in range(50):
        needs = scope.missing(live)
        if not needs:
            break
        live = service.answer(live, needs)
    else:
        raise AssertionError("missing never ends")
    return build(
        declared,
        recorded,
        live,
        of,
        Circumstances(
            "plan-1",
            "2026-11-23T20:00:00Z",
            Reads("points", ReadCounts()),
            dict(DEFAULT_LIMITS),
            scope=scope.covered(live),
            coverage=coverage(["--target x"], chosen, scope.along(live), declared, recorded),
        ),
    )


@settings(max_examples=100, deadline=None)
@given(FLEETS, PARTS, PARTS, CHOICES)
def test_the_chosen_become_as_declared_and_the_rest_is_left_alone(fleet, part_of, applied, chosen):
    """Under every reading: all calls succeed, a second plan of the part is empty, and nothing
    moves of devices that are left out, declared or not, but what a warning names."""
    world, declared = fleet
    picked = part_of & declared.devices.keys()
    recorded = record(*(one for one in declared.devices.values() if one.id in applied))
    made = part(declared, world, picked, recorded)
    covered = picked.union(one.device for one in made.coverage.dependencies)
    people = DeclaredPeople(declared)
    after, failed = replay(world, made.calls, people, readings(chosen))
    assert failed is None
    assert {call.device for call in made.calls} <= covered
    withheld = {id_ for error in made.errors for id_ in error.devices}
    assert withheld <= covered
    again = part(declared, after, picked, recorded)
    assert {call.device for call in again.calls} <= withheld
    named = {(warning.device, path) for warning in made.warnings for path in warning.fields}
    seen = desired(*(declared.devices[id_] for id_ in covered))
    before, now = undeclared(world, seen), undeclared(after, seen)
    assert {place for place in before if before[place] != now[place]} <= named
    counts = made.coverage
    assert counts.chosen + len(counts.dependencies) + counts.left_out == len(declared.devices)
    assert made.summary.devices == len(covered)
    assert made.summary.unchanged >= 0
    assert decode(encode(made)) == made


@settings(max_examples=100, deadline=None)
@given(FLEETS, PARTS, PARTS)
def test_a_part_is_planned_as_in_the_whole(fleet, part_of, applied):
    """The same change for each chosen device, unless a person's values are brought by another or
    something is withheld."""
    world, declared = fleet
    recorded = record(*(one for one in declared.devices.values() if one.id in applied))
    made = part(declared, world, part_of & declared.devices.keys(), recorded)
    whole = plan(declared, as_service(world), recorded)
    withheld = {id_ for one in (made, whole) for error in one.errors for id_ in error.devices}
    theirs = {change.device: change for change in whole.changes}
    incomplete = {
        change.device
        for change in made.changes
        for field in change.fields
        if str(field.before).endswith("(incomplete)")
    }
    for change in made.changes:
        if change.device not in withheld | incomplete:
            assert theirs[change.device] == change


@settings(max_examples=70, deadline=None)
@given(FLEETS)
def test_all_of_them_is_everything(fleet):
    """Whoever is chosen comes along for nobody, and the plan is the same but for what it covers."""
    world, declared = fleet
    made, whole = (
        part(declared, world, frozenset(declared.devices)),
        plan(declared, as_service(world)),
    )
    assert ((), 0) == (made.coverage.dependencies, made.coverage.left_out)
    assert (made.changes, made.calls, made.warnings, made.errors) == (
        whole.changes,
        whole.calls,
        whole.warnings,
        whole.errors,
    )


@settings(max_examples=100, deadline=None)
@given(manifests(), manifests())
def test_since_the_same_files_nothing_changed(one, other):
    """And since others, exactly what has another digest, is new or left."""

    def digests(of: Desired) -> dict[str, str]:
        return {id_: declaration_digest(one, DIGESTER) for id_, one in of.devices.items()}

    before, now = digests(one), digests(other)
    assert changed_since(Previous(one), one) == frozenset()
    assert changed_since(Previous(one), other) == {
        id_ for id_ in before.keys() | now.keys() if before.get(id_) != now.get(id_)
    }
