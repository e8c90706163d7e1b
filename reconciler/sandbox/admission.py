"""Who may call, and how often: made-up credentials, tokens that expire, requests a second.

All four ways of the service to authenticate are known. Any credential is good, but one that holds
`revoked` is answered 401 and one that holds `forbidden` 403, so that both can be tried.
"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Mapping
from urllib.parse import parse_qs

from reconciler.platform.answers import service_exception
from reconciler.platform.operations import Operation, Response

_SCHEMES = frozenset({"app", "basic", "ibsso", "bearer"})
_ISSUED = "sandbox-token-"


class Authorization:
    """Check credentials, and issue bearer tokens that expire."""

    def __init__(self, token_seconds: float) -> None:
        self._token_seconds = token_seconds
        self._expiries: list[float] = []

    def refusal(self, header: str | None, now: float) -> Response | None:
        """Return the error for a request with this Authorization header, None if it may pass."""
        scheme, _, credential = (header or "").strip().partition(" ")
        credential = credential.strip()
        if scheme.lower() not in _SCHEMES or not credential:
            return service_exception(401)
        if scheme.lower() == "basic":
            credential = _decode_basic(credential)
        if not credential or "revoked" in credential or self._expired(credential, now):
            return service_exception(401)
        return service_exception(403) if "forbidden" in credential else None

    def issue(self, form: bytes, now: float) -> Response:
        """Answer a request for a token (client credentials, form encoded)."""
        try:
            fields = parse_qs(form.decode("ascii"), max_num_fields=20)
        except ValueError:
            fields = {}
        if fields.get("grant_type") != ["client_credentials"]:
            return service_exception(400, "Unsupported grant_type")
        client, secret = fields.get("client_id", [""])[0], fields.get("client_secret", [""])[0]
        if not client or not secret or "revoked" in client + secret:
            return service_exception(401)
        token = f"{_ISSUED}{len(self._expiries)}"
        if "forbidden" in client + secret:
            token += "-forbidden"
        self._expiries.append(now + self._token_seconds)
        body = {
            "access_token": token,
            "expires_in": int(self._token_seconds),
            "token_type": "Bearer",
        }
        return Response(200, body)

    def _expired(self, credential: str, now: float) -> bool:
        if not credential.startswith(_ISSUED):
            return False
        number = credential.removeprefix(_ISSUED).partition("-")[0]
        if not (number.isascii() and number.isdigit()) or int(number) >= len(self._expiries):
            return True
        return self._expiries[int(number)] <= now


class Limits:
    """Count the requests of each operation over the second that ends now."""

    def __init__(self, limits: Mapping[Operation, float] | None) -> None:
        """`limits` in requests a second by operation; None for no limits at all."""
        self._limits = limits
        self._admitted: dict[Operation, deque[float]] = {kind: deque() for kind in Operation}

    def admits(self, operation: Operation, now: float) -> bool:
        """Admit and count one request, or refuse it (a refused one is not counted)."""
        if self._limits is None:
            return True
        admitted = self._admitted[operation]
        while admitted and admitted[0] <= now - 1:
            admitted.popleft()
        if len(admitted) + 1 > self._limits[operation]:
            return False
        admitted.append(now)
        return True


def _decode_basic(credential: str) -> str:
    """Return `user:password`, or nothing where it is not Basic's form."""
    try:
        decoded = base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded if ":" in decoded.strip(":") else ""
