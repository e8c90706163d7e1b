"""The section `state` of the project file: its settings, and what the schema cannot check of them.

Which backend takes which settings stands in core.state_backends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, cast

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.setting import Setting
from reconciler.core.state_backends import BACKENDS, Backend, BackendSpec, Encryption, StateSettings
from reconciler.core.suggestion import listed

from .documents import Document
from .tree import Tree, as_mapping

_DEFAULT_BACKEND: Final = "local"
# The names of settings that take no reference to the environment.
LITERAL_SETTINGS: Final = frozenset(
    {
        "backend",
        *(
            setting.name
            for spec in BACKENDS.values()
            for setting in spec.settings
            if setting.is_literal
        ),
    }
)
_Map = dict[str, Tree]


def check_state_section(document: Document, state: _Map) -> Iterator[Diagnostic]:
    """Check that the settings are those of the backend, and go together."""
    name = state.get("backend", _DEFAULT_BACKEND)
    spec = BACKENDS.get(name) if isinstance(name, str) else None
    if spec is None:
        return
    places = document.places
    for written in state:
        takers = [other.name for other in BACKENDS.values() if written in other.names]
        # A name that no backend knows is the schema's to refuse.
        if takers and spec.name not in takers:
            yield Diagnostic(
                codes.STATE_SETTING,
                f"`{written}` is no setting of backend {spec.name}",
                places.key(("state", written)),
                fix=f"Remove it, or set backend: {listed(takers, 'or')}",
            )
    for setting in spec.settings:
        if setting.is_required and setting.name not in state:
            yield Diagnostic(
                codes.STATE_SETTING,
                f"Backend {spec.name} needs `{setting.name}`",
                places.key(("state",)),
                fix=f"Add {setting.name}: to state.",
            )
    conflict = spec.conflict(state.keys())
    if conflict is not None:
        yield Diagnostic(
            codes.STATE_SETTING,
            conflict.message,
            places.key(("state", conflict.name)),
            fix=conflict.fix,
        )


def read_state_section(document: Document, setting: Callable[..., Setting]) -> StateSettings:
    """Return the settings of a section that the schema accepts, or the defaults without one.

    `setting` returns the one at a path. What is missing although it is needed is an empty text:
    check_state_section has complained of it.
    """
    state = as_mapping(as_mapping(document.tree).get("state"))
    spec = BACKENDS[str(state.get("backend", _DEFAULT_BACKEND))]
    backend = _backend(document, spec, state, setting)
    if "encryption" not in state:
        return StateSettings(backend)
    has_previous = "previousKey" in as_mapping(state["encryption"])
    return StateSettings(
        backend,
        Encryption(
            setting("state", "encryption", "key"),
            setting("state", "encryption", "previousKey") if has_previous else None,
        ),
    )


def _backend(
    document: Document, spec: BackendSpec, state: _Map, setting: Callable[..., Setting]
) -> Backend:
    values: dict[str, Setting | str] = {}
    for one in spec.settings:
        if one.name in state:
            value = setting("state", one.name)
            values[one.attribute] = value.text if one.is_literal else value
        elif one.is_required or one.default is not None:
            source = document.places.key(("state",))
            values[one.attribute] = Setting(one.default or "", f"state.{one.name}", source)
    # Each value has the type that the dataclass gives its field: the table was read from it.
    return cast("Callable[..., Backend]", spec.settings_type)(**values)
