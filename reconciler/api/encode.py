"""Encode a call as the message that is sent; name what of it must never show in a text."""

from __future__ import annotations

from collections.abc import Iterator
from json import loads
from typing import Final

from reconciler import __version__
from reconciler.core.opaque import Opaque
from reconciler.core.secret import Secret
from reconciler.platform.operations import TOKEN_PATH, WRITES, Call, Operation

from .credentials import OAuth2Credential
from .exchange import Message

# A number of fewer signs tells nobody apart, and stands in many a text.
_DISTINCTIVE: Final = 4


def build_message(call: Secret[Call], authorization: Secret[str] | None) -> Secret[Message]:
    """Return the message of a call; without `authorization` it carries no credential."""
    revealed = call.reveal()
    headers = _headers()
    if authorization is not None:
        headers["Authorization"] = authorization.reveal()
    if revealed.app_code is not None:
        headers["AppCode"] = revealed.app_code
    return Secret(
        Message(revealed.method, revealed.path, revealed.query, headers, json=revealed.body)
    )


def build_token_message(credential: OAuth2Credential) -> Secret[Message]:
    """Return the message that asks for a token with the client-credentials grant."""
    form = {
        "grant_type": "client_credentials",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret.reveal(),
    }
    return Secret(Message("POST", TOKEN_PATH, headers=_headers(), form=form))


def private_texts(call: Secret[Call] | None) -> Iterator[str]:
    """Yield the texts of a call that the service may echo and nobody should read."""
    if call is None:
        return
    revealed = call.reveal()
    if revealed.app_code is not None:
        yield revealed.app_code
    if revealed.operation is Operation.PERSONS and revealed.query.get("type") != "PUSH":
        yield revealed.query.get("identifier", "")
    if revealed.operation is Operation.MATCH:
        yield from _identifiers(revealed.body)
    if revealed.operation in WRITES:
        # Of an update too: it carries keys that nobody declares, and those that are hidden.
        yield from _collect_texts(revealed.body)


def _identifiers(body: object) -> Iterator[str]:
    """Yield the identities that a match names; ids of registrations are no secret."""
    match body:
        case {"identities": list(identities)}:
            for identity in identities:
                if identity["type"] != "PUSH":
                    yield identity["identifier"]
        case _:
            return


def _headers() -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"reconciler/{__version__}",
    }


def _collect_opaque(value: Opaque) -> Iterator[str]:
    """Yield what stands in a carried value, and all of it where that cannot be read."""
    try:
        yield from _collect_texts(loads(value.json))
    except (ValueError, RecursionError):
        yield value.json


def _collect_texts(value: object) -> Iterator[str]:
    match value:
        case Opaque():
            yield from _collect_opaque(value)
        case str():
            yield value
        case int() | float() if not isinstance(value, bool) and len(str(value)) >= _DISTINCTIVE:
            yield str(value)
        case dict():
            for item in value.values():
                yield from _collect_texts(item)
        case list() | tuple():
            for item in value:
                yield from _collect_texts(item)
        case _:
            return
