"""World: keeps its promises, its indexes follow, it survives its file."""

from __future__ import annotations

import pytest

from reconciler.platform.world import Person, Registration, World
from reconciler.platform.worldfile import decode_world, encode_world
from tests.changed import replace

from .worlds import ANA, BEN, external, phone, world


def test_two_people_cannot_share_an_identity_value() -> None:
    """One value names one person, both when a world is built and when it is changed."""
    twin = Person(9, frozenset({external("ana")}))
    with pytest.raises(ValueError, match="share a value of externalId"):
        World.of([ANA, twin])
    with pytest.raises(ValueError, match="has that externalId already"):
        world().with_person(twin)


def test_an_owner_must_exist() -> None:
    """A registration of a person who is not there is refused."""
    with pytest.raises(ValueError, match="who is not there"):
        World.of([], [Registration("r", "A", 7)])
    with pytest.raises(ValueError, match="not there"):
        world().with_registration(Registration("r", "A", 7))


def test_a_person_has_one_external_id() -> None:
    """Two external ids on one person are refused."""
    with pytest.raises(ValueError, match="two external ids"):
        World.of([Person(1, frozenset({external("a"), external("b")}))])


def test_indexes_follow_changes() -> None:
    """Holders and owned registrations follow a changed identity and a moved registration."""
    before = world()
    after = before.with_person(replace(ANA, identities=frozenset({phone("385912")})))
    after = after.with_registration(replace(after.registrations["ana-phone"], owner=2))
    assert after.holder(external("ana")) is None
    assert ANA.number == (after.holder(phone("+385 912")) or BEN).number
    assert ["ana-tablet"] == [one.id for one in after.registrations_of(1)]
    assert ["ben-phone", "ana-phone"] == [one.id for one in after.registrations_of(2)]
    assert frozenset({1}) == after.changed_people(before)
    assert frozenset({"ana-phone"}) == after.changed_registrations(before)


def test_a_boolean_is_not_the_number_it_resembles() -> None:
    """True and 1 make two registrations differ, 1 and 1.0 do not."""
    one = Registration("r", "A", additional_data={"k": 1})
    assert one != replace(one, additional_data={"k": True})
    assert one == replace(one, additional_data={"k": 1.0})


def test_a_world_survives_its_file() -> None:
    """Decoding what was encoded gives an equal world, and the same bytes again."""
    data = encode_world(world())
    assert world() == decode_world(data)
    assert data == encode_world(decode_world(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"poeple": []}',
        b'{"people": [{"id": "1"}]}',
        b'{"people": [{"id": 1, "type": "BOSS"}]}',
        b'{"people": [{"id": 1}, {"id": 1}]}',
        b'{"registrations": [{"registrationId": "r", "applicationId": "A", "owner": 4}]}',
        b'{"registrations": [{"registrationId": "r"}]}',
    ],
)
def test_a_bad_world_file_is_a_value_error(data: bytes) -> None:
    """Whatever is wrong with a world file is one ValueError."""
    with pytest.raises(ValueError):
        decode_world(data)


def test_identity_values_do_not_show_in_a_person() -> None:
    """The repr of a person shows neither its identity values nor its attributes."""
    assert "ana" not in repr(ANA).lower()
    assert "385911" not in repr(ANA)


def test_ownerless_registrations_get_an_anonymous_owner_each() -> None:
    """with_anonymous_owners leaves owned registrations alone."""
    before = World.of([ANA], [Registration("a", "A"), Registration("b", "A", 1)])
    after = before.with_anonymous_owners()
    assert frozenset({"a"}) == after.changed_registrations(before)
    owner = after.owner(after.registrations["a"])
    assert owner is not None
    assert owner.is_anonymous
