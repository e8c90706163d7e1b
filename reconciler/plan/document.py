"""The plan document: one JSON form, written and read back; digest and seal show tampering."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from reconciler.core.digest import Digester
from reconciler.core.failures import ReconcilerError

from .model import FORMAT_VERSION, Forecast, Plan, ReadCounts, Reads

# The id is no part of the digest (equal inputs differ in it), and names rows of the journal.
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class InvalidPlan(ReconcilerError, ValueError):
    """A file that is not a plan this version can carry out; the message says why."""


def digest_of(plan: Plan) -> str:
    """Return the digest over everything that decides the effect.

    That is all but id, time, itself, how it was read, and how long things take: that differs from
    run to run.
    """
    bare = msgspec.structs.replace(
        plan,
        id="",
        created_at="",
        summary=msgspec.structs.replace(plan.summary, forecast_seconds=0.0),
        reads=Reads("", ReadCounts()),
        forecast=Forecast(),
        digest="",
        seal="",
    )
    return hashlib.sha256(_json(bare)).hexdigest()


def sealed(plan: Plan, digester: Digester) -> Plan:
    """Return the plan with its digest, sealed with the key of the state it was made with."""
    digest = digest_of(plan)
    return msgspec.structs.replace(plan, digest=digest, seal=digester.of("plan", digest))


def is_sealed(plan: Plan, digester: Digester) -> bool:
    """Whether the plan was made with this state and is as it was made.

    The digest alone shows accidents; a forger could make it anew, but not the seal.
    """
    digest = digest_of(plan)
    return plan.digest == digest and plan.seal == digester.of("plan", digest)


def encode(plan: Plan) -> bytes:
    """Write a plan as indented JSON with a line end. Equal plans give equal bytes."""
    return msgspec.json.format(_json(plan), indent=2) + b"\n"


def decode(data: bytes) -> Plan:
    """Read a plan back; raises BadPlan for anything else: other versions, torn or changed files."""
    try:
        version = msgspec.json.decode(data, type=_Versioned).formatVersion
    except msgspec.DecodeError as error:
        raise InvalidPlan(f"not a plan document: {_plain(error)}") from error
    if version != FORMAT_VERSION:
        raise InvalidPlan(
            f"this plan has format version {version!r}, and this reconciler reads "
            f"{FORMAT_VERSION!r}: make the plan again"
        )
    try:
        plan = msgspec.json.decode(data, type=Plan)
    except msgspec.DecodeError as error:
        raise InvalidPlan(f"not a whole plan document: {_plain(error)}") from error
    if not _ID.fullmatch(plan.id):
        raise InvalidPlan("the id of the plan is not one that reconciler gives")
    if plan.digest != digest_of(plan):
        raise InvalidPlan("the plan was changed after it was made: its digest does not fit")
    return plan


class _Versioned(msgspec.Struct):
    formatVersion: str  # noqa: N815 - the name in the document


def _json(plan: Plan) -> bytes:
    return msgspec.json.encode(plan, order="deterministic")


def _plain(error: Exception) -> str:
    """Return the reason without the input: msgspec names types and paths, never values."""
    return str(error) or type(error).__name__
