"""A plan as one HTML file: nothing is loaded, nothing of the plan is ever markup or script."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from reconciler.plan.definition import Plan

from .page import SCRIPT, STYLE, TEMPLATE
from .sentences import counted, devices, number
from .view import FOLD, ChangeView, Sign, view

_KINDS: Final[dict[Sign, str]] = {"+": "add", "-": "remove", "~": "change"}


def render(plan: Plan, fold: int | None = FOLD) -> str:
    """Return the page. Identical changes of more than `fold` devices are one (None: never)."""
    return _template().render(
        plan=view(plan, fold),
        policy=_policy(),
        style=Markup(STYLE),
        script=Markup(SCRIPT),
        kinds=_KINDS,
        risky=_risky,
        devices=devices,
        number=number,
        counted=counted,
    )


def _risky(change: ChangeView) -> bool:
    return bool(change.risks) or any(field.risks for field in change.fields)


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE)


def _policy() -> str:
    """Allow this very style and script and nothing else, should escaping ever fail."""
    return f"default-src 'none'; style-src '{_sha256(STYLE)}'; script-src '{_sha256(SCRIPT)}'"


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
