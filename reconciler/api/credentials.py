"""Resolved credentials, one type for each way to authenticate; what is secret in them is hidden."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from reconciler.core.secret import Secret


@dataclass(frozen=True, slots=True)
class ApiKeyCredential:
    """`Authorization: App <key>`."""

    key: Secret[str]


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """`Authorization: Basic <base64 of username:password>`."""

    username: str
    password: Secret[str]


@dataclass(frozen=True, slots=True)
class OAuth2Credential:
    """`Authorization: Bearer <token>`, the token fetched with the client-credentials grant."""

    client_id: str
    client_secret: Secret[str]


@dataclass(frozen=True, slots=True)
class IbssoCredential:
    """`Authorization: IBSSO <token>`."""

    token: Secret[str]


Credential = ApiKeyCredential | BasicCredential | OAuth2Credential | IbssoCredential


class UnusableCredential(ValueError):
    """A credential that no header can carry; the message names the part, never its value."""


def require_usable(credential: Credential) -> None:
    """Raise UnusableCredential for a part that is empty or that a header cannot carry.

    Checked before anything is sent: libraries echo what they cannot encode.
    """
    match credential:
        case ApiKeyCredential(key):
            _require_token("the API key", key.reveal())
        case IbssoCredential(token):
            _require_token("the IBSSO token", token.reveal())
        case BasicCredential(username, password):
            if not username or not password.reveal():
                raise UnusableCredential("the user name or the password is empty")
            if ":" in username:
                raise UnusableCredential("the user name holds a colon, which Basic cannot carry")
        case OAuth2Credential(client_id, client_secret):
            if not client_id or not client_secret.reveal():
                raise UnusableCredential("the client id or the client secret is empty")


def fits_in_header(text: str) -> bool:
    """Whether a header can carry a text as one word: not empty, printable ASCII, no space."""
    return bool(text) and all("!" <= character <= "~" for character in text)


def basic_header(username: str, password: Secret[str]) -> Secret[str]:
    """Return the Authorization header of the Basic scheme."""
    pair = f"{username}:{password.reveal()}".encode()
    return Secret(f"Basic {base64.b64encode(pair).decode()}")


def _require_token(part: str, text: str) -> None:
    if not text:
        raise UnusableCredential(f"{part} is empty")
    if not fits_in_header(text):
        raise UnusableCredential(f"{part} holds a space, a line break or a non-ASCII character")
