"""The project file: `reconciler.yaml` to a Project, or every mistake in it.

References to the environment are left unresolved; see `interpolation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, cast

from reconciler.core import codes
from reconciler.core.device import OnRemove
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.fields import Scalar, as_yaml
from reconciler.core.identity import IdentityKind
from reconciler.core.privacy import Privacy
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
from reconciler.core.safety import DEFAULT_BUDGETS, Budget, ProtectRule, Safety
from reconciler.core.setting import Setting

from .documents import Document, read_documents
from .messages.schema_errors import explain_violations
from .project_rules import check_references, check_settings
from .result import ParseResult, Unreadable, make_result
from .schema import Schemas
from .state_settings import read_state_section
from .tree import Positions, Tree, as_list, as_mapping

_Map = dict[str, Tree]


def read_project(file: str, data: bytes | Unreadable, schemas: Schemas) -> ParseResult[Project]:
    """Read the project file. It needs no environment; see interpolation.resolve."""
    read = read_documents(file, data)
    diagnostics = list(read.diagnostics)
    for other in read.documents[1:]:
        place = other.places.value(())
        diagnostics.append(
            Diagnostic(codes.SEVERAL_DOCUMENTS, codes.SEVERAL_DOCUMENTS.title, place)
        )
    if not read.documents:
        return make_result(None, diagnostics)
    document = read.documents[0]
    valid = schemas.project.accepts(document.tree)
    if not valid:
        diagnostics += explain_violations(document, schemas.project, read.faulty)
    if not any(diagnostic.code is codes.WRONG_DOCUMENT for diagnostic in diagnostics):
        diagnostics += check_references(document)
        diagnostics += check_settings(document)
    project = _make_project(document) if valid else None
    return make_result(project, diagnostics)


def _make_project(document: Document) -> Project:
    """Make the project of a valid document."""
    tree = as_mapping(document.tree)
    places = document.places

    def setting(*path: str) -> Setting:
        node: Tree = tree
        for step in path:
            node = as_mapping(node)[step]
        return Setting(str(node), ".".join(path), places.value(path))

    api = as_mapping(tree["api"])
    drift = cast("dict[str, Literal['correct', 'report']]", as_mapping(tree.get("onDrift")))
    limits = cast("dict[str, float]", as_mapping(api.get("limits")))
    return Project(
        document.file,
        ApiSettings(
            setting("api", "baseUrl"),
            _auth(as_mapping(api["auth"]), setting),
            {name: float(limit) for name, limit in limits.items()},
            float(cast(float, api.get("quotaShare", 0.8))),
            {name: str(value) for name, value in as_mapping(api.get("assume")).items()},
            float(cast(float, api.get("timeout", 30.0))),
        ),
        {
            name: Application(
                name,
                setting("applications", name, "appCode"),
                places.key(("applications", name)),
            )
            for name in as_mapping(tree["applications"])
        },
        _patterns(tree, places, "manifests"),
        read_state_section(document, setting),
        OnRemove(str(tree.get("onRemove", "release"))),
        dict(drift),
        _safety(as_mapping(tree.get("safety")), places),
        _patterns(tree, places, "safety", "consents"),
        _privacy(as_mapping(tree.get("privacy")), places),
        _patterns(tree, places, "peopleFrom"),
    )


def _patterns(tree: _Map, places: Positions, *path: str) -> tuple[Pattern, ...]:
    """Return the patterns of a list of them, which may be left out."""
    node: Tree = tree
    for step in path:
        node = as_mapping(node).get(step)
    return tuple(
        Pattern(str(text), places.value((*path, number)))
        for number, text in enumerate(as_list(node))
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


def _safety(tree: _Map, places: Positions) -> Safety:
    """Return what a plan may touch and what not; the defaults for what is left out."""
    budgets = {name: _budget(value) for name, value in as_mapping(tree.get("budgets")).items()}
    return Safety(
        {**DEFAULT_BUDGETS, **budgets},
        tuple(
            _protect_rule(as_mapping(entry), places, number)
            for number, entry in enumerate(as_list(tree.get("protect")))
        ),
    )


def _budget(value: Tree) -> Budget:
    if isinstance(value, str):
        return Budget(percent=Decimal(value.removesuffix("%")))
    return Budget(devices=int(cast("float", value)))


def _protect_rule(entry: _Map, places: Positions, number: int) -> ProtectRule:
    def glob(name: str) -> str | None:
        return str(entry[name]) if name in entry else None

    data = cast("Mapping[str, Scalar]", as_mapping(entry.get("additionalData")))
    return ProtectRule(
        places.value(("safety", "protect", number)),
        glob("id"),
        glob("label"),
        glob("application"),
        {key: as_yaml(value) for key, value in data.items()},
    )


def _privacy(tree: _Map, places: Positions) -> Privacy:
    """Return what may be shown; nobody and everything is what is left out."""
    return Privacy(
        frozenset(IdentityKind(str(kind)) for kind in as_list(tree.get("show"))),
        {
            str(path): places.value(("privacy", "hide", number))
            for number, path in enumerate(as_list(tree.get("hide")))
        },
    )
