"""Stage 1, the project file: `reconciler.yaml` to a Project, references left unresolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ntpath import splitdrive
from typing import Literal, cast

from reconciler.core import codes
from reconciler.core.device import OnRemove
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.project import (
    ApiKey,
    ApiSettings,
    Application,
    Auth,
    Basic,
    Ibsso,
    OAuth2,
    Pattern,
    Project,
)
from reconciler.core.setting import Setting
from reconciler.core.suggestion import did_you_mean, listed
from reconciler.platform.assumptions import ASSUMPTIONS

from .documents import Document, read_documents
from .interpolation import is_partial
from .messages.field_text import shown
from .messages.schema_errors import explain
from .positions import Path
from .privacy import privacy
from .result import ParseResult, Unreadable, reading
from .safety import safety
from .schema import Schemas
from .state_settings import LITERAL_SETTINGS, check_state_section, read_state_section
from .tree import Tree, items, mapping

_Map = dict[str, Tree]


def read_project(file: str, data: bytes | Unreadable, schemas: Schemas) -> ParseResult[Project]:
    """Read the project file. It needs no environment; see interpolation.resolve."""
    found = read_documents(file, data)
    diagnostics = list(found.diagnostics)
    for other in found.documents[1:]:
        place = other.places.value(())
        diagnostics.append(
            Diagnostic(codes.SEVERAL_DOCUMENTS, codes.SEVERAL_DOCUMENTS.title, place)
        )
    if not found.documents:
        return reading(None, diagnostics)
    document = found.documents[0]
    valid = schemas.project.accepts(document.tree)
    if not valid:
        diagnostics += explain(document, schemas.project, found.faulty)
    if not any(one.code is codes.WRONG_DOCUMENT for one in diagnostics):
        diagnostics += _references(document)
        diagnostics += _rules(document)
    project = _project(document) if valid else None
    return reading(project, diagnostics)


def _references(document: Document) -> Iterator[Diagnostic]:
    """Complain of references that are only a part of a value, or stand where none are read."""
    for path, text in _texts(document.tree, ()):
        if "${" not in text:
            continue
        if not _takes_reference(path):
            yield _at_value(document, path, codes.MISPLACED_REFERENCE)
        elif is_partial(text):
            yield _at_value(document, path, codes.PARTIAL_REFERENCE)


def _texts(tree: Tree, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    # The depth of documents is bounded, so this cannot recurse to death; and a bomb of aliases
    # was refused, so it ends.
    match tree:
        case str():
            yield path, tree
        case dict():
            for key, value in tree.items():
                yield from _texts(value, (*path, key))
        case list():
            for number, item in enumerate(tree):
                yield from _texts(item, (*path, number))
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


def _rules(document: Document) -> Iterator[Diagnostic]:
    """Check what the schema cannot say, of all parts that are what they have to be."""
    tree = mapping(document.tree)
    yield from _assumptions(document, mapping(mapping(tree.get("api")).get("assume")))
    yield from _app_codes(document, mapping(tree.get("applications")))
    yield from check_state_section(document, mapping(tree.get("state")))
    patterns = tree.get("manifests")
    for path, globs in (
        (("manifests",), patterns if isinstance(patterns, list) else []),
        (("safety", "consents"), items(mapping(tree.get("safety")).get("consents"))),
        (("peopleFrom",), items(tree.get("peopleFrom"))),
    ):
        for number, pattern in enumerate(globs):
            if isinstance(pattern, str) and _leaves(pattern):
                yield _at_value(document, (*path, number), codes.PATTERN)


def _assumptions(document: Document, assume: _Map) -> Iterator[Diagnostic]:
    for name, value in assume.items():
        path = ("api", "assume", name)
        if name not in ASSUMPTIONS:
            yield Diagnostic(
                codes.UNKNOWN_ASSUMPTION,
                f"Unknown assumption: {shown(name)}",
                document.places.key(path),
                fix=did_you_mean(name, ASSUMPTIONS) or f"There are {listed(ASSUMPTIONS)}.",
            )
        elif isinstance(value, (str, int)) and str(value) not in ASSUMPTIONS[name].readings:
            known = ASSUMPTIONS[name].readings
            yield Diagnostic(
                codes.UNKNOWN_READING,
                f"{shown(name)} has no reading {shown(str(value))}",
                document.places.value(path),
                why=ASSUMPTIONS[name].question,
                fix=did_you_mean(str(value), known) or f"Write {listed(known, 'or')}.",
            )


def _app_codes(document: Document, applications: _Map) -> Iterator[Diagnostic]:
    first: dict[str, str] = {}
    for name, entry in applications.items():
        code = mapping(entry).get("appCode")
        if not isinstance(code, str):
            continue
        if code not in first:
            first[code] = name
            continue
        there = document.places.value(("applications", first[code], "appCode"))
        yield Diagnostic(
            codes.SAME_APP_CODE,
            f"{shown(first[code])} and {shown(name)} have one application code",
            document.places.value(("applications", name, "appCode")),
            related=((there, "the first one"),),
        )


def _leaves(pattern: str) -> bool:
    """Whether a pattern is absolute or climbs out of the project's directory."""
    return pattern.startswith("/") or bool(splitdrive(pattern)[0]) or ".." in pattern.split("/")


def _at_value(document: Document, path: Path, code: Code) -> Diagnostic:
    return Diagnostic(code, code.title, document.places.value(path))


def _project(document: Document) -> Project:
    """Make the project of a valid document."""
    tree = mapping(document.tree)
    places = document.places

    def setting(*path: str) -> Setting:
        node: Tree = tree
        for step in path:
            node = mapping(node)[step]
        return Setting(str(node), ".".join(path), places.value(path))

    api = mapping(tree["api"])
    drift = cast("dict[str, Literal['mend', 'report']]", mapping(tree.get("onDrift")))
    limits = cast("dict[str, float]", mapping(api.get("limits")))
    return Project(
        document.file,
        ApiSettings(
            setting("api", "baseUrl"),
            _auth(mapping(api["auth"]), setting),
            {name: float(limit) for name, limit in limits.items()},
            float(cast(float, api.get("quotaShare", 0.8))),
            {name: str(value) for name, value in mapping(api.get("assume")).items()},
            float(cast(float, api.get("timeout", 30.0))),
        ),
        {
            name: Application(
                name,
                setting("applications", name, "appCode"),
                places.key(("applications", name)),
            )
            for name in mapping(tree["applications"])
        },
        tuple(
            Pattern(str(text), places.value(("manifests", number)))
            for number, text in enumerate(cast("list[str]", tree["manifests"]))
        ),
        read_state_section(document, setting),
        OnRemove(str(tree.get("onRemove", "release"))),
        dict(drift),
        safety(mapping(tree.get("safety")), places),
        tuple(
            Pattern(str(text), places.value(("safety", "consents", number)))
            for number, text in enumerate(items(mapping(tree.get("safety")).get("consents")))
        ),
        privacy(mapping(tree.get("privacy")), places),
        tuple(
            Pattern(str(text), places.value(("peopleFrom", number)))
            for number, text in enumerate(items(tree.get("peopleFrom")))
        ),
    )


def _auth(auth: _Map, setting: Callable[..., Setting]) -> Auth:
    match next(iter(auth)):
        case "apiKey":
            return ApiKey(setting("api", "auth", "apiKey"))
        case "basic":
            return Basic(
                setting("api", "auth", "basic", "username"),
                setting("api", "auth", "basic", "password"),
            )
        case "oauth2":
            return OAuth2(
                setting("api", "auth", "oauth2", "clientId"),
                setting("api", "auth", "oauth2", "clientSecret"),
            )
        case _:
            return Ibsso(setting("api", "auth", "ibsso", "token"))
