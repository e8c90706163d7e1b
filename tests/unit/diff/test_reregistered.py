"""Gone devices that may be back: only the one registration that it can be is proposed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.device import DesiredDevice
from reconciler.core.live import Gone, Live, LiveRegistration
from reconciler.core.record import Record
from reconciler.diff.missing import missing
from reconciler.diff.reregistered import Reregistered, reregistered
from tests.fleet import desired, device, external, owner, person, project, record, registration

ANA = external("ana")
NAMES = {"APP-COURIER": "courier", "APP-SHOP": "shop"}


def phone_of(id_: str, model: str | None = "Fairphone FP5", **more: Any) -> LiveRegistration:
    return replace(registration(id_, **more), model=model)


def remembered(of: str | None, *devices: DesiredDevice) -> Record:
    """A record that knows what kind of device these were."""
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


def test_the_owner_of_a_gone_device_is_looked_up() -> None:
    """Each person once; not when so much is gone that something else is wrong."""
    few = [device(f"d{number:03}", owner=owner("ana")) for number in range(50)]
    live = Live({one.id: Gone() for one in few})
    assert (ANA,) == missing(desired(*few), record(), live, project()).people
    many = [*few, device("one-more", owner=owner("ana"))]
    live = Live({one.id: Gone() for one in many})
    assert not missing(desired(*many), record(), live, project())
