"""What an apply did as Markdown, for the summary of a job: how it ended, then what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.core.counting import plural
from reconciler.core.report import Report, Row

from .escape import name, prose
from .folding import FOLD
from .gfm import LIMIT, code_span, escape_sentence, fit_rows, name_devices, table_head, table_row
from .report import MEANS, ORDER, detail_lines, group_rows, next_steps, row_detail, summary_line
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
    parts = [
        f"{MARKER}\n### Reconciler apply\n",
        f"**{escape_sentence(plain([summary_line(report)]).strip())}**\n",
    ]
    if withheld:
        were = plural(withheld, "was", "were")
        parts.append(f"❌ {devices(withheld)} {were} withheld by errors of the plan.\n")
    bad = [group for outcome in ORDER for group in group_rows(report, outcome, fold)]
    if bad:
        rows = (_row(group, report) for group in bad)
        head = table_head("outcome", "operation", "now", "device", "application", "why")
        parts.append(head + fit_rows(rows, len(bad), LIMIT - _AROUND, "rows"))
        parts += [
            f"- {escape_sentence(MEANS[outcome])}"
            for outcome in ORDER
            if outcome in MEANS and report.counts.get(outcome)
        ]
        parts.append("")
        parts += [f"{sentence}\n" for sentence in next_steps(report, again, _typed)]
    parts.append(f"<sub>Plan {code_span(name(report.plan))}</sub>\n")
    return "\n".join(parts)


def already_applied(plan: str) -> str:
    """Return the Markdown for a plan that an earlier run had finished."""
    return (
        f"{MARKER}\n### Reconciler apply\n\n**This plan was applied before; there was nothing left "
        f"to do.**\n\n<sub>Plan {code_span(name(plan))}</sub>\n"
    )


def _typed(command: str) -> str:
    return code_span(prose(command))


def _row(group: Sequence[Row], report: Report) -> str:
    first = group[0]
    why = "; ".join(
        escape_sentence(plain([detail]).strip())
        for detail in detail_lines(first, row_detail(first, report))
    )
    if len(group) > 1 and first.device in why:
        why = f"the first of them: {why}"
    return table_row(
        f"**{first.outcome.value}**",
        escape_sentence(prose(first.operation or "-")),
        escape_sentence(prose(first.truth)),
        name_devices(group),
        code_span(name(first.application)),
        why,
    )
