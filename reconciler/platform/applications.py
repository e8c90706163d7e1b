"""The applications call: the applications of the account, with what lives in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from .answers import Refused, service_exception
from .operations import Response, application_code_of
from .world import World


def count_registrations(world: World) -> Counter[str]:
    """Return how many registrations there are by application id."""
    return Counter(one.application_id for one in world.registrations.values())


def answer_applications(world: World, path: str, counts: Mapping[str, int]) -> Response:
    """Answer with all applications, or the one whose code stands in the path; Refused where there
    is none. `counts` are registrations by application id."""
    shown = {
        code: _application_json(number, code, id_, counts.get(id_, 0))
        for number, (code, id_) in enumerate(world.applications.items(), 1)
    }
    code = application_code_of(path)
    if code is None:
        return Response(200, {"applications": list(shown.values())})
    if code not in shown:
        raise Refused(service_exception(404))
    return Response(200, shown[code])


def _application_json(number: int, code: str, id_: str, count: int) -> dict[str, object]:
    return {
        "applicationCode": code,
        "applicationId": id_,
        # A world has no names of them, and a code is none: it is as good as a credential.
        "name": f"Application {number}",
        "description": "",
        "registrationsCount": count,
        "apns": {"enabled": True},
        "gcm": {"enabled": True},
    }
