"""Point reads: what is asked for is read once, deterministically, with few tasks, and told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from reconciler.api.errors import ApplicationNotFound, RegistrationNotFound, ServerFailed
from reconciler.api.service import Service
from reconciler.core.events import Event, Progress, nobody_listens
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import (
    Gone,
    Live,
    LivePerson,
    LiveRegistration,
    Matchable,
    Needs,
    RegistrationKey,
    WrongApplication,
)
from reconciler.live.context import ReadContext
from reconciler.live.point_reads import read_by_point

CODES = {"courier": "code-a", "shop": "code-b", "shop-again": "code-b"}


def value(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.EXTERNAL_ID, text)


def registration(id: str, application: str = "code-a") -> LiveRegistration:
    return LiveRegistration(id, f"id-of-{application}", False, True, {})


@dataclass
class FakeService:
    """Registrations by code and id, people by number; answers after a random moment."""

    registrations: dict[tuple[str, str], LiveRegistration] = field(default_factory=dict)
    people: list[LivePerson] = field(default_factory=list)
    wrong_codes: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)

    def add(self, id: str, code: str = "code-a") -> LiveRegistration:
        found = registration(id, code)
        self.registrations[code, id] = found
        return found

    async def _wait(self, kind: str) -> None:
        self.at_once[kind] += 1
        self.most_at_once[kind] = max(self.most_at_once[kind], self.at_once[kind])
        await asyncio.sleep(random.choice([0, 0, 0.001]))
        self.at_once[kind] -= 1

    async def registration(self, id: str, app_code: str) -> LiveRegistration:
        self.asked.append((app_code, id))
        await self._wait("get")
        if id in self.broken:
            raise ServerFailed("get", id, "GET", "/x", 500)
        if app_code in self.wrong_codes:
            raise ApplicationNotFound("get", id, "GET", "/x", 400)
        if (app_code, id) not in self.registrations:
            raise RegistrationNotFound("get", id, "GET", "/x", 400)
        return self.registrations[app_code, id]

    async def owner(
        self, id: str, application_id: str, *, is_web: bool = False
    ) -> LivePerson | None:
        self.asked.append(("owner", id))
        await self._wait("persons")
        for person in self.people:
            if any(
                (one.id, one.application_id) == (id, application_id) for one in person.registrations
            ):
                return person
        return None

    can_match: bool = True

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]:
        wanted = tuple(keys)
        self.asked.append(("match", str(len(wanted))))
        await self._wait("match")
        return {
            key: person.number
            for key in wanted
            for person in self.people
            if key in person.identities
            or any(
                RegistrationKey(one.id, one.application_id) == key for one in person.registrations
            )
        }

    async def person(self, wanted: IdentityValue) -> LivePerson | None:
        self.asked.append(("person", wanted.reveal()))
        await self._wait("persons")
        return next((one for one in self.people if wanted in one.identities), None)


def read_now(
    fake: FakeService,
    needs: Needs,
    live: Live | None = None,
    events: list[Event] | None = None,
    codes: Mapping[str, str] = CODES,
) -> Live:
    listen = nobody_listens if events is None else events.append
    context = ReadContext(cast("Service", fake), codes, {}, listen)
    return asyncio.run(read_by_point(context, live or Live(), needs))


def test_registrations_are_read_under_their_own_application() -> None:
    """Each registration is asked for once, with its application's code, and kept in order."""
    fake = FakeService()
    expected = {id: fake.add(id) for id in ("b", "a", "c")}
    live = read_now(fake, Needs(dict.fromkeys(expected, "courier")))
    assert expected == live.registrations
    assert list(expected) == list(live.registrations)
    assert [("code-a", id) for id in expected] == fake.asked


def test_an_unknown_registration_is_looked_for_in_every_other_application() -> None:
    """Found elsewhere: another application's, by its first name. Found nowhere: gone."""
    fake = FakeService()
    fake.add("moved", "code-b")
    live = read_now(fake, Needs({"moved": "courier", "lost": "courier"}))
    assert {"moved": WrongApplication("shop"), "lost": Gone()} == live.registrations
    assert Counter({"code-a": 2, "code-b": 2}) == Counter(code for code, _ in fake.asked)


def test_a_wrong_application_code_names_its_application() -> None:
    """The error says which application of the project is meant."""
    fake = FakeService(wrong_codes=frozenset({"code-b"}))
    with pytest.raises(ApplicationNotFound) as caught:
        read_now(fake, Needs({"lost": "courier"}))
    assert "in application shop:" in str(caught.value)


def test_the_first_failure_stops_all_reads() -> None:
    """No read goes on behind an error, and the error is the service's own."""
    fake = FakeService(broken=frozenset({"d005"}))
    for number in range(500):
        fake.add(f"d{number:03}")
    needs = Needs({id: "courier" for _, id in fake.registrations})
    with pytest.raises(ServerFailed):
        read_now(fake, needs)
    assert len(fake.asked) < 400
    assert all(count == 0 or kind for kind, count in fake.at_once.items())


def test_owners_and_people_are_looked_up_and_an_anonymous_owner_is_nobody() -> None:
    """A person without identities, a 404 and an empty look-up are all None."""
    fake = FakeService()
    one, two, three = (fake.add(id) for id in ("one", "two", "three"))
    ana = LivePerson(1, frozenset({value("ana")}), registrations=(one,))
    fake.people = [ana, LivePerson(2, registrations=(two,))]
    known = Live({found.id: found for found in (one, two, three)} | {"gone": Gone()})
    needs = Needs(owners=("one", "two", "three", "gone"), people=(value("x"),))
    live = read_now(fake, needs, known)
    assert {"one": ana, "two": None, "three": None} == live.owners
    assert {value("x"): None} == live.people
    assert known.registrations == live.registrations


def test_one_answer_tells_of_a_persons_other_registrations_and_values() -> None:
    """What is known of a person from an earlier answer is not asked for again."""
    fake = FakeService()
    found = [fake.add(f"d{number:03}") for number in range(200)]
    ana = LivePerson(1, frozenset({value("ana"), value("ann")}), registrations=tuple(found))
    fake.people = [ana]
    known = Live({one.id: one for one in found})
    live = read_now(fake, Needs(owners=tuple(known.registrations), people=(value("ann"),)), known)
    assert dict.fromkeys(known.registrations, ana) == live.owners
    assert {value("ann"): ana} == live.people
    # One batch was under way before the first answer was used.
    assert 64 == len(fake.asked)
    again = read_now(fake, Needs(people=(value("ana"),)), live)
    assert (ana, 64) == (again.people[value("ana")], len(fake.asked))


def test_the_same_service_gets_the_same_calls_whatever_comes_first() -> None:
    """Answers in another order change neither the calls nor the result."""

    def once(seed: int) -> tuple[Counter[tuple[str, str]], Live]:
        random.seed(seed)
        fake = FakeService()
        found = [fake.add(f"d{number:03}") for number in range(300)]
        fake.people = [
            LivePerson(n, frozenset({value(str(n))}), registrations=tuple(found[n * 3 : n * 3 + 3]))
            for n in range(100)
        ]
        needs = Needs(
            {one.id: "courier" for one in found},
            tuple(one.id for one in found[::-1]),
            tuple(value(str(n)) for n in range(120)),
        )
        live = read_now(fake, needs)
        return Counter(fake.asked), live

    calls, live = once(1)
    assert (calls, live) == once(2)
    assert (300, 100) == (len(live.owners), sum(one is not None for one in live.people.values()))


def test_an_owner_is_looked_up_after_its_registration_when_both_are_asked_for() -> None:
    """The look-up needs the application's id, which only the registration shows."""
    fake = FakeService()
    one = fake.add("one")
    fake.people = [LivePerson(1, frozenset({value("ana")}), registrations=(one,))]
    live = read_now(fake, Needs({"one": "courier", "lost": "courier"}, ("one", "lost")))
    assert {"one": fake.people[0]} == live.owners


def test_progress_is_told_by_kind_and_reaches_its_total() -> None:
    """Each kind counts up to its own total."""
    fake = FakeService()
    needs = Needs(
        {fake.add(str(number)).id: "courier" for number in range(5)},
        ("1", "2"),
        (value("a"),),
    )
    events: list[Event] = []
    read_now(fake, needs, events=events)
    gets = [event for event in events if cast("Any", event).work == "get"]
    assert [Progress("get", number, 5) for number in range(1, 6)] == gets
    assert [Progress("persons", number, 3) for number in range(1, 4)] == [
        event for event in events if cast("Any", event).work == "persons"
    ]


def test_many_reads_need_few_tasks() -> None:
    """Ten thousand registrations are read by a bounded number of workers, kinds side by side."""
    fake = FakeService()
    needs = Needs({fake.add(str(number)).id: "courier" for number in range(10_000)})
    known = Live({"owned": registration("owned")})
    needs = Needs(needs.registrations, ("owned",))
    assert 10_001 == len(read_now(fake, needs, known).registrations)
    assert (64, 1) == (fake.most_at_once["get"], fake.most_at_once["persons"])


def matched(fake: FakeService, *values: IdentityValue) -> Needs:
    """All registrations of the fake, each to be owned by who has these values."""
    ids = [id for _, id in fake.registrations]
    return Needs(dict.fromkeys(ids, "courier"), matches=dict.fromkeys(ids, values))


def test_an_owner_with_all_declared_values_is_known_in_part_by_one_call() -> None:
    """Nothing else of the person is read."""
    fake = FakeService()
    one = fake.add("one")
    values = frozenset({value("ana"), value("ann")})
    fake.people = [LivePerson(1, values | {value("other")}, registrations=(one,))]
    live = read_now(fake, matched(fake, *sorted(values, key=IdentityValue.reveal)))
    assert {"one": LivePerson(1, values, is_whole=False)} == live.owners
    assert ({"one": 1}, dict.fromkeys(values, 1)) == (live.owner_numbers, live.holder_numbers)
    assert [("code-a", "one"), ("match", "3")] == fake.asked


@pytest.mark.parametrize(
    "people",
    [
        pytest.param([], id="nobody is told"),
        pytest.param([LivePerson(1)], id="perhaps anonymous"),
        pytest.param([LivePerson(1, frozenset({value("ana")}))], id="some of the values"),
        pytest.param(
            [LivePerson(1), LivePerson(2, frozenset({value("ana"), value("ann")}))],
            id="somebody else has them",
        ),
    ],
)
def test_anything_else_settles_nothing(people: list[LivePerson]) -> None:
    """The numbers are known, and that the owner is not: it is looked up in full."""
    fake = FakeService()
    one = fake.add("one")
    fake.people = [
        LivePerson(person.number, person.identities, registrations=(one,) if not place else ())
        for place, person in enumerate(people)
    ]
    live = read_now(fake, matched(fake, value("ana"), value("ann")))
    assert {} == live.owners
    assert {"one": 1 if people else None} == live.owner_numbers


def test_what_is_not_there_is_not_matched() -> None:
    """A registration that is gone has no owner to ask about."""
    fake = FakeService()
    needs = Needs({"lost": "courier"}, matches={"lost": (value("ana"),)})
    live = read_now(fake, needs)
    assert ({"lost": Gone()}, {}, {}) == (live.registrations, live.owners, live.owner_numbers)


def test_where_nobody_can_be_matched_owners_are_looked_up() -> None:
    """It is asked for in the same way, and read in full."""
    fake = FakeService(can_match=False)
    one = fake.add("one")
    fake.people = [LivePerson(1, frozenset({value("ana")}), registrations=(one,))]
    live = read_now(fake, matched(fake, value("ana")))
    assert {"one": fake.people[0]} == live.owners
    assert [("code-a", "one"), ("owner", "one")] == fake.asked


def test_devices_and_values_of_one_number_need_one_look_up() -> None:
    """The number tells whose they are; the answer to the first tells the rest."""
    fake = FakeService()
    found = [fake.add(str(number)) for number in range(5)]
    values = (value("ana"), value("ann"))
    fake.people = [LivePerson(1, frozenset(values), registrations=tuple(found))]
    known = Live(
        {one.id: one for one in found},
        owner_numbers={one.id: 1 for one in found},
        holder_numbers=dict.fromkeys(values, 1),
    )
    live = read_now(fake, Needs(owners=tuple(one.id for one in found)), known)
    assert [("owner", "0")] == fake.asked
    assert dict.fromkeys(live.registrations, fake.people[0]) == live.owners
    fake.asked.clear()
    live = read_now(fake, Needs(people=values), known)
    assert [("person", "ana")] == fake.asked
    assert dict.fromkeys(values, fake.people[0]) == live.people


def test_a_number_that_misleads_costs_a_call_and_no_more() -> None:
    """Who is not in the first one's answer is looked up all the same."""
    fake = FakeService()
    one, two = fake.add("one"), fake.add("two")
    fake.people = [
        LivePerson(1, frozenset({value("ana")}), registrations=(one,)),
        LivePerson(2, frozenset({value("ivo")}), registrations=(two,)),
    ]
    known = Live({"one": one, "two": two}, owner_numbers={"one": 1, "two": 1})
    live = read_now(fake, Needs(owners=("one", "two")), known)
    assert dict(zip(("one", "two"), fake.people, strict=True)) == live.owners


def test_who_becomes_known_in_full_is_so_everywhere() -> None:
    """One person does not stand in part and in full beside each other."""
    fake = FakeService()
    one, two = fake.add("one"), fake.add("two")
    fake.people = [LivePerson(1, frozenset({value("ana")}), registrations=(one, two))]
    live = read_now(fake, matched(fake, value("ana")))
    assert {False} == {owner is not None and owner.is_whole for owner in live.owners.values()}
    live = read_now(fake, Needs(owners=("two",)), live)
    assert dict.fromkeys(("one", "two"), fake.people[0]) == live.owners
