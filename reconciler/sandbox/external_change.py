"""Change a registration beside the API, as the app or a colleague does: a JSON merge patch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from reconciler.core.fields import ADDITIONAL_DATA, FIELD_BY_PATH, OWNER, SYSTEM_DATA, Scalar
from reconciler.platform.world import Registration

_CHANGEABLE: Final = (*FIELD_BY_PATH, OWNER, ADDITIONAL_DATA, SYSTEM_DATA)


def patch_registration(registration: Registration, merge: Mapping[str, object]) -> Registration:
    """Return the registration after a patch of a field (core.fields), owner (a number or null),
    additionalData, systemData; ValueError if the patch is no good."""
    for name, value in merge.items():
        field = FIELD_BY_PATH.get(name)
        match name, value:
            case _ if field is not None and isinstance(value, field.type):
                registration = replace(registration, **{field.attribute: value})
            case "owner", None:
                registration = replace(registration, owner=None)
            case "owner", int() if not isinstance(value, bool):
                registration = replace(registration, owner=value)
            case "additionalData", Mapping():
                data: dict[str, Scalar] = dict(registration.additional_data)
                registration = replace(registration, additional_data=_merge_values(data, value))
            case "systemData", Mapping():
                system_data = {
                    key: item
                    for key, item in _merge_values(dict(registration.system_data), value).items()
                    if isinstance(item, (str, bool))
                }
                registration = replace(registration, system_data=system_data)
            case _ if name not in _CHANGEABLE:
                raise ValueError(f"there is no {name!r} to change; {', '.join(_CHANGEABLE)}")
            case _:
                raise ValueError(f"{name} cannot be changed to that")
    if registration.is_web and registration.is_primary:
        raise ValueError("a WEB registration has no isPrimary")
    return registration


def _merge_values(values: dict[str, Scalar], merge: Mapping[str, object]) -> dict[str, Scalar]:
    for key, value in merge.items():
        match value:
            case None:
                values.pop(key, None)
            case str() | bool() | int() | float():
                values[key] = value
            case _:
                raise ValueError(f"{key} must be a text, number or boolean")
    return values
