"""A plan as one HTML file: nothing is loaded, nothing of the plan is ever markup or script."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Generic, TypeVar

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from reconciler.core.counting import counted, number
from reconciler.plan.model import Action, Plan, Risk
from reconciler.render.changes import DeviceView, Sign
from reconciler.render.folding import FOLD
from reconciler.render.sentences import UNREADABLE_MEANS, devices
from reconciler.render.view import PlanView, view

from .script import SCRIPT
from .style import STYLE
from .template import TEMPLATE

K = TypeVar("K")
_KINDS: Final[dict[Sign, str]] = {"+": "add", "-": "remove", "~": "change"}
# Beside the actions of changes: what is shown, and nothing happens to it.
_DRIFT: Final = "drift"
_BACK: Final = "back"


class _Pieces(dict[K, str], Generic[K]):
    """Pieces of the page that many blocks share, each made once."""

    def __init__(self, make: Callable[[K], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> str:
        self[key] = piece = self._make(key)
        return piece


@dataclass(frozen=True, slots=True)
class _Option:
    value: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class _Filter:
    """A choice beside the search field; its id is the name of the data that it compares."""

    id: str
    title: str
    options: tuple[_Option, ...]


def render(plan: Plan, fold: int | None = FOLD) -> str:
    """Return the page. Identical changes of more than `fold` devices are one (None: never)."""
    shown = view(plan, fold)
    gone, unreadable, released, adopted = (
        list(listed) for listed in (shown.gone, shown.unreadable, shown.released, shown.adopted)
    )
    applications = _applications(shown, (*gone, *unreadable, *released, *adopted))
    # An application stands in the page's data as its number: no text of a stranger is data.
    numbers = {name: str(index) for index, name in enumerate(sorted(applications))}
    heading, _, counts = shown.summary.partition(". ")
    return _template().render(
        plan=shown,
        heading=heading.removesuffix("."),
        counts=counts,
        gone=gone,
        unreadable=unreadable,
        unreadable_means=UNREADABLE_MEANS,
        released=released,
        adopted=adopted,
        changed=sum(len(block.devices) for block in shown.changes),
        drifted=sum(len(block.devices) for block in shown.drift),
        filters=_filters(shown, applications, numbers),
        apps=numbers,
        acts=_Pieces[Sequence[Action]](
            lambda actions: " ".join(action.value for action in actions)
        ),
        names=_Pieces[Sequence[Risk]](lambda risks: " ".join(risk.value for risk in risks)),
        badges=_Pieces[Sequence[Risk]](_badges),
        policy=_policy(),
        style=Markup(STYLE),
        script=Markup(SCRIPT),
        kinds=_KINDS,
        devices=devices,
        number=number,
        counted=counted,
    )


def _badges(risks: Sequence[Risk]) -> Markup:
    badge = Markup(' <span class="risk">{}</span>')
    return Markup("").join(badge.format(risk.value) for risk in risks)


def _applications(shown: PlanView, short: Iterable[DeviceView]) -> Counter[str]:
    counts = Counter(device.application for device in short)
    counts.update(proposal.application for proposal in shown.proposals)
    for block in (*shown.changes, *shown.drift):
        counts[block.application] += len(block.devices)
    return counts


def _filters(shown: PlanView, applications: Counter[str], numbers: dict[str, str]) -> list[_Filter]:
    risks = [
        _Option(entry.risk.value, entry.risk.value, len(entry.devices)) for entry in shown.risks
    ]
    if risks:
        risky = sum(len(block.devices) for block in shown.changes if block.all_risks)
        risks.insert(0, _Option("any", "any", risky))
    apps = [_Option(numbers[name], name, applications[name]) for name in numbers]
    actions = [_Option(name, name, count) for name, count in _actions(shown).items() if count]
    filters = (
        _Filter("risk", "Risk", tuple(risks)),
        _Filter("app", "Application", tuple(apps)),
        _Filter("act", "Action", tuple(actions)),
    )
    # Of one application and one action there is nothing to choose.
    return [entry for entry in filters if len(entry.options) > (entry.id != "risk")]


def _actions(shown: PlanView) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for block in shown.changes:
        for action in block.actions:
            counts[action.value] += len(block.devices)
    # A call's device may be adopted with it too; alone it stands in the list.
    counts[Action.GONE.value] += len(shown.gone)
    counts[Action.UNREADABLE.value] += len(shown.unreadable)
    counts[Action.RELEASE.value] += len(shown.released)
    counts[Action.ADOPT.value] += len(shown.adopted)
    counts[_DRIFT] = sum(len(block.devices) for block in shown.drift)
    counts[_BACK] = len(shown.proposals)
    return {name: counts[name] for name in (*(action.value for action in Action), _DRIFT, _BACK)}


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
