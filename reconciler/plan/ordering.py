"""Which works must not run at once, and the edges that keep their calls in order.

Two writes to one person at a time fail with OPTIMISTIC_LOCK, and a primary device is demoted
before another is promoted; so the calls of a connected group that touch a person form one chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from reconciler.core.graph import components

from .device_plan import OWNERSHIP, DevicePlan
from .model import PlannedCall


def groups(works: Sequence[DevicePlan]) -> list[list[DevicePlan]]:
    """Group works that touch a common person, directly or through others; by device id."""
    ordered = sorted(works, key=lambda work: work.change.device)
    return components(ordered, [work.touched for work in ordered])


def ordered_calls(group: Iterable[DevicePlan]) -> tuple[PlannedCall, ...]:
    """Return the calls of one group with their edges, in an order that keeps them.

    The chain: ownership calls by device id, demotions, promotions. Other updates wait only for
    the ownership call of their own device. A promotion needs the demotions of its person.
    """
    ownership: list[PlannedCall] = []
    demotions: list[tuple[DevicePlan, PlannedCall]] = []
    promotions: list[tuple[DevicePlan, PlannedCall]] = []
    others: list[PlannedCall] = []
    for work in group:
        own: tuple[str, ...] = ()
        for call in work.calls:
            if is_ownership(call):
                ownership.append(call)
                own = (call.id,)
                continue
            call = msgspec.structs.replace(call, needs=own)
            touches = work.owner_key is not None and work.flag is not None
            if not touches:
                others.append(call)
            elif work.flag is True:
                promotions.append((work, call))
            else:
                demotions.append((work, call))
    demoted: dict[str | None, list[str]] = {}
    for work, call in demotions:
        demoted.setdefault(work.owner_key, []).append(call.id)
    chain = [*ownership, *(call for _, call in demotions)]
    for work, call in promotions:
        needs = (*call.needs, *demoted.get(work.owner_key, ()))
        chain.append(msgspec.structs.replace(call, needs=needs))
    return (*_chained(chain), *others)


def _chained(chain: list[PlannedCall]) -> list[PlannedCall]:
    linked = chain[:1]
    for previous, call in pairwise(chain):
        after = () if previous.id in call.needs else (previous.id,)
        linked.append(msgspec.structs.replace(call, after=after))
    return linked


def is_ownership(call: PlannedCall) -> bool:
    """Whether a call changes who owns a registration."""
    return call.operation in OWNERSHIP
