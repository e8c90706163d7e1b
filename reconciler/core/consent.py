"""Consent that stands in a reviewed file: to which plan, and to how much of what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Consent:
    """`changes` is the digest of what the plan would do (plan.consent.effect_digest); `accept` maps
    guards to exact counts. It says nothing to any other plan."""

    changes: str
    accept: Mapping[str, int] = field(default_factory=dict)
