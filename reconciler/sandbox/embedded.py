"""A sandbox for people's own tests: the simulated service in a background thread, by one call.

    with sandbox(people=40) as service:
        subprocess.run(["reconciler", "plan"], env={**os.environ, **service.environ})
        service.change(device_id, {"isPrimary": False})
        assert service.calls()

It listens on 127.0.0.1 only, on a port that is free. It prints nothing, leaves signals and the
garbage collector alone, and reads no environment variable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Final

from reconciler.platform.assumptions import ASSUMPTIONS
from reconciler.platform.operations import Operation
from reconciler.platform.world import World
from reconciler.platform.worldfile import decode_world

from .account import SandboxOptions
from .serve import RunningSandbox

__all__ = ["RunningSandbox", "sandbox"]

_PEOPLE: Final = 100
_LONGEST_LATENCY: Final = 60.0


def sandbox(
    *,
    people: int | None = None,
    world: World | str | PathLike[str] | None = None,
    assume: Mapping[str, str] | None = None,
    faults: Sequence[str] = (),
    fault_seed: int = 0,
    limits: Mapping[str, float] | None = None,
    latency: float = 0.0,
) -> RunningSandbox:
    """Return a simulated service that runs for as long as the `with` block lasts.

    `people`: so many generated people (100 if there is no `world` either, 10,000,000 at most),
    with 1.5 registrations each; the same number gives the same world, every time.
    `world`: what is served instead, a World or the path of a world file (JSON, as
    `GET /_sandbox/world` shows it).
    `assume`: readings of what nobody outside of the vendor knows, by name, such as
    `{"detach": "keeps"}`.
    `faults`: what goes wrong, such as `["get:503@5%"]`; `fault_seed` decides which calls a share
    of them means.
    `limits`: calls a second by operation (get, update, personalize, depersonalize, persons,
    match), above which a call is answered with 429. An operation that is not named has no limit,
    and none has one by default, so that tests are quick; the real service has
    `{"persons": 5, "match": 15}` and 50 for each of the others.
    `latency`: seconds that each call takes on its way, from 0 to 60.

    Raises ValueError for an argument that is no good, OSError for a world file that cannot be
    read; the `with` statement raises OSError where nothing can listen on 127.0.0.1.
    """
    if people is not None and world is not None:
        raise ValueError("people and world exclude each other")
    if isinstance(faults, str):
        raise ValueError("faults is a list of texts, such as ['get:503@5%']")
    return RunningSandbox(
        SandboxOptions(
            world=_read_world(world),
            people=_PEOPLE if people is None else people,
            assume=_require_readings(assume or {}),
            limits=None if limits is None else _complete_limits(limits),
            latency=_require_latency(latency),
            faults=tuple(faults),
            fault_seed=fault_seed,
        )
    )


def _read_world(world: World | str | PathLike[str] | None) -> World | None:
    if world is None or isinstance(world, World):
        return world
    try:
        return decode_world(Path(world).read_bytes())
    except ValueError as error:
        raise ValueError(f"{world} is no world: {error}") from None


def _require_readings(assume: Mapping[str, str]) -> Mapping[str, str]:
    for name, reading in assume.items():
        assumption = ASSUMPTIONS.get(name)
        if assumption is None:
            known = ", ".join(ASSUMPTIONS)
            raise ValueError(f"there is no assumption {name!r}; they are: {known}")
        if reading not in assumption.readings:
            raise ValueError(f"{name} is one of: {', '.join(assumption.readings)}")
    return dict(assume)


def _complete_limits(limits: Mapping[str, float]) -> Mapping[Operation, float]:
    unknown = limits.keys() - set(Operation)
    if unknown:
        raise ValueError(
            f"there is no operation {min(unknown)!r} to limit; they are: {', '.join(Operation)}"
        )
    for name, limit in limits.items():
        # A limit below one call a second would let none pass at all. NaN fails this too.
        if not limit >= 1:
            raise ValueError(f"the limit of {name} is a number of calls a second, 1 at the least")
    return {operation: limits.get(operation, math.inf) for operation in Operation}


def _require_latency(seconds: float) -> float:
    if not 0 <= seconds <= _LONGEST_LATENCY:
        raise ValueError(f"latency is in seconds, from 0 to {_LONGEST_LATENCY:.0f}")
    return seconds
