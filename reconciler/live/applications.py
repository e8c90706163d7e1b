"""Which applications of the project the service lists, by code, where it lists any.

Pages name the service's id of an application and a project its code: the list links the two, with
one call for all of them. A key that may not ask is no error; a point read links them as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.api.errors import ApiError
from reconciler.core.live import LiveApplication

from .context import ReadContext

_CREDENTIALS_REFUSED = 401


async def listed_applications(context: ReadContext) -> Mapping[str, LiveApplication]:
    """Return the project's applications that are listed, by the project's names; none where the
    service lists none, for whatever reason. The service is asked once in a run."""
    try:
        listed = await context.service.applications()
    except ApiError as error:
        if error.status == _CREDENTIALS_REFUSED:
            raise
        return {}
    return by_project_name(listed, context.app_codes)


def by_project_name(
    listed: Iterable[LiveApplication], app_codes: Mapping[str, str]
) -> dict[str, LiveApplication]:
    """Return what is listed of the project's applications. A code or an id that is listed twice
    links nothing."""
    listed = tuple(listed)
    codes = Counter(one.code for one in listed)
    ids = Counter(one.id for one in listed)
    by_code = {one.code: one for one in listed if codes[one.code] == 1 and ids[one.id] == 1}
    return {name: by_code[code] for name, code in app_codes.items() if code in by_code}
