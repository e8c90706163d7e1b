"""Rules of the project file beyond its JSON Schema: references, assumptions, state, patterns."""

from __future__ import annotations

from collections.abc import Iterator
from ntpath import splitdrive

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.suggestion import did_you_mean, listed
from reconciler.platform.assumptions import ASSUMPTIONS

from .documents import Document
from .interpolation import is_partial
from .messages.field_text import show_key
from .state_settings import LITERAL_SETTINGS, check_state_section
from .tree import Path, Tree, as_list, as_mapping

_Map = dict[str, Tree]


def check_references(document: Document) -> Iterator[Diagnostic]:
    """Complain of references that are only a part of a value, or stand where none are read."""
    for path, text in _walk_texts(document.tree, ()):
        if "${" not in text:
            continue
        if not _takes_reference(path):
            yield _diagnose_value(document, path, codes.MISPLACED_REFERENCE)
        elif is_partial(text):
            yield _diagnose_value(document, path, codes.PARTIAL_REFERENCE)


def _walk_texts(
    tree: Tree, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    # The depth of documents is bounded, so this cannot recurse to death; and a bomb of aliases
    # was refused, so it ends.
    match tree:
        case str():
            yield path, tree
        case dict():
            for key, value in tree.items():
                yield from _walk_texts(value, (*path, key))
        case list():
            for number, item in enumerate(tree):
                yield from _walk_texts(item, (*path, number))
        case _:
            pass


def _takes_reference(path: Path) -> bool:
    match tuple(path):
        case ("api", "baseUrl"):
            return True
        case ("state", name, *_):
            return name not in LITERAL_SETTINGS
        case ("api", "auth", *_):
            return True
        case ("applications", _, "appCode"):
            return True
        case _:
            return False


def check_settings(document: Document) -> Iterator[Diagnostic]:
    """Check what the schema cannot say, of all parts that are what they have to be."""
    tree = as_mapping(document.tree)
    yield from _check_assumptions(document, as_mapping(as_mapping(tree.get("api")).get("assume")))
    yield from _check_app_codes(document, as_mapping(tree.get("applications")))
    yield from check_state_section(document, as_mapping(tree.get("state")))
    patterns = tree.get("manifests")
    for path, globs in (
        (("manifests",), patterns if isinstance(patterns, list) else []),
        (("safety", "consents"), as_list(as_mapping(tree.get("safety")).get("consents"))),
        (("peopleFrom",), as_list(tree.get("peopleFrom"))),
    ):
        for number, pattern in enumerate(globs):
            if isinstance(pattern, str) and _leaves_project(pattern):
                yield _diagnose_value(document, (*path, number), codes.PATTERN)


def _check_assumptions(document: Document, assume: _Map) -> Iterator[Diagnostic]:
    for name, value in assume.items():
        path = ("api", "assume", name)
        if name not in ASSUMPTIONS:
            yield Diagnostic(
                codes.UNKNOWN_ASSUMPTION,
                f"Unknown assumption: {show_key(name)}",
                document.places.key(path),
                fix=did_you_mean(name, ASSUMPTIONS) or f"There are {listed(ASSUMPTIONS)}.",
            )
        elif isinstance(value, (str, int)) and str(value) not in ASSUMPTIONS[name].readings:
            known = ASSUMPTIONS[name].readings
            yield Diagnostic(
                codes.UNKNOWN_READING,
                f"{show_key(name)} has no reading {show_key(str(value))}",
                document.places.value(path),
                why=ASSUMPTIONS[name].question,
                fix=did_you_mean(str(value), known) or f"Write {listed(known, 'or')}.",
            )


def _check_app_codes(document: Document, applications: _Map) -> Iterator[Diagnostic]:
    first: dict[str, str] = {}
    for name, entry in applications.items():
        code = as_mapping(entry).get("appCode")
        if not isinstance(code, str):
            continue
        if code not in first:
            first[code] = name
            continue
        there = document.places.value(("applications", first[code], "appCode"))
        yield Diagnostic(
            codes.SAME_APP_CODE,
            f"{show_key(first[code])} and {show_key(name)} have one application code",
            document.places.value(("applications", name, "appCode")),
            related=((there, "the first one"),),
        )


def _leaves_project(pattern: str) -> bool:
    """Whether a pattern is absolute or climbs out of the project's directory."""
    return pattern.startswith("/") or bool(splitdrive(pattern)[0]) or ".." in pattern.split("/")


def _diagnose_value(document: Document, path: Path, code: Code) -> Diagnostic:
    return Diagnostic(code, code.title, document.places.value(path))
