"""What an import did: files on stdout, what it left out on stderr. No value stands in it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say
from reconciler.core.counting import counted
from reconciler.render.escape import prose

if TYPE_CHECKING:
    from reconciler.engine.applications import ApplicationList
    from reconciler.engine.import_registrations import Imported, NotProven
    from reconciler.engine.project import Project

# Whoever has more to read asks for all with -v.
_FOLD: Final = 20


def show_applications(options: Options, listed: ApplicationList, form: str) -> None:
    """Write the applications there are to stdout, and how to go on to stderr."""
    if listed.refused is not None:
        text = f"The service lists no applications, so these are the project's: {listed.refused}"
        say(options, "info", prose(text))
    if form == "json":
        document = {
            "applications": [
                {
                    "application": one.application,
                    "name": one.name,
                    "registrationsCount": one.registrations,
                }
                for one in listed.applications
            ]
        }
        result(json.dumps(document, ensure_ascii=False, indent=2))
        return
    rows = [
        (
            prose(one.application or "-"),
            prose(one.name or "-"),
            "" if one.registrations is None else counted(one.registrations, "registration"),
        )
        for one in listed.applications
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    result(
        "".join(
            f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() + "\n" for row in rows
        )
    )
    others = sum(one.application is None for one in listed.applications)
    if others:
        text = f"{counted(others, 'application')} of the account not in the project file (-)."
        fix = "Give it a name under applications there, with its code, to import it."
        say(options, "info", text, fix=fix)
    say(options, "info", "Import one: reconciler import --application NAME -o DIR")


def write_doubts(options: Options, error: NotProven) -> None:
    """Say for each device why a plan right after would not be empty."""
    _say_folded(options, "error", [f"{doubt.device}: {doubt.text}" for doubt in error.doubts])


def write_left_out(options: Options, imported: Imported) -> None:
    """Say what the files hold, and what is not in them."""
    if not imported.steady:
        text = "People came and went while they were read; some registrations may be missing."
        say(options, "warning", text, fix="Run it again: what is there already stays as it is.")
    _say_how_complete(options, imported)
    _say_folded(
        options,
        "warning",
        [
            f"{one.device}: left out: {one.why}."
            if one.field is None
            else f"{one.device} {one.field}: left out: {one.why}."
            for one in imported.undeclared
        ],
    )
    selection = imported.selection
    for count, why in (
        (selection.declared, "declared already"),
        (selection.unowned, "owned by nobody (--only-owned)"),
        (selection.unmatched, "not matched (--match)"),
        (selection.beyond, f"beyond the first {imported.request.registrations.most} (--max)"),
    ):
        if count:
            say(options, "info", f"Left out: {counted(count, 'device')} {why}.")
    if not imported.manifests:
        say(
            options,
            "info",
            f"Nothing to write: {imported.request.application} has no further devices.",
        )
        return
    if any(manifest.people for manifest in imported.manifests):
        say(
            options,
            "warning",
            "The manifests hold identity values of people (externalId, phone number or e-mail), "
            "because that is what was asked for. Keep them where only those read who may.",
        )
    adopted = sum(len(manifest.devices) for manifest in imported.manifests)
    say(options, "info", f"Adopted {counted(adopted, 'device')}: a plan finds no changes.")


def show(options: Options, project: Project, imported: Imported, form: str) -> None:
    """Write the result to stdout."""
    prefix = os.path.relpath(project.root, options.origin)
    paths = [os.path.normpath(os.path.join(prefix, one.path)) for one in imported.manifests]
    if form == "text":
        width = max(map(len, paths), default=0)
        result(
            "".join(
                f"{path:{width}}  {counted(len(one.devices), 'device')}\n"
                for path, one in zip(paths, imported.manifests, strict=True)
            )
        )
        return
    selection = imported.selection
    document = {
        "application": imported.request.application,
        "files": [
            {"path": path, "devices": len(one.devices), "people": one.people}
            for path, one in zip(paths, imported.manifests, strict=True)
        ],
        "leftOut": {
            "declared": selection.declared,
            "unowned": selection.unowned,
            "unmatched": selection.unmatched,
            "beyondMax": selection.beyond,
        },
        "undeclared": [
            {"device": one.device, "field": one.field, "why": one.why}
            for one in imported.undeclared
        ],
        "steady": imported.steady,
        "registrations": {"found": imported.found, "counted": imported.counted},
    }
    result(json.dumps(document, ensure_ascii=False, indent=2))


def _say_how_complete(options: Options, imported: Imported) -> None:
    """Say what was found beside what the service counts, where it tells that."""
    if imported.counted is None:
        return
    application, found = imported.request.application, imported.found
    counted_there = counted(imported.counted, "registration")
    if found >= imported.counted:
        text = f"Complete: the service counts {counted_there} of {application}, {found:,} found."
        say(options, "info", text)
        return
    say(
        options,
        "warning",
        f"The service counts {counted_there} of {application}, and {found:,} were found on its "
        "pages: what nobody owns may stand on none.",
    )


def _say_folded(options: Options, level: str, texts: Sequence[str]) -> None:
    """Say the first few, and how many more there are; with -v all of them."""
    shown = texts if options.verbose or len(texts) <= _FOLD else texts[:_FOLD]
    for text in shown:
        say(options, level, prose(text))
    if len(shown) < len(texts):
        say(options, level, f"... and {len(texts) - len(shown):,} more; -v names them.")
