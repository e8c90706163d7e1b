"""What goes wrong in a case, as specs of the sandbox: passing trouble mostly, sometimes lasting.

Left out is what no client could ever see: a 200 to a detach that was not carried out, with the
empty body that is its right answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from tests.properties.fleets import KEYS

_READS: Final = ("get", "get", "persons", "match", "reads")
_WRITES: Final = ("update", "update", "personalize", "personalize", "depersonalize", "writes")
_LOST: Final = ("reset", "truncate", "garbage", "html", "wrong-type", "hang", "empty")
_STATUSES: Final = ("429", "429", "500", "502", "503", "503", "409")
_EMPTY_IS_RIGHT: Final = frozenset({"depersonalize", "writes", "any"})


def schedule(chance: Random, devices: Sequence[str], *, writes: bool = True) -> tuple[str, ...]:
    """Draw a few faults; without `writes` only such as meet a plan."""
    if chance.random() < 0.08:
        return (_denied(chance), *_several(chance, devices, writes, 1))
    if chance.random() < 0.1:
        return (_lasting(chance, writes),)
    if chance.random() < 0.1:
        # Who may not match looks people up one by one, and comes to the same end.
        return (f"match:{chance.choice([403, 404, 405, 413, 501])}{_when(chance)}",)
    return _several(chance, devices, writes, chance.choice([1, 1, 2, 2, 3, 4]))


def _several(chance: Random, devices: Sequence[str], writes: bool, count: int) -> tuple[str, ...]:
    faults = [_passing(chance, writes) for _ in range(count)]
    if writes and chance.random() < 0.35:
        faults.append(_rival(chance, devices))
    return tuple(faults)


def _passing(chance: Random, writes: bool) -> str:
    operation = chance.choice((*_READS, *_WRITES, *_WRITES, "any") if writes else _READS)
    is_write = operation in (*_WRITES, "any")
    when = _when(chance)
    kind = chance.random()
    if kind < 0.1:
        return f"{operation}:drip{when},seconds={chance.choice([0.2, 0.4, 1.5])}"
    if kind < 0.2:
        # A call that is carried out when its client has long gone, but before it looks again.
        seconds = chance.choice([0.05, 0.2, 0.4, 1.6])
        return f"{operation}:delay{when},seconds={seconds}" + _after(chance, is_write)
    if kind < 0.55:
        status = chance.choice(_STATUSES if is_write else _STATUSES[:-1])
        more = _after(chance, is_write and status[0] == "5")
        if status == "429" and chance.random() < 0.6:
            more += chance.choice([",retry-after=0", ",retry-after=1", ",retry-after=date:1"])
        elif status[0] == "5" and chance.random() < 0.4:
            more += ",html"
        return f"{operation}:{status}{when}{more}"
    effect = chance.choice(_LOST)
    after = ",after" if effect == "empty" and operation in _EMPTY_IS_RIGHT else None
    return f"{operation}:{effect}{when}{_after(chance, is_write) if after is None else after}"


def _after(chance: Random, is_possible: bool) -> str:
    return ",after" if is_possible and chance.random() < 0.5 else ""


def _when(chance: Random) -> str:
    if chance.random() < 0.5:
        return f"@{chance.choice([5, 10, 20, 35])}%"
    first = 1 + int(chance.expovariate(0.3))
    return f"@#{first}" if chance.random() < 0.6 else f"@#{first}-{first + chance.randint(1, 3)}"


def _lasting(chance: Random, writes: bool) -> str:
    """Draw trouble that outlasts every patience."""
    operation = chance.choice(["writes", "any", "update", "reads"] if writes else ["any", "get"])
    first = 1 + int(chance.expovariate(0.2))
    effect = chance.choice(["503", "reset", "hang", "500", "garbage", "302"])
    is_write = operation in ("writes", "update")
    return f"{operation}:{effect}@#{first}+" + _after(chance, is_write and effect != "302")


def _denied(chance: Random) -> str:
    operation = chance.choice(["any", "any", "update", "get", "writes", "persons"])
    return f"{operation}:{chance.choice(['401', '403'])}@#{1 + int(chance.expovariate(0.2))}+"


def _rival(chance: Random, devices: Sequence[str]) -> str:
    operation = chance.choice(["get", "get", "update", "reads", "any"])
    only = f",device={chance.choice(devices)}" if chance.random() < 0.5 else ""
    change: dict[str, Any] = {}
    while not change:
        if chance.random() < 0.4:
            change["registrationEnabled"] = chance.random() < 0.5
        if chance.random() < 0.3:
            # Never set: a person with two flagged devices would have to be told apart.
            change["isPrimary"] = False
        if chance.random() < 0.6:
            keys = chance.sample(KEYS, chance.randint(1, 2))
            change["additionalData"] = {key: chance.choice(["rival", 7, None]) for key in keys}
    return f"{operation}:rival{_when(chance)}{only},set={json.dumps(change, ensure_ascii=False)}"
