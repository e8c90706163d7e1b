"""A plan as a comment on a pull request: risks first, all escaped, never too long to post."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.plan.definition import Plan

from .coverage import CoverageView
from .escape import prose
from .proposals import HOW, ProposalView
from .sentences import counted, devices, listed, number
from .view import (
    FOLD,
    ChangeView,
    DeviceView,
    ErrorView,
    FieldView,
    PlanView,
    RefusalView,
    WarningView,
    view,
)

# GitHub refuses a comment of more characters; GitLab takes many more.
LIMIT: Final = 65_535
# The first line, by which a pipeline finds its own comment again to replace it.
MARKER: Final = "<!-- reconciler:plan -->"
_FEW: Final = 3
_FIELDS: Final = 8_000
_SHORT: Final = 200
# What may come out of each section, in characters; the changes get all that is left.
_ERRORS: Final = 9_000
_WARNINGS: Final = 7_000
_REFUSALS: Final = 6_000
_DRIFT: Final = 7_000
_LISTS: Final = 2_500
_ALONG: Final = 4_000
_END: Final = 600

# A word with anything else in it could be a mention, a reference to an issue, a link or markup.
_WORD: Final = re.compile(r"[^\W_]+(?:[.,;/'-][^\W_]+)*[.,;:?]?|\d+(?:\.\d+)?\s?%")
_HEXADECIMAL: Final = re.compile(r"(?=.*\d)[0-9a-fA-F-]{7,}[.,;:?]?")
_LINK: Final = re.compile(r"www\.|/.*\.|\.[a-z]{2,}/", re.IGNORECASE)


def render(plan: Plan, fold: int | None = FOLD, limit: int = LIMIT) -> str:
    """Return the comment; it has at most `limit` characters, and says what it had to leave out."""
    shown = view(plan, fold)
    before = [
        f"{MARKER}\n### Reconciler plan\n",
        f"**{shown.summary}**\n",
        _coverage(shown.coverage),
        _refusals(shown.refusals),
        _errors(shown.errors),
        _risks(shown),
    ]
    after = [
        _drift(shown.drift),
        _warnings(shown.warnings),
        _short("To adopt", "as declared already; apply only notes them", shown.adopted),
        _short("To release", "left the files; forgotten, no call", shown.released),
        _short("Gone", "the service knows no such registration", shown.gone),
        _proposals(shown.proposals),
        f"{words(shown.not_looked_for)}\n" if shown.not_looked_for else "",
        _footer(shown),
    ]
    around = sum(len(part) + 1 for part in (*before, *after))
    changes = _changes(shown.changes, limit - around - _END)
    text = "\n".join(part for part in (*before, changes, *after) if part)
    if len(text) <= limit:
        return text
    return f"{MARKER}\n**{shown.summary}**\n\nToo long to show here; `--format json` has all.\n"


def code(text: str) -> str:
    """Return legible text as a code span, in which nothing is markup, a mention or a link.

    A backtick would end it and a bar the table cell: they are shown as escapes.
    """
    safe = text.replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{safe}`"


def words(text: str) -> str:
    """Return a sentence that may quote a stranger: every odd word of it is a code span."""
    return " ".join(_word(word) for word in text.split(" ") if word)


def _word(word: str) -> str:
    start = len(word) - len(word.lstrip("("))
    end = len(word.rstrip(").,;:")) or len(word)
    core, before, after = word[start:end], word[:start], word[end:]
    if core and _WORD.fullmatch(core) and not _HEXADECIMAL.fullmatch(core) and not _link(core):
        return word
    return before + code(core) + after if core else word


def _link(word: str) -> bool:
    return bool(_LINK.search(word)) or word.lower().startswith("gh-")


def _rows(rows: Iterable[str], count: int, budget: int, what: str) -> str:
    """Join rows while they fit, then say how many more there are."""
    kept: list[str] = []
    used = 0
    for row in rows:
        if used + len(row) > budget:
            break
        kept.append(row)
        used += len(row)
    left = count - len(kept)
    more = f"\n… and {number(left)} more {what}; `--format json` has all.\n" if left else ""
    return "".join(kept) + more


def _table(*heads: str) -> str:
    return f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _device(device: DeviceView) -> str:
    return code(device.id) + (f" {code(device.label)}" if device.label else "")


def _coverage(coverage: CoverageView | None) -> str:
    if coverage is None:
        return ""
    sentence = f"{coverage.sentence(code)}\n"
    if not coverage.along:
        return sentence
    rows = (
        f"- {code(one.id)} comes along for {code(one.needed_by)}: {words(one.why)}\n"
        for one in coverage.along
    )
    count = len(coverage.along)
    return f"{sentence}\n{_rows(rows, count, _ALONG, 'devices that come along')}"


def _refusals(refusals: Sequence[RefusalView]) -> str:
    if not refusals:
        return ""
    rows = (
        _row(code(refusal.guard), *(words(text) for text in _told(refusal))) for refusal in refusals
    )
    title = "#### ⛔ Refused: this plan cannot be applied\n\n"
    head = _table("guard", "what", "measured", "limit", "way out")
    return title + head + _rows(rows, len(refusals), _REFUSALS, "guards")


def _told(refusal: RefusalView) -> tuple[str, str, str, str]:
    return (refusal.message, refusal.measured, refusal.limit, refusal.way_out)


def _errors(errors: Sequence[ErrorView]) -> str:
    if not errors:
        return ""
    count = len({device for error in errors for device in error.devices})
    title = f"#### ❌ Withheld: {devices(count)}; the rest is planned\n\n"
    return title + _rows((_error(error) for error in errors), len(errors), _ERRORS, "errors")


def _error(error: ErrorView) -> str:
    place = f" at {code(error.source)}" if error.source else ""
    told = [f"- **error {code(error.code)}**{place}: {words(error.message)}"]
    told += [f"  {words(prose(text, _SHORT))}" for text in error.detail[:_FEW]]
    if len(error.devices) > 1:
        named = [code(device) for device in error.devices[:_FEW]]
        told.append(f"  Devices: {listed(named, _FEW, len(error.devices))}.")
    if error.fix:
        told.append(f"  Fix: {words(error.fix)}")
    return "\\\n".join(told) + "\n"


def _risks(shown: PlanView) -> str:
    if not shown.risks:
        return ""
    rows = "".join(
        _row(
            f"**{risk.risk.value}**",
            number(len(risk.devices)),
            risk.means,
            listed([_device(device) for device in risk.devices[:_FEW]], _FEW, len(risk.devices)),
        )
        for risk in shown.risks
    )
    return "#### ⚠️ Risks\n\n" + _table("risk", "devices", "what it means", "which") + rows


def _changes(changes: Sequence[ChangeView], budget: int) -> str:
    if not changes:
        return ""
    groups = [change for change in changes if len(change.devices) > 1]
    single = [change for change in changes if len(change.devices) == 1]
    folded = _section("Identical changes", groups, budget, is_open=True)
    return folded + _section("Changes", single, budget - len(folded), is_open=len(single) <= _SHORT)


def _section(title: str, changes: Sequence[ChangeView], budget: int, *, is_open: bool) -> str:
    if not changes:
        return ""
    count = sum(len(change.devices) for change in changes)
    start = f"<details{' open' if is_open else ''}><summary>{title}: {devices(count)}</summary>\n\n"
    body = _rows((_change(change) for change in changes), len(changes), budget, "changes")
    return f"{start}{body}\n</details>\n\n"


def _change(change: ChangeView) -> str:
    first = change.devices[0]
    if len(change.devices) > 1:
        ids = [code(device.id) for device in change.devices[:_FEW]]
        who = f"**{devices(len(change.devices))}**: {listed(ids, _FEW, len(change.devices))}"
        files = [f"{code(file)} ({number(count)})" for file, count in change.files()[:_FEW]]
        place = listed(files, _FEW, len(change.files())) if files else ""
    else:
        who, place = f"**{_device(first)}**", code(first.source) if first.source else ""
    if change.left_files:
        place = f"left the files {place}".rstrip()
    facts = [who, f"application {code(first.application)}", place]
    facts += [f"⚠️ **{risk.value}**" for risk in change.risks]
    return (
        f"{' · '.join(fact for fact in facts if fact)}\n\n"
        + _table("", "field", "before", "after", "")
        + _rows((_field(field) for field in change.fields), len(change.fields), _FIELDS, "fields")
        + "\n"
    )


def _field(field: FieldView) -> str:
    notes = [field.note, *(f"⚠️ **{risk.value}**" for risk in field.risks)]
    before = "" if field.sign == "+" else code(field.before)
    told = ", ".join(note for note in notes if note)
    return _row(code(field.sign), code(field.path), before, code(field.after), told)


def _drift(changes: Sequence[ChangeView]) -> str:
    if not changes:
        return ""
    count = sum(len(change.devices) for change in changes)
    title = f"#### Drift: {devices(count)}, reported only (`onDrift: report`)\n\n"
    rows = [
        _row(_who(change), code(field.path), code(field.before), code(field.after))
        for change in changes
        for field in change.fields
    ]
    return (
        title
        + _table("device", "field", "is", "declared")
        + _rows(rows, len(rows), _DRIFT, "drifted fields")
    )


def _who(change: ChangeView) -> str:
    if len(change.devices) == 1:
        return _device(change.devices[0])
    ids = [code(device.id) for device in change.devices[:_FEW]]
    return listed(ids, _FEW, len(change.devices))


def _warnings(warnings: Sequence[WarningView]) -> str:
    if not warnings:
        return ""
    title = f"<details open><summary>{counted(len(warnings), 'warning')}</summary>\n\n"
    rows = (
        f"- {code(warning.code)} {words(warning.message)}"
        + (f" ({code(warning.source)})\n" if warning.source else "\n")
        for warning in warnings
    )
    return f"{title}{_rows(rows, len(warnings), _WARNINGS, 'warnings')}\n</details>\n"


def _short(title: str, what: str, found: Sequence[DeviceView]) -> str:
    if not found:
        return ""
    start = f"<details><summary>{title}: {devices(len(found))} ({what})</summary>\n\n"
    rows = (
        f"- {_device(device)} · {code(device.application)}"
        + (f" · {code(device.source)}\n" if device.source else "\n")
        for device in found
    )
    return f"{start}{_rows(rows, len(found), _LISTS, 'devices')}\n</details>\n"


def _proposals(found: Sequence[ProposalView]) -> str:
    if not found:
        return ""
    what = "gone, and perhaps installed again; only proposed"
    start = f"<details><summary>Back: {devices(len(found))} ({what})</summary>\n\n"
    rows = (
        f"- {code(one.id)}"
        + (f" → {code(one.replacement)}" if one.replacement else "")
        + f" · {code(one.application)} · {code(one.source)}: {words(one.why)}\n"
        for one in found
    )
    listing = _rows(rows, len(found), _LISTS, "devices")
    return f"{start}{listing}\nAs a patch of the manifests: {code(HOW)}\n</details>\n"


def _footer(shown: PlanView) -> str:
    of = f", commit {code(shown.commit)}" if shown.commit else ""
    return f"<sub>Plan {code(shown.id)}, made {words(shown.created_at)}{of}</sub>\n"
