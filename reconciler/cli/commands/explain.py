"""`reconciler explain`: what a field, a diagnostic or a word of a plan means."""

from __future__ import annotations

import sys
from typing import Final

import click
from click.shell_completion import CompletionItem

from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options

_LONGEST: Final = 100


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from reconciler.engine.explain import complete_name

    return [CompletionItem(name) for name in complete_name(incomplete)]


@click.command(
    "explain",
    epilog="""
\b
Examples:
  reconciler explain devices.owner           a field of a manifest
  reconciler explain api.limits              a field of the project file
  reconciler explain plan.changes.fields     a field of a plan's JSON
  reconciler explain E204                    a diagnostic; two-primaries is its name
  reconciler explain not-detached            a warning, risk or guard of a plan
  reconciler explain                         all there is

\b
A path is written as the field stands in the file. Names that you choose yourself, such as
registration ids, may be left out: devices.isPrimary. What several files have begins with one
of: manifest, project, people-from, consent, plan, drift, state-document.
""",
)
@click.argument("name", required=False, shell_complete=_complete)
@format_option("text", "json")
@click.pass_obj
def command(options: Options, name: str | None, form: str) -> None:
    """Explain a field, a diagnostic, or a word of a plan. Without NAME: list what there is.

    Says of a field what it is for, what it takes, its default, examples, and the fields below it;
    of a diagnostic why it is one, how to fix it, and what provokes it; of a warning, a risk or a
    guard what is behind it and what to do.
    """
    from reconciler.cli.streams import result
    from reconciler.cli.views.terminal import paint
    from reconciler.core.codes import CODES
    from reconciler.core.diagnostics import Code
    from reconciler.engine.explain import (
        EXPLAINED_SCHEMAS,
        Unexplained,
        explain,
        field_guide,
        provoking_text,
        related_names,
    )
    from reconciler.plan.glossary import TERMS, Term
    from reconciler.render import guide as render

    is_json = form == "json"
    if not name:
        if is_json:
            paths = {format_: tuple(field_guide(format_).paths()) for format_ in EXPLAINED_SCHEMAS}
            result(render.overview_json(paths, CODES, TERMS))
        else:
            roots = {format_: field_guide(format_).roots() for format_ in EXPLAINED_SCHEMAS}
            paint(sys.stdout, render.overview_lines(roots, CODES, TERMS), options)
        return
    subject = explain(name)
    if isinstance(subject, Unexplained):
        shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
        raise click.UsageError(f"Nothing is called {shown!r}. {subject.hint}")
    related = related_names(subject, name)
    match subject:
        case Code() if is_json:
            result(render.code_json(subject, provoking_text(subject), related))
        case Code():
            lines = render.code_lines(subject, provoking_text(subject), related)
            paint(sys.stdout, lines, options)
        case Term() if is_json:
            result(render.term_json(subject, related))
        case Term():
            paint(sys.stdout, render.term_lines(subject, related), options)
        case _ if is_json:
            result(render.field_json(subject, related))
        case _:
            paint(sys.stdout, render.field_lines(subject, related), options)
