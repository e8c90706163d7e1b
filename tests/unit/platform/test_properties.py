"""Properties of step: whatever is called, under whatever readings, the service stays sound."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.identity import IdentityKind
from reconciler.platform import operations
from reconciler.platform.assumptions import ASSUMPTIONS, readings
from reconciler.platform.operations import WRITES, Call
from reconciler.platform.ownership import affected_people
from reconciler.platform.step import step
from reconciler.platform.world import World
from reconciler.platform.worldfile import decode_world, encode_world

from .worlds import APP, CODE, OTHER_CODE, world

ids = st.sampled_from(["ana-phone", "ana-tablet", "ben-phone", "loose", "gone"])
codes = st.sampled_from([CODE, CODE, OTHER_CODE, "bad"])
flags = st.sampled_from(["true", "false"])
identities = st.fixed_dictionaries(
    {},
    optional={
        "externalId": st.sampled_from(["ana", "ben", "new", "NULL"]),
        "phoneNumber": st.sampled_from(["+385911", "385912"]),
        "email": st.sampled_from(["ben@example.com", "B@example.com"]),
    },
)
values = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.just("text"))
patches = st.fixed_dictionaries(
    {},
    optional={
        "isPrimary": st.booleans(),
        "systemData": st.fixed_dictionaries({"registrationEnabled": st.booleans()}),
        "additionalData": st.dictionaries(st.sampled_from("kmn"), values),
    },
)
queries = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("forceDepersonalize", "keepAsLead", "returnPush", "setDeviceAsPrimary"), flags
    ),
)
calls: st.SearchStrategy[Call] = st.one_of(
    st.builds(operations.get, ids, codes),
    st.builds(operations.update, ids, codes, patches),
    st.builds(
        operations.personalize,
        ids,
        codes,
        st.fixed_dictionaries({"identity": identities}),
        queries,
    ),
    st.builds(operations.depersonalize, ids, codes),
    st.builds(operations.person_of_registration, ids, st.just(APP)),
    st.builds(partial(operations.persons_page, limit=2), st.integers(1, 3)),
)
chosen = st.fixed_dictionaries(
    {name: st.sampled_from(assumption.readings) for name, assumption in ASSUMPTIONS.items()}
)


def _assert_sound(seen: World) -> None:
    owned = [id_ for ids_ in seen.owned.values() for id_ in ids_]
    assert [] == [id_ for id_, count in Counter(owned).items() if count > 1]
    for registration in seen.registrations.values():
        assert (registration.owner is not None) == (registration.id in owned)
        if registration.owner is not None:
            assert registration.id in seen.owned[registration.owner]
    held = [value for person in seen.people.values() for value in person.identities]
    assert len(held) == len(set(held)) == len(seen.holders)
    for person in seen.people.values():
        assert all(person.number == seen.holders[value] for value in person.identities)
        assert len(person.texts(IdentityKind.EXTERNAL_ID)) <= 1
    assert seen.next_number > max(seen.people)


@given(chosen=chosen, calls=st.lists(calls, max_size=8))
def test_the_service_stays_sound(chosen: dict[str, str], calls: list[Call]) -> None:
    """A registration has one owner at most, who exists; an identity value names one person.

    A refused call, a read and an unknown id leave the very same world; no call touches a
    registration of people whom it does not reach, and no registration comes or goes."""
    in_force = readings(chosen)
    seen = world()
    for call in calls:
        after, response = step(seen, call, in_force)
        if response.status != 200 or call.operation not in WRITES or "gone" in call.path:
            assert after is seen
        reached = affected_people(seen, call)
        for id_ in after.changed_registrations(seen):
            assert seen.registrations[id_].owner in {*reached, None}
        assert {n for n in after.changed_people(seen) if n in seen.people} <= reached
        assert set(seen.registrations) == set(after.registrations)
        seen = after
        _assert_sound(seen)
    assert seen == decode_world(encode_world(seen))
