"""A plan as a comment on a pull request: risks first, all escaped, never too long to post."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.core.counting import counted, number
from reconciler.plan.model import Plan

from .changes import ChangeView, DeviceView, FieldView
from .coverage import CoverageView
from .escape import prose
from .folding import FOLD
from .gfm import LIMIT as LIMIT
from .gfm import code_span, escape_sentence, fit_rows, table_head, table_row
from .sentences import UNREADABLE_MEANS, devices, listed
from .view import PATCH_COMMAND, ErrorView, PlanView, ProposalView, RefusalView, WarningView, view

# The first line, by which a pipeline finds its own comment again to replace it.
MARKER: Final = "<!-- reconciler:plan -->"
_FEW: Final = 3
_FIELDS: Final = 8_000
_SHORT: Final = 200
# More changes than that stand folded.
_OPEN: Final = 20
# What may come out of each section, in characters; the changes get all that is left.
_ERRORS: Final = 9_000
_WARNINGS: Final = 7_000
_REFUSALS: Final = 6_000
_DRIFT: Final = 7_000
_LISTS: Final = 2_500
_ALONG: Final = 4_000
_END: Final = 600


def render(plan: Plan, fold: int | None = FOLD, limit: int = LIMIT) -> str:
    """Return the comment; it has at most `limit` characters, and says what it had to leave out."""
    shown = view(plan, fold)
    before = [
        f"{MARKER}\n### Reconciler plan\n",
        f"**{shown.summary}**\n",
        _coverage(shown.coverage),
        _risks(shown),
        _refusals(shown.refusals),
        _errors(shown.errors),
    ]
    after = [
        _drift(shown.drift),
        _warnings(shown.warnings),
        _short("To adopt", "as declared already; apply only notes them", shown.adopted),
        _short("To release", "left the files; forgotten, no call", shown.released),
        _short("Gone", "the service knows no such registration", shown.gone),
        _short("Unreadable", UNREADABLE_MEANS, shown.unreadable),
        _proposals(shown.proposals),
        f"{escape_sentence(shown.not_looked_for)}\n" if shown.not_looked_for else "",
        _footer(shown),
    ]
    rest = sum(len(part) + 1 for part in (*before, *after))
    changes = _changes(shown.changes, limit - rest - _END)
    text = "\n".join(part for part in (*before, changes, *after) if part)
    if len(text) <= limit:
        return text
    return f"{MARKER}\n**{shown.summary}**\n\nToo long to show here; `--format json` has all.\n"


def _device(device: DeviceView) -> str:
    return code_span(device.id) + (f" {code_span(device.label)}" if device.label else "")


def _coverage(coverage: CoverageView | None) -> str:
    if coverage is None:
        return ""
    sentence = f"{coverage.sentence(code_span)}\n"
    if not coverage.along:
        return sentence
    rows = (
        f"- {code_span(device.id)} comes along for {code_span(device.needed_by)}: "
        f"{escape_sentence(device.why)}\n"
        for device in coverage.along
    )
    count = len(coverage.along)
    return f"{sentence}\n{fit_rows(rows, count, _ALONG, 'devices that come along')}"


def _refusals(refusals: Sequence[RefusalView]) -> str:
    if not refusals:
        return ""
    rows = (
        table_row(code_span(refusal.guard), *(escape_sentence(text) for text in _told(refusal)))
        for refusal in refusals
    )
    title = "#### ⛔ Refused: this plan cannot be applied\n\n"
    head = table_head("guard", "what", "measured", "limit", "fix")
    return title + head + fit_rows(rows, len(refusals), _REFUSALS, "guards")


def _told(refusal: RefusalView) -> tuple[str, str, str, str]:
    return (refusal.message, refusal.measured, refusal.limit, refusal.fix)


def _errors(errors: Sequence[ErrorView]) -> str:
    if not errors:
        return ""
    count = len({device for error in errors for device in error.devices})
    title = f"#### ❌ Withheld: {devices(count)}; the rest is planned\n\n"
    return title + fit_rows((_error(error) for error in errors), len(errors), _ERRORS, "errors")


def _error(error: ErrorView) -> str:
    place = f" at {code_span(error.source)}" if error.source else ""
    lines = [f"- **error {code_span(error.code)}**{place}: {escape_sentence(error.message)}"]
    lines += [f"  {escape_sentence(prose(text, _SHORT))}" for text in error.detail[:_FEW]]
    if len(error.devices) > 1:
        named = [code_span(device) for device in error.devices[:_FEW]]
        lines.append(f"  Devices: {listed(named, _FEW, len(error.devices))}.")
    if error.fix:
        lines.append(f"  Fix: {escape_sentence(error.fix)}")
    return "\\\n".join(lines) + "\n"


def _risks(shown: PlanView) -> str:
    if not shown.risks:
        return ""
    rows = "".join(
        table_row(
            f"**{risk.risk.value}**",
            number(len(risk.devices)),
            risk.means,
            listed([_device(device) for device in risk.devices[:_FEW]], _FEW, len(risk.devices)),
        )
        for risk in shown.risks
    )
    return "#### ⚠️ Risks\n\n" + table_head("risk", "devices", "what it means", "which") + rows


def _changes(changes: Sequence[ChangeView], budget: int) -> str:
    if not changes:
        return ""
    # What somebody should look at twice comes first, so that no cut hides it.
    first = sorted(changes, key=lambda change: not change.all_risks)
    groups = [change for change in first if len(change.devices) > 1]
    single = [change for change in first if len(change.devices) == 1]
    folded = _alike(groups, budget)
    title = "Other changes" if groups else "Changes"
    return folded + _single(title, single, budget - len(folded))


def _alike(groups: Sequence[ChangeView], budget: int) -> str:
    """Each group is one line to read; which devices these are is folded away."""
    if not groups:
        return ""
    title = f"#### Identical changes: {devices(sum(len(group.devices) for group in groups))}\n\n"
    return title + fit_rows(
        (_group(group) for group in groups), len(groups), budget, "identical changes"
    )


def _group(change: ChangeView) -> str:
    count = len(change.devices)
    facts = [_arrow(field) for field in change.fields[:_FEW]]
    more = len(change.fields) - len(facts)
    if more > 0:
        facts.append(f"and {counted(more, 'more field')}")
    risks = "".join(f" ⚠️ **{risk.value}**" for risk in change.all_risks)
    ids = listed([code_span(device.id) for device in change.devices[:_FEW]], _FEW, count)
    return (
        f"**{devices(count)}**: {', '.join(facts)}{risks}\n\n"
        "<details><summary>which, and each field</summary>\n\n"
        f"{' · '.join(fact for fact in (ids, *_place(change)) if fact)}\n\n"
        f"{_fields(change)}\n</details>\n\n"
    )


def _arrow(field: FieldView) -> str:
    if field.sign == "+":
        return f"{code_span(field.path)} → {code_span(field.after)}"
    return f"{code_span(field.path)} {code_span(field.before)} → {code_span(field.after)}"


def _place(change: ChangeView) -> tuple[str, str]:
    if len(change.devices) == 1:
        source = change.devices[0].source
        place = code_span(source) if source else ""
    else:
        files = change.files()
        named = [f"{code_span(file)} ({number(count)})" for file, count in files[:_FEW]]
        place = listed(named, _FEW, len(files)) if files else ""
    if change.left_files:
        place = f"left the files {place}".rstrip()
    return f"application {code_span(change.application)}", place


def _single(title: str, changes: Sequence[ChangeView], budget: int) -> str:
    if not changes:
        return ""
    is_open = len(changes) <= _OPEN
    start = f"<details{' open' if is_open else ''}><summary>{title}: "
    head = f"{start}{devices(len(changes))}</summary>\n\n"
    body = fit_rows((_change(change) for change in changes), len(changes), budget, "changes")
    return f"{head}{body}\n</details>\n\n"


def _change(change: ChangeView) -> str:
    facts = [f"**{_device(change.devices[0])}**", *_place(change)]
    facts += [f"⚠️ **{risk.value}**" for risk in change.risks]
    return f"{' · '.join(fact for fact in facts if fact)}\n\n{_fields(change)}\n"


def _fields(change: ChangeView) -> str:
    rows = (_field(field) for field in change.fields)
    head = table_head("", "field", "before", "after", "")
    return head + fit_rows(rows, len(change.fields), _FIELDS, "fields")


def _field(field: FieldView) -> str:
    notes = [field.note, *(f"⚠️ **{risk.value}**" for risk in field.risks)]
    before = "" if field.sign == "+" else code_span(field.before)
    note = ", ".join(note for note in notes if note)
    return table_row(
        code_span(field.sign), code_span(field.path), before, code_span(field.after), note
    )


def _drift(changes: Sequence[ChangeView]) -> str:
    if not changes:
        return ""
    count = sum(len(change.devices) for change in changes)
    title = f"#### Drift: {devices(count)}, reported only (`onDrift: report`)\n\n"
    rows = [
        table_row(
            _who(change), code_span(field.path), code_span(field.before), code_span(field.after)
        )
        for change in changes
        for field in change.fields
    ]
    return (
        title
        + table_head("device", "field", "is", "declared")
        + fit_rows(rows, len(rows), _DRIFT, "drifted fields")
    )


def _who(change: ChangeView) -> str:
    if len(change.devices) == 1:
        return _device(change.devices[0])
    ids = [code_span(device.id) for device in change.devices[:_FEW]]
    return listed(ids, _FEW, len(change.devices))


def _warnings(warnings: Sequence[WarningView]) -> str:
    if not warnings:
        return ""
    title = f"<details open><summary>{counted(len(warnings), 'warning')}</summary>\n\n"
    rows = (
        f"- {code_span(warning.code)} {escape_sentence(warning.message)}"
        + (f" ({code_span(warning.source)})\n" if warning.source else "\n")
        for warning in warnings
    )
    return f"{title}{fit_rows(rows, len(warnings), _WARNINGS, 'warnings')}\n</details>\n"


def _short(title: str, explanation: str, listing: Sequence[DeviceView]) -> str:
    if not listing:
        return ""
    start = f"<details><summary>{title}: {devices(len(listing))} ({explanation})</summary>\n\n"
    rows = (
        f"- {_device(device)} · {code_span(device.application)}"
        + (f" · {code_span(device.source)}\n" if device.source else "\n")
        for device in listing
    )
    return f"{start}{fit_rows(rows, len(listing), _LISTS, 'devices')}\n</details>\n"


def _proposals(proposals: Sequence[ProposalView]) -> str:
    if not proposals:
        return ""
    explanation = "gone, and perhaps installed again; only proposed"
    start = f"<details><summary>Back: {devices(len(proposals))} ({explanation})</summary>\n\n"
    rows = (
        f"- {code_span(proposal.id)}"
        + (f" → {code_span(proposal.replacement)}" if proposal.replacement else "")
        + f" · {code_span(proposal.application)} · {code_span(proposal.source)}: "
        + f"{escape_sentence(proposal.why)}\n"
        for proposal in proposals
    )
    listing = fit_rows(rows, len(proposals), _LISTS, "devices")
    return (
        f"{start}{listing}\nAs a patch of the manifests: {code_span(PATCH_COMMAND)}\n</details>\n"
    )


def _footer(shown: PlanView) -> str:
    of = f", commit {code_span(shown.commit)}" if shown.commit else ""
    return f"<sub>Plan {code_span(shown.id)}, made {escape_sentence(shown.created_at)}{of}</sub>\n"
