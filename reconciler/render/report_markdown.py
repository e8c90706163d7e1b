"""What an apply did as Markdown, for the summary of a job: how it ended, then what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.core.counting import plural
from reconciler.core.report import Report, Row

from .escape import name, prose
from .folding import FOLD
from .gfm import LIMIT, code, row, rows, table, who, words
from .report import MEANS, ORDER, details_of, groups, how_to_go_on, last, said
from .sentences import devices
from .spans import plain

MARKER: Final = "<!-- reconciler:apply -->"
# What stands around the table takes less than that.
_AROUND: Final = 8_000


def render(
    report: Report, *, again: str | None = None, withheld: int = 0, fold: int | None = FOLD
) -> str:
    """Return the Markdown, of at most gfm.LIMIT characters; what was cut off it says.

    `again` is the command that goes on with this plan, `withheld` how many devices its errors kept
    out of it. What went well is counted only.
    """
    parts = [f"{MARKER}\n### Reconciler apply\n", f"**{words(plain([last(report)]).strip())}**\n"]
    if withheld:
        were = plural(withheld, "was", "were")
        parts.append(f"❌ {devices(withheld)} {were} withheld by errors of the plan.\n")
    bad = [group for outcome in ORDER for group in groups(report, outcome, fold)]
    if bad:
        told = (_row(group, report) for group in bad)
        head = table("outcome", "operation", "now", "device", "application", "why")
        parts.append(head + rows(told, len(bad), LIMIT - _AROUND, "rows"))
        parts += [
            f"- {words(MEANS[outcome])}"
            for outcome in ORDER
            if outcome in MEANS and report.counts.get(outcome)
        ]
        parts.append("")
        parts += [f"{sentence}\n" for sentence in how_to_go_on(report, again, _typed)]
    parts.append(f"<sub>Plan {code(name(report.plan))}</sub>\n")
    return "\n".join(parts)


def already(plan: str) -> str:
    """Return the Markdown for a plan that an earlier run had finished."""
    return (
        f"{MARKER}\n### Reconciler apply\n\n**This plan was applied before; there was nothing left "
        f"to do.**\n\n<sub>Plan {code(name(plan))}</sub>\n"
    )


def _typed(command: str) -> str:
    return code(prose(command))


def _row(group: Sequence[Row], report: Report) -> str:
    first = group[0]
    why = "; ".join(words(plain([one]).strip()) for one in details_of(first, said(first, report)))
    if len(group) > 1 and first.device in why:
        why = f"the first of them: {why}"
    return row(
        f"**{first.outcome.value}**",
        words(prose(first.operation or "-")),
        words(prose(first.truth)),
        who(group),
        code(name(first.application)),
        why,
    )
