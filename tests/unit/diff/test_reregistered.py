"""Gone devices that may be back: only the one registration that it can be is proposed."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.identity import IdentityValue
from reconciler.core.live import Gone, Live, LivePerson, LiveRegistration
from reconciler.core.record import Record
from reconciler.diff.required_reads import required_reads
from reconciler.diff.reregistered import Reregistered, reregistered
from tests.changed import replace
from tests.fleet import (
    desired,
    device,
    external,
    owner,
    person,
    phone,
    project,
    record,
    registration,
)

ANA = external("ana")
NAMES = {"APP-COURIER": "courier", "APP-SHOP": "shop"}


def phone_of(id_: str, model: str | None = "Fairphone FP5", **more: Any) -> LiveRegistration:
    return replace(registration(id_, **more), model=model)


def remembered(of: str | None, *devices: DesiredDevice) -> Record:
    """A state that knows what kind of device these were."""
    known = record(*devices)
    return replace(
        known, devices={id_: replace(one, model=of) for id_, one in known.devices.items()}
    )


def found(
    *owns: LiveRegistration,
    model: str | None = "Fairphone FP5",
    declared: tuple[DesiredDevice, ...] = (),
    also_gone: tuple[DesiredDevice, ...] = (),
) -> dict[str, Reregistered]:
    """Look for Ana's old phone among what she owns."""
    old = device("old", owner=owner("ana"))
    gone = [old, *also_gone]
    ana = person(1, ANA, owns=owns)
    live = Live({one.id: Gone() for one in gone}, {}, {ANA: ana})
    files = desired(*gone, *declared)
    result = reregistered(gone, files, remembered(model, *gone), live, NAMES)
    return {one.device.id: one for one in result}


def test_the_only_one_of_its_owner_application_and_model_is_it() -> None:
    """Others of hers are of another model, in another application, or declared already."""
    found_ = found(
        phone_of("new"),
        phone_of("tablet", "Samsung X"),
        phone_of("shop", application="shop"),
        phone_of("known"),
        declared=(device("known"),),
    )["old"]
    assert found_.candidate is not None
    assert ("new", "Fairphone FP5", 1) == (
        found_.candidate.id,
        found_.model,
        found_.could_be,
    )


def test_of_two_none_is_it() -> None:
    """It is said that there are two."""
    one = found(phone_of("new"), phone_of("newer"))["old"]
    assert (None, 2) == (one.candidate, one.could_be)


def test_an_unknown_model_leaves_only_a_single_other_registration() -> None:
    """One other registration of hers is it, of two neither."""
    single = found(phone_of("new", None), model=None)["old"]
    assert single.candidate is not None
    assert single.model is None
    assert found(phone_of("new"), phone_of("tablet", "X"), model=None)["old"].candidate is None


def test_two_gone_devices_do_not_share_one_new_one() -> None:
    """Which of them is back nobody knows."""
    other = device("other", owner=owner("ana"))
    both = found(phone_of("new"), also_gone=(other,))
    assert {"old": None, "other": None} == {id_: one.candidate for id_, one in both.items()}


@pytest.mark.parametrize("is_owned", [True, False])
def test_nothing_is_proposed_without_an_owner_or_a_new_registration(is_owned: bool) -> None:
    """A device that nobody is declared to own may be anybody's."""
    old = device("old", owner=owner("ana")) if is_owned else device("old")
    live = Live({"old": Gone()}, {}, {ANA: person(1, ANA)})
    assert () == reregistered([old], desired(old), record(), live, NAMES)


def fifty_and(*more: str) -> list[DesiredDevice]:
    names = [*(f"d{number:03}" for number in range(50)), *more]
    return [device(name, owner=owner("ana")) for name in names]


def test_the_owner_of_a_gone_device_is_looked_up() -> None:
    """Each person once; not when so much is gone that something else is wrong."""
    few = fifty_and()
    live = Live({one.id: Gone() for one in few})
    assert (ANA,) == required_reads(desired(*few), record(), live, project()).people
    many = fifty_and("one-more")
    live = Live({one.id: Gone() for one in many})
    assert not required_reads(desired(*many), record(), live, project())


def test_where_nobody_looked_it_is_said() -> None:
    """Who was not looked up may have it still; who is nobody has nothing."""
    many = fifty_and("one-more")
    gone = {one.id: Gone() for one in many}
    unknown = reregistered(many, desired(*many), record(), Live(gone), NAMES)
    assert [(one, None, 0) for one in many] == [
        (one.device, one.candidate, one.could_be) for one in unknown
    ]
    nobody = Live(gone, {}, {ANA: None})
    assert () == reregistered(many, desired(*many), record(), nobody, NAMES)


def test_an_owner_is_looked_up_by_each_value_until_one_is_found() -> None:
    """Of a person who lacks the first value, pages would find them by the second."""
    old = device("old", owner=owner("ana", ANA, phone("+385911234567")))
    first, second = old.owner.identity.values if isinstance(old.owner, Owner) else (ANA, ANA)
    gone = {"old": Gone()}

    def asked(people: dict[IdentityValue, LivePerson | None]) -> tuple[IdentityValue, ...]:
        return required_reads(desired(old), record(), Live(gone, {}, people), project()).people

    assert (first,) == asked({})
    assert () == asked({first: person(1, first)})
    assert (second,) == asked({first: None})
    ana = person(1, second, owns=(phone_of("new"),))
    live = Live(gone, {}, {first: None, second: ana})
    (one,) = reregistered([old], desired(old), record(), live, NAMES)
    assert one.candidate == phone_of("new")


@pytest.mark.parametrize(
    ("names", "could_be"),
    [({}, [0]), ({"APP-SHOP": "shop"}, [0]), ({"APP-OTHER": "courier"}, [])],
)
def test_what_nobody_names_the_application_of_may_be_it(
    names: dict[str, str], could_be: list[int]
) -> None:
    """Until some registration of the device's application was read, what she has is unknown."""
    old = device("old", owner=owner("ana"))
    live = Live({"old": Gone()}, {}, {ANA: person(1, ANA, owns=(phone_of("new"),))})
    found = reregistered([old], desired(old), record(), live, names)
    assert could_be == [one.could_be for one in found]


@pytest.mark.parametrize(("is_hers", "is_sure"), [(False, False), (True, True)])
def test_a_device_that_the_plan_leaves_out_may_be_it_too(is_hers: bool, is_sure: bool) -> None:
    """Of a part, the others were not read; but one that she is seen to have is not gone."""
    old, other = device("old", owner=owner("ana")), device("other", owner=owner("ana"))
    owns = [phone_of("new"), *([phone_of("other")] if is_hers else [])]
    live = Live({"old": Gone()}, {}, {ANA: person(1, ANA, owns=owns)})
    (one,) = reregistered([old], desired(old, other), record(), live, NAMES)
    assert (is_sure, 1) == (one.candidate is not None, one.could_be)
