"""Routes of `/_sandbox`: world, call log, faults and the app's own changes, for tests and demos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.platform.answers import registration_json
from reconciler.platform.worldfile import decode_world, encode_world

from .account import Account, UnknownRegistration
from .faults import Faults


def control_routes(account: Account) -> Sequence[Route]:
    """Return the routes under `/_sandbox`."""

    async def read_world(request: Request) -> Response:
        # A large world takes a while to show; calls go on meanwhile.
        return _json_response(await run_in_threadpool(encode_world, account.world))

    async def write_world(request: Request) -> Response:
        data = await request.body()

        def replace_world() -> None:
            account.set_world(decode_world(data))

        return await _respond(replace_world)

    async def read_calls(request: Request) -> Response:
        document = {
            "counts": account.log.counts(),
            "calls": [
                {
                    "operation": call.operation.value,
                    "method": call.method,
                    "path": call.path,
                    "query": call.query,
                    "status": call.status,
                    "people": sorted(call.people),
                    "start": call.start,
                    "end": call.end,
                    "fault": call.fault,
                    "done": call.done,
                }
                for call in account.log.calls()
            ],
        }
        return _json_response(msgspec.json.encode(document))

    async def clear_calls(request: Request) -> Response:
        account.log.clear()
        return Response(status_code=204)

    async def change(request: Request) -> Response:
        data = await request.body()

        def merge() -> object:
            patch: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
            return registration_json(account.change(request.path_params["id"], patch))

        return await _respond(merge)

    async def uninstall(request: Request) -> Response:
        return await _respond(lambda: account.uninstall(request.path_params["id"]))

    async def read_faults(request: Request) -> Response:
        return _json_response(msgspec.json.encode(_show_faults(account.faults)))

    async def write_faults(request: Request) -> Response:
        data = await request.body()

        def replace_faults() -> object:
            document = msgspec.json.decode(data, type=_FaultsDocument)
            account.faults = Faults(document.faults, document.seed)
            return _show_faults(account.faults)

        return await _respond(replace_faults)

    async def clear_faults(request: Request) -> Response:
        account.faults = Faults()
        return Response(status_code=204)

    return [
        Route("/faults", read_faults, methods=["GET"]),
        Route("/faults", write_faults, methods=["PUT"]),
        Route("/faults", clear_faults, methods=["DELETE"]),
        Route("/world", read_world, methods=["GET"]),
        Route("/world", write_world, methods=["PUT"]),
        Route("/calls", read_calls, methods=["GET"]),
        Route("/calls", clear_calls, methods=["DELETE"]),
        Route("/registrations/{id:path}", change, methods=["PUT"]),
        Route("/registrations/{id:path}", uninstall, methods=["DELETE"]),
    ]


class _FaultsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The faults that are to be in force."""

    faults: list[str]
    seed: int = 0


def _show_faults(faults: Faults) -> object:
    return {
        "seed": faults.seed,
        "faults": [
            {"spec": count.spec, "met": count.met, "hit": count.hit} for count in faults.counts()
        ],
    }


async def _respond(action: Callable[[], object]) -> Response:
    """Run an act; say plainly what was wrong with the request."""
    try:
        result = await run_in_threadpool(action)
    except UnknownRegistration:
        return _json_response(msgspec.json.encode({"error": "no such registration"}), 404)
    except ValueError as error:
        return _json_response(msgspec.json.encode({"error": str(error)}), 400)
    return (
        Response(status_code=204) if result is None else _json_response(msgspec.json.encode(result))
    )


def _json_response(data: bytes, status: int = 200) -> Response:
    return Response(data, status, media_type="application/json")
