"""A small world for tests: Ana has a phone and a tablet, Ben a phone, one phone is nobody's."""

from __future__ import annotations

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.assumptions import Assumption, Readings
from reconciler.platform.world import Person, Registration, World
from tests.changed import replace

CODE, OTHER_CODE = "code-a", "code-b"
APP, OTHER_APP = "APP-A", "APP-B"


def external(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.EXTERNAL_ID, text)


def phone(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.PHONE_NUMBER, text)


def email(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.EMAIL, text)


ANA = Person(
    1,
    frozenset({external("ana"), phone("385911")}),
    attributes={"firstName": "Ana", "tags": ["a"], "customAttributes": {"x": 1, "y": 2}},
)
BEN = Person(2, frozenset({external("ben"), email("ben@example.com")}), is_lead=True)
NOBODY = Person(3, is_lead=True)

ANAS_PHONE = Registration("ana-phone", APP, 1, True, additional_data={"shift": "day", "n": 1})
ANAS_TABLET = Registration("ana-tablet", OTHER_APP, 1)
BENS_PHONE = Registration("ben-phone", APP, 2, True, additional_data={"k": True})
LOOSE = Registration("loose", APP, 3)


def world() -> World:
    return World.of(
        [ANA, BEN, NOBODY],
        [ANAS_PHONE, ANAS_TABLET, BENS_PHONE, LOOSE],
        {CODE: APP, OTHER_CODE: OTHER_APP},
    )


class Asked:
    """Readings that note which assumptions were asked."""

    def __init__(self, **chosen: str) -> None:
        self._chosen = {name.replace("_", "-"): value for name, value in chosen.items()}
        self.names: list[str] = []

    def __call__(self, assumption: Assumption) -> str:
        if assumption.name not in self.names:
            self.names.append(assumption.name)
        return self._chosen.get(assumption.name, assumption.default)


def as_readings(asked: Asked) -> Readings:
    return asked


def with_registration(before: World, registration_id: str, **changes: object) -> World:
    changed = replace(before.registrations[registration_id], **changes)  # type: ignore[arg-type]
    return before.with_registration(changed)
