"""What a plan of a part of the fleet covers, what comes along and why, what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.counting import counted, number, plural
from reconciler.plan.model import Coverage

from .escape import name, prose
from .sentences import devices, listed

_FEW: Final = 5
_SELECTOR: Final = 100
_PROJECT_CHANGED: Final = (
    " The project file changed as well: what follows from that for the other devices, only a plan "
    "of all shows."
)


@dataclass(frozen=True, slots=True)
class AlongView:
    """A device that comes along, the one that needs it, and why."""

    id: str
    needed_by: str
    why: str


@dataclass(frozen=True, slots=True)
class CoverageView:
    """What is covered: how many devices by which options (of which few are shown), what comes
    along, what is left out in words."""

    chosen: int
    options: tuple[str, ...]
    count: int
    along: tuple[AlongView, ...]
    left_out: str
    project_changed: bool = False

    def sentence(self, typed: Callable[[str], str] = str) -> str:
        """Say it in one sentence; `typed` marks an option as a rendering does."""
        shown = [typed(option) for option in self.options]
        options = listed(shown, _FEW, self.count) if self.count > _FEW else _join(shown)
        covers = f"Covers {devices(self.chosen)} chosen by {options}"
        if self.chosen == 0:
            covers = f"Covers nothing: no device is chosen by {options}"
        if along := len(self.along):
            covers += f", and {number(along)} that {plural(along, 'comes', 'come')} along"
        return f"{covers}; {self.left_out}.{_PROJECT_CHANGED if self.project_changed else ''}"


def coverage_view(coverage: Coverage) -> CoverageView | None:
    """Make the view; None where everything is covered, of which there is nothing to say."""
    if not coverage.selectors:
        return None
    return CoverageView(
        coverage.chosen,
        tuple(prose(selector, _SELECTOR) for selector in coverage.selectors[:_FEW]),
        len(coverage.selectors),
        tuple(
            AlongView(name(dependency.device), name(dependency.needed_by), prose(dependency.why))
            for dependency in coverage.dependencies
        ),
        _say_left_out(coverage),
        coverage.project_changed,
    )


def _say_left_out(coverage: Coverage) -> str:
    parts: list[str] = []
    if declared := coverage.left_out:
        parts.append(counted(declared, "declared device"))
    if leaving := coverage.leaving_left_out:
        parts.append(f"{number(leaving)} that left the files")
    if not parts:
        return "nothing is left out"
    total = coverage.left_out + coverage.leaving_left_out
    return f"{_join(parts)} {plural(total, 'is', 'are')} left out"


def _join(parts: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
