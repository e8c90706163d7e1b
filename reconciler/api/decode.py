"""Decode the service's answers: bytes in, typed values out, Garbled for anything else.

Every rule here is about what the wire may look like; what it means is said in core.live.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

import msgspec

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.fields import FIELDS, SYSTEM_DATA, WEB, Field, Scalar
from reconciler.core.identity import IdentityValue
from reconciler.core.live import LiveRegistration
from reconciler.core.secret import Secret

from .credentials import fits_in_header
from .json_part import whole
from .lenient import device_model, read_registration, shown_identities

T = TypeVar("T")


class Garbled(ValueError):
    """An answer that is not what the contract says; the message quotes no value of it.

    `is_json`: it is whole JSON of another form, so somebody who speaks JSON does answer.
    """

    def __init__(self, reason: str, *, is_json: bool = True) -> None:
        super().__init__(reason)
        self.is_json = is_json


class Wire(msgspec.Struct, rename="camel"):
    """camelCase in JSON; unknown fields are ignored, the service may grow."""


class _SystemData(Wire):
    registration_enabled: bool | None = None
    device_manufacturer: str | None = None
    device_model: str | None = None
    cloud_type: object = None


class _Registration(Wire):
    registration_id: str
    application_id: str
    is_primary: bool | None = None
    system_data: _SystemData | None = None
    additional_data: dict[str, str | int | float | bool | None] | None = None


class _Named(Wire):
    """The least of an answer about a registration."""

    registration_id: str


class _Token(Wire, rename=None):
    access_token: str
    expires_in: float | None = None


_REGISTRATION: Final = msgspec.json.Decoder(_Registration)
_NAMED: Final = msgspec.json.Decoder(_Named)
_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
# Token servers write expires_in as a number or as text.
_TOKEN: Final = msgspec.json.Decoder(_Token, strict=False)


def decode_registration(body: bytes) -> LiveRegistration:
    """Read the answer to get and update.

    What a point read leaves out is at rest: not primary, no additional data (the vendor's own
    example has none). A field that has no such rest state (core.fields) stays ABSENT, and so does
    what cannot be understood: the registration says what that is. A browser's is never primary,
    whatever is shown. Raises Garbled for an answer that is no JSON, or does not say which
    registration it is about.
    """
    try:
        wire = _REGISTRATION.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_odd_registration(body)
    system = wire.system_data
    values: dict[str, Any] = {
        field.attribute: field.at_rest if value is None or value is ABSENT else value
        for field, value in shown_fields(wire, system)
    }
    is_web = system is not None and system.cloud_type == WEB
    if is_web:
        values["is_primary"] = False
    return LiveRegistration(
        wire.registration_id,
        wire.application_id,
        additional_data=additional_data_of(wire.additional_data),
        model=None
        if system is None
        else device_model(system.device_manufacturer, system.device_model),
        is_web=is_web,
        **values,
    )


def _decode_odd_registration(body: bytes) -> LiveRegistration:
    registration = read_registration(whole(body), is_page=False)
    if registration is None:
        # It says what is wrong with all of it.
        decode_json(_NAMED, body)
        raise Garbled("the answer is nested too deeply")
    return registration


def shown_fields(wire: Wire, system: Wire | None) -> Iterator[tuple[Field, Scalar | Absent | None]]:
    """Yield each field with what a registration shows of it: None if it leaves it out, ABSENT if
    it leaves out all that stands beside it."""
    for field in FIELDS:
        part = system if field.wire[0] == SYSTEM_DATA else wire
        yield field, ABSENT if part is None else getattr(part, field.attribute)


def check_personalized(body: bytes, identity: Iterable[IdentityValue]) -> None:
    """Check the answer to personalize: the person whom it shows has the identity that was sent.

    Raises Garbled for anything else. Of a kind that is not shown nothing is asked, as long as
    another kind is; whatever else it shows is nobody's concern.
    """
    members = whole(body).members()
    if members is None:
        decode_json(_OBJECT, body)
        raise Garbled("the answer is not of the contract's form: it shows no person")
    shown = frozenset(shown_identities(members))
    kinds = {value.kind for value in shown}
    wanted = frozenset(identity)
    if not wanted & shown or any(value.kind in kinds and value not in shown for value in wanted):
        raise Garbled("the answer does not show the person with the identity that was sent")


def check_depersonalized(body: bytes) -> None:
    """Check the answer to depersonalize: empty, or JSON that nobody needs."""
    if body.strip():
        decode_json(_OBJECT, body)


def decode_token(body: bytes) -> tuple[Secret[str], float | None]:
    """Read the answer to the token call: the token, and the seconds for which it is good."""
    wire = decode_json(_TOKEN, body)
    if not fits_in_header(wire.access_token):
        raise Garbled("the access token is empty or cannot stand in a header")
    return Secret(wire.access_token), wire.expires_in


def decode_json(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode an answer; raises Garbled, whose message quotes none of it."""
    if not body.strip():
        raise Garbled("the answer is empty", is_json=False)
    is_json = False
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        is_json = True
        reason = f"the answer is not of the contract's form: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError):
        is_markup = body.lstrip()[:1] == b"<"
        reason = (
            "the answer is HTML or XML, not JSON" if is_markup else "the answer is not whole JSON"
        )
    except RecursionError:
        reason = "the answer is nested too deeply"
    # Raised out here so that no traceback leads to the frames that hold the answer.
    raise Garbled(reason, is_json=is_json)


def additional_data_of(wire: Mapping[str, Scalar | None] | None) -> Mapping[str, Scalar]:
    """Return additionalData; a key that is null is a key that is not there."""
    if not wire:
        return {}
    if None not in wire.values():
        # Hardly any has one, and a copy would be most of what this costs.
        return cast("Mapping[str, Scalar]", wire)
    return {key: value for key, value in wire.items() if value is not None}
