"""Generate a world of any size: the same number of people gives the same world, every time.

Nothing is stored: each person and registration is computed from its number when somebody asks, so
a million people start at once and take no memory until they are changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, assert_never

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.table import Table
from reconciler.platform.world import Person, Registration, World

APPLICATIONS: Final = {
    "courier-app-code": "C0DE0000000000000000000000000001",
    "shop-app-code": "C0DE0000000000000000000000000002",
}
_APPLICATION_IDS: Final = tuple(APPLICATIONS.values())
_NAMES: Final = ("Ana", "Ben", "Cleo", "Dino", "Ema", "Filip", "Gita", "Hugo", "Iva", "Jan")
_FLEETS: Final = ("zagreb", "split", "rijeka", "osijek")
_MASK: Final = (1 << 64) - 1
# One person in so many is anonymous, owns a second registration, is a lead.
_ANONYMOUS_EVERY: Final = 25
_SECOND_EVERY: Final = 2
_LEAD_EVERY: Final = 17
_EMAIL_EVERY: Final = 3
_LARGEST: Final = 10_000_000
# Computing is cheap, not free: what is asked for again and again is remembered, within bounds.
_REMEMBERED: Final = 1 << 15
_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))


def fleet(people: int) -> World:
    """Return a world of so many people (at most 10,000,000), 1.5 registrations each."""
    if not 0 <= people <= _LARGEST:
        raise ValueError(f"people must be from 0 to {_LARGEST}")
    return World(
        Table(_People(people)),
        Table(_Registrations(people)),
        dict(APPLICATIONS),
        Table(_Holders(people)),
        Table(_Owned(people)),
        people + 1,
    )


def registration_counts(people: int) -> Counter[str]:
    """Count the registrations of a fleet by application id, without making any."""
    counts: Counter[str] = Counter()
    for number in range(1, people + 1):
        counts[_application_id(_scramble(2 * number))] += 1
        if not (number % _SECOND_EVERY or _is_anonymous(number)):
            counts[_application_id(_scramble(2 * number + 1))] += 1
    return counts


def _application_id(scrambled: int) -> str:
    return _APPLICATION_IDS[scrambled >> 11 & 7 == 0]


def creation_order(people: int, *, anonymous: bool) -> list[int]:
    """Return the numbers of a fleet by createdAt, with the anonymous people or without."""
    return [number for number in range(1, people + 1) if anonymous or not _is_anonymous(number)]


def _scramble(number: int) -> int:
    """Scramble a number into 64 bits (the finalizer of splitmix64)."""
    scrambled = (number * 0x9E3779B97F4A7C15) & _MASK
    scrambled = ((scrambled ^ (scrambled >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    scrambled = ((scrambled ^ (scrambled >> 27)) * 0x94D049BB133111EB) & _MASK
    return scrambled ^ (scrambled >> 31)


def _is_anonymous(number: int) -> bool:
    return number % _ANONYMOUS_EVERY == 0


def _identities(number: int) -> frozenset[IdentityValue]:
    if _is_anonymous(number):
        return frozenset()
    values = [
        IdentityValue(IdentityKind.EXTERNAL_ID, f"courier-{number}"),
        IdentityValue(IdentityKind.PHONE_NUMBER, f"38591{number:08}"),
    ]
    if number % _EMAIL_EVERY == 0:
        values.append(IdentityValue(IdentityKind.EMAIL, f"courier{number}@example.com"))
    return frozenset(values)


@lru_cache(_REMEMBERED)
def _person(number: int) -> Person:
    minutes, second = divmod(number, 60)
    hours, minute = divmod(minutes, 60)
    moment = f"{_format_hour(hours)}:{_TWO_DIGITS[minute]}:{_TWO_DIGITS[second]}"
    if _is_anonymous(number):
        return Person(number, is_lead=True, created_at=moment, modified_at=moment)
    attributes = {
        "firstName": _NAMES[_scramble(number) % len(_NAMES)],
        "tags": ["courier"],
        "customAttributes": {"vehicle": "van" if number % 2 else "bike"},
    }
    return Person(
        number, _identities(number), number % _LEAD_EVERY == 0, attributes, moment, moment
    )


@lru_cache(_REMEMBERED)
def _format_hour(hours: int) -> str:
    """Return the date and hour in which an hour's worth of people were created."""
    day, hour = divmod(hours, 24)
    # 28 days a month keeps the dates real; people are created in the order of their numbers.
    month, day = divmod(day, 28)
    return f"{2018 + month // 12}-{month % 12 + 1:02}-{day + 1:02}T{hour:02}"


@lru_cache(_REMEMBERED)
def _registrations_of(number: int) -> tuple[Registration, ...]:
    """Return what a person owns; all at once, since whoever wants one wants the other."""
    first = _registration(2 * number, number)
    if number % _SECOND_EVERY or _is_anonymous(number):
        return (first,)
    return first, _registration(2 * number + 1, number)


def _find_registration(registration_id: str, people: int) -> Registration | None:
    """Return the registration of an id, None if it is no id of this fleet."""
    try:
        number = int(registration_id[-12:], 16) // 2
    except ValueError:
        return None
    if not 1 <= number <= people:
        return None
    for registration in _registrations_of(number):
        if registration.id == registration_id:
            return registration
    return None


def _registration(index: int, number: int) -> Registration:
    """Make a registration, its id looks like a UUID, whose last part is the index."""
    scrambled = _scramble(index)
    digits = f"{scrambled:016X}"
    data: dict[str, str | int | float | bool] = {"fleet": _FLEETS[scrambled >> 1 & 3]}
    if scrambled >> 3 & 1:
        data["shift"] = "night" if scrambled >> 4 & 1 else "day"
    if scrambled >> 5 & 1:
        data["maxParcels"] = 20 + (scrambled >> 6 & 31)
    return Registration(
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:]}-A000-{index:012X}",
        _application_id(scrambled),
        number,
        not index & 1 and not _is_anonymous(number),
        scrambled >> 14 & 15 != 0,
        data,
        _ANDROID if scrambled & 1 else _IPHONE,
    )


_ANDROID: Final[Mapping[str, str | bool]] = {
    "cloudType": "GCM",
    "notificationsEnabled": True,
    "sdkVersion": "13.0.3",
    "appVersion": "4.2.0",
    "os": "Android",
    "osVersion": "14",
    "deviceManufacturer": "Fairphone",
    "deviceModel": "FP5",
    "deviceSecure": True,
    "osLanguage": "hr",
    "deviceTimezoneOffset": "GMT+01:00",
    "deviceName": "Courier phone",
}
_IPHONE: Final[Mapping[str, str | bool]] = {
    "cloudType": "APNS",
    "notificationsEnabled": True,
    "sdkVersion": "12.19.0",
    "appVersion": "4.2.0",
    "os": "iOS",
    "osVersion": "17.5",
    "deviceManufacturer": "Apple",
    "deviceModel": "iPhone 13",
    "deviceSecure": True,
    "osLanguage": "hr",
    "deviceTimezoneOffset": "GMT+01:00",
    "deviceName": "Courier phone",
}


class _People(Mapping[int, Person]):
    def __init__(self, people: int) -> None:
        self._numbers = range(1, people + 1)

    def __getitem__(self, number: int) -> Person:
        if number not in self._numbers:
            raise KeyError(number)
        return _person(number)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class _Owned(Mapping[int, tuple[str, ...]]):
    def __init__(self, people: int) -> None:
        self._numbers = range(1, people + 1)

    def __getitem__(self, number: int) -> tuple[str, ...]:
        if number not in self._numbers:
            raise KeyError(number)
        return tuple([registration.id for registration in _registrations_of(number)])

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class _Registrations(Mapping[str, Registration]):
    def __init__(self, people: int) -> None:
        self._people = people

    def __getitem__(self, registration_id: str) -> Registration:
        registration = _find_registration(registration_id, self._people)
        if registration is None:
            raise KeyError(registration_id)
        return registration

    def __iter__(self) -> Iterator[str]:
        for number in range(1, self._people + 1):
            for registration in _registrations_of(number):
                yield registration.id

    def __len__(self) -> int:
        evens = self._people // _SECOND_EVERY
        anonymous_evens = self._people // (_SECOND_EVERY * _ANONYMOUS_EVERY)
        return self._people + evens - anonymous_evens


class _Holders(Mapping[IdentityValue, int]):
    def __init__(self, people: int) -> None:
        self._people = people

    def __getitem__(self, value: IdentityValue) -> int:
        text = value.reveal()
        match value.kind:
            case IdentityKind.EXTERNAL_ID:
                digits = text.removeprefix("courier-")
            case IdentityKind.PHONE_NUMBER:
                digits = text.removeprefix("38591")
            case IdentityKind.EMAIL:
                digits = text.removeprefix("courier").removesuffix("@example.com")
            case _:
                assert_never(value.kind)
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
            raise KeyError(value)
        number = int(digits)
        if not 1 <= number <= self._people or value not in _identities(number):
            raise KeyError(value)
        return number

    def __iter__(self) -> Iterator[IdentityValue]:
        for number in range(1, self._people + 1):
            yield from _identities(number)

    def __len__(self) -> int:
        named = self._people - self._people // _ANONYMOUS_EVERY
        both = _ANONYMOUS_EVERY * _EMAIL_EVERY
        return 2 * named + self._people // _EMAIL_EVERY - self._people // both
