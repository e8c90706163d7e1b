"""JSON Schema validation: yes fast, or in detail what is wrong.

jsonschema-rs decides, at about a microsecond a device; only when it says no does `jsonschema`,
a hundred times slower, look at the entries that are to blame. A test holds the two to the same
verdicts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, cast

from .tree import Path, Tree

if TYPE_CHECKING:
    import jsonschema.protocols
    import jsonschema_rs

Name = Literal["project", "devices"]
# Sections with an entry per thing, of which only the wrong ones are explained.
_SECTIONS: Final = ("people", "devices", "removed")


@dataclass(frozen=True, slots=True, repr=False)
class Violation:
    """One keyword of a schema that one value breaks.

    `path` leads to the value, or, with `of_key`, to the entry whose key is meant. `expected` is
    the keyword's value, `schema` the schema it stands in.
    """

    path: Path
    keyword: str
    expected: Tree
    instance: Tree
    schema: Mapping[str, Tree]
    of_key: bool = False


class Shape:
    """One schema with both its validators, made when first needed."""

    def __init__(self, data: bytes) -> None:
        self.document = cast("dict[str, Tree]", json.loads(data))

    def accepts(self, tree: Tree) -> bool:
        """Whether the tree is valid."""
        return self._fast.is_valid(tree)

    def violations(self, tree: Tree) -> Iterator[Violation]:
        """Explain an invalid tree; nothing for a valid one."""
        for error in self._thorough.iter_errors(self._suspects(tree)):
            path: list[str | int] = list(error.absolute_path)
            of_key = "propertyNames" in error.absolute_schema_path
            if of_key:
                path.append(str(error.instance))
            yield Violation(
                path,
                str(error.validator),
                cast(Tree, error.validator_value),
                cast(Tree, error.instance),
                cast("Mapping[str, Tree]", error.schema),
                of_key,
            )

    @cached_property
    def _fast(self) -> jsonschema_rs.Validator:
        import jsonschema_rs

        return jsonschema_rs.validator_for(self.document)

    @cached_property
    def _thorough(self) -> jsonschema.protocols.Validator:
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend

        extended = extend(Draft202012Validator, {"pattern": _check_pattern})  # type: ignore[no-untyped-call]
        return cast("type[jsonschema.protocols.Validator]", extended)(self.document)

    def sound(self, tree: Tree) -> Tree:
        """Return an invalid tree without its wrong entries and fields, for the rules that follow.

        None if it is no document of this kind at all.
        """
        known = self.document["properties"]
        if not isinstance(tree, dict) or not isinstance(known, dict):
            return None
        kept: dict[str, Tree] = {}
        for name, value in tree.items():
            fast = self._fields.get(name)
            if fast is None:
                continue
            if name in _SECTIONS and isinstance(value, dict):
                kept[name] = {k: entry for k, entry in value.items() if fast.is_valid({k: entry})}
            elif fast.is_valid(value):
                kept[name] = value
        return kept if "kind" in kept and "apiVersion" in kept else None

    def _suspects(self, tree: Tree) -> Tree:
        """Return the tree without the valid entries of its sections."""
        if not isinstance(tree, dict):
            return tree
        suspects = dict(tree)
        for name in _SECTIONS:
            entries, fast = tree.get(name), self._fields.get(name)
            if fast is not None and isinstance(entries, dict):
                suspects[name] = {
                    k: entry for k, entry in entries.items() if not fast.is_valid({k: entry})
                }
        return suspects

    @cached_property
    def _fields(self) -> dict[str, jsonschema_rs.Validator]:
        known = self.document["properties"]
        assert isinstance(known, dict)
        return {name: self._field(schema) for name, schema in known.items()}

    def _field(self, schema: Tree) -> jsonschema_rs.Validator:
        import jsonschema_rs

        assert isinstance(schema, dict)
        return jsonschema_rs.validator_for({**schema, "$defs": self.document.get("$defs", {})})


class Schemas:
    """The schemas of the project file and of manifests, from the bytes of their files."""

    def __init__(self, sources: Mapping[Name, bytes]) -> None:
        self.project = Shape(sources["project"])
        self.devices = Shape(sources["devices"])


def resolve_reference(document: Mapping[str, Tree], reference: str) -> Mapping[str, Tree]:
    """Return the schema that a `$ref` to the same document names."""
    schema = document
    for step in reference.removeprefix("#/").split("/"):
        inner = schema[step]
        assert isinstance(inner, dict), reference
        schema = inner
    return schema


def _check_pattern(
    validator: object, pattern: str, instance: object, schema: object
) -> Iterator[jsonschema.ValidationError]:
    """Match as ECMA 262 does, where `$` is the very end; Python's allows a line feed there."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        from jsonschema import ValidationError

        yield ValidationError("does not match")
