"""Encode answers as HTTP: the true ones, and the false ones that a faulty gateway gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.responses import Response as HttpResponse

from reconciler.platform.answers import service_exception
from reconciler.platform.operations import Response

from .fault import Fault, RetryAfter

# Where a redirect leads: nowhere in the API, and never to another host.
ELSEWHERE: Final = "/elsewhere"
_JSON: Final = "application/json"
_DOCUMENTED: Final = frozenset({401, 403, 404, 429, 500})
_GARBAGE: Final = b'\x00\xff{"registrationId": \xc3\x28,,'
_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
)


def encode_response(response: Response, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return an answer of the platform as it goes over the wire."""
    if response.body is None:
        return HttpResponse(status_code=response.status, headers=headers)
    return HttpResponse(
        msgspec.json.encode(response.body), response.status, headers=headers, media_type=_JSON
    )


def status_response(fault: Fault, origin: str) -> HttpResponse:
    """Return the answer of a status fault: the API's error, or a page of HTML; `origin` is the URL
    of the sandbox, below which a redirect stays."""
    headers = {}
    if fault.retry_after is not None:
        headers["retry-after"] = _retry_after_header(fault.retry_after)
    if fault.status == HTTPStatus.NOT_MODIFIED:  # which never has a body
        return HttpResponse(status_code=fault.status, headers=headers)
    if 300 <= fault.status < 400:
        headers["location"] = origin + ELSEWHERE
    if fault.html:
        return html_page(fault.status, headers)
    return encode_response(_error_body(fault.status), headers)


def html_page(status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return what a proxy says of itself."""
    text = _PAGE.format(f"{status} {_reason_phrase(status)}")
    return HttpResponse(text, status, headers=headers, media_type="text/html")


def empty_response() -> HttpResponse:
    return HttpResponse(status_code=200)


def garbage_response() -> HttpResponse:
    """Return bytes that say they are JSON and are not even text."""
    return HttpResponse(_GARBAGE, media_type=_JSON)


def mistype_response(response: Response) -> HttpResponse:
    """Return an answer with the names of the true one, and each value of another type."""
    body = response.body
    if isinstance(body, Mapping):
        changed: object = {name: _value_of_other_type(value) for name, value in body.items()}
    else:
        changed = []
    return HttpResponse(msgspec.json.encode(changed), media_type=_JSON)


def _value_of_other_type(value: object) -> object:
    match value:
        case bool():
            return "perhaps"
        case str():
            return 0
        case int() | float():
            return "many"
        case Mapping():
            return [0]
        case _:
            return {"0": 0}


def _error_body(status: int) -> Response:
    if status in _DOCUMENTED:
        return service_exception(status)
    if status == HTTPStatus.CONFLICT:
        return service_exception(status, "Optimistic lock", "OPTIMISTIC_LOCK")
    name = _reason_phrase(status).upper().replace(" ", "_")
    return replace(service_exception(500, _reason_phrase(status), name), status=status)


def _reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _retry_after_header(retry_after: RetryAfter) -> str:
    if not retry_after.as_date:
        return str(retry_after.seconds)
    # A date has whole seconds; it is rounded up, so that it never allows a call too early.
    second = math.ceil(datetime.now(UTC).timestamp()) + retry_after.seconds
    return format_datetime(datetime.fromtimestamp(0, UTC) + timedelta(seconds=second), usegmt=True)
