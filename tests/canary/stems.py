"""Private values that occur nowhere by chance: each holds one of a few stems.

So a search for the stems, in whatever dress, is a search for every value of everybody.
"""

from __future__ import annotations

from typing import Any, Final

TEXT: Final = "qzkanarw"
# Eleven digits: so many in a row do not turn up in a hundred megabytes of digests.
PHONE: Final = "38597700419"
NUMBER: Final = "94081735520"
DAY: Final = "1931-02-"
STEMS: Final = (TEXT, PHONE, NUMBER, DAY)

KEY: Final = f"{TEXT}-api-key"
APP_CODES: Final = {"courier": f"{TEXT}-app-code-courier", "shop": f"{TEXT}-app-code-shop"}


class Substitutes:
    """A canary for each value of one scenario: the same value has the same one."""

    def __init__(self, scenario: int) -> None:
        self._scenario = scenario
        self._known: dict[tuple[str, str], int] = {}

    def external_id(self, value: str) -> str:
        return f"{TEXT}-Id-{self._number('externalId', value)}"

    def phone(self, value: str) -> str:
        """Return a number with a plus exactly where the old one has it."""
        digits = value.removeprefix("+")
        return "+" * (value != digits) + f"{PHONE}{self._number('phone', digits)}"

    def email(self, value: str) -> str:
        """Return an address of which both halves tell; upper case stays upper case."""
        made = f"{TEXT}.{self._number('email', value.lower())}@{TEXT}.example"
        return made.title() if value != value.lower() else made

    def attribute(self, name: str, value: Any) -> Any:
        """Return an attribute of the same kind; of two genders or truths nothing tells."""
        match value:
            case bool() | None:
                return value
            case str() if name == "gender":
                return value
            case str() if name == "birthday":
                return f"{DAY}{1 + int(self._number('day', value)) % 28:02}"
            case str():
                return f"{TEXT} Ž&<{self._number('text', value)}>"
            case int() | float():
                return int(f"{NUMBER}{self._number('number', str(value))}")
            case dict():
                return {key: self.attribute(key, item) for key, item in value.items()}
            case _:
                return [self.attribute(name, item) for item in value]

    def declared(self, person: dict[str, Any]) -> dict[str, Any]:
        """Return a person of a manifest."""
        return {name: self._declared(name, value) for name, value in person.items()}

    def living(self, person: dict[str, Any]) -> dict[str, Any]:
        """Return a person of a world; everybody has a first name there."""
        result = dict(person)
        if person.get("externalId") is not None:
            result["externalId"] = self.external_id(person["externalId"])
        result["phoneNumbers"] = [self.phone(one) for one in person.get("phoneNumbers", ())]
        result["emails"] = [self.email(one) for one in person.get("emails", ())]
        held = {"firstName": f"first of {person['id']}", **person.get("attributes", {})}
        result["attributes"] = self.attribute("attributes", held)
        return result

    def _declared(self, name: str, value: Any) -> Any:
        match name:
            case "externalId":
                return self.external_id(value)
            case "phoneNumber":
                return self.phone(value)
            case "email":
                return self.email(value)
            case "attributes":
                return self.attribute(name, value)
            case _:
                return value

    def _number(self, kind: str, value: str) -> str:
        known = self._known.setdefault((kind, value), len(self._known))
        return f"{self._scenario:02}{known % 100:02}"
