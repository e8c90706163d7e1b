"""What a dotted path of a file format leads to, from the format's JSON Schema; for `explain`.

A path is written as the field stands in a file. The names that people choose, a registration id or
a person's name, may be left out, written as they are, or as a placeholder: `devices.isPrimary`,
`devices.ID.isPrimary`. Lists are no step of a path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from reconciler.core.field_doc import Below, Field, Missing
from reconciler.core.suggestion import closest

from .messages.constraint_text import allowed_values, rules_in_words, type_in_words
from .schema import resolve_reference
from .tree import Tree, as_mapping

Schema = Mapping[str, Tree]

_PLACEHOLDER: Final = re.compile(r"[A-Z]+|\*|<[^>]*>|\{[^}]*\}", re.ASCII)
_INDEX: Final = re.compile(r"\[[^\]]*\]$")
# Deeper than any format of ours; a schema that refers to itself has no end.
_DEEPEST: Final = 16


@dataclass(frozen=True, slots=True)
class _Place:
    """A schema, the path that leads to it, and whether its parent requires it."""

    schema: Schema
    path: tuple[str, ...] = ()
    required: bool = False


class Guide:
    """Explains one format. `format` is what it is called in paths: manifest, project, …"""

    def __init__(self, format_: str, data: bytes) -> None:
        self.format = format_
        self._document = cast("Schema", json.loads(data))
        text = data.decode()
        # What stands packed inside of a text (the content of a state) is only described: nothing
        # refers to it.
        self._packed = {
            name: definition
            for name, definition in as_mapping(self._document.get("$defs")).items()
            if isinstance(definition, dict) and f'"#/$defs/{name}"' not in text
        }

    def roots(self) -> tuple[str, ...]:
        """Return the names of the fields at the top of a document."""
        return tuple(self._properties(self._document, whole=True))

    def find(self, path: str) -> Field | Missing:
        """Return what a path leads to; "" is the document."""
        steps = [_INDEX.sub("", step) for step in path.split(".")] if path else []
        place = self._descend(_Place(self._document), [step for step in steps if step])
        return place if isinstance(place, Missing) else self._field(place)

    def paths(self) -> Iterator[str]:
        """Yield the path of each field, names that people choose as placeholders."""
        seen: set[str] = set()
        for place in self._places(_Place(self._document)):
            path = ".".join(place.path)
            if path and path not in seen:
                seen.add(path)
                yield path

    def _places(self, place: _Place) -> Iterator[_Place]:
        yield place
        if len(place.path) >= _DEEPEST:
            return
        for name in self._properties(place.schema, whole=not place.path):
            yield from self._places(self._step(place, name))
        for item in self._items(place.schema):
            yield from self._places(replace(place, schema=item))
        for entry in self._entries(place.schema):
            yield from self._places(self._entry(place, entry))

    def _descend(self, place: _Place, steps: list[str]) -> _Place | Missing:
        if not steps:
            return place
        name, rest = steps[0], steps[1:]
        known = self._properties(place.schema, whole=not place.path)
        if name in known:
            return self._descend(self._step(place, name), rest)
        for item in self._items(place.schema):
            below = rest if name == "*" or name.isdecimal() else steps
            return self._descend(replace(place, schema=item), below)
        for entry in self._entries(place.schema):
            return self._below_entry(self._entry(place, entry), steps)
        return Missing(self.format, name, ".".join(place.path), tuple(known))

    def _below_entry(self, entry: _Place, steps: list[str]) -> _Place | Missing:
        """Go on at an entry whose name may stand in the path, or be left out."""
        name, rest = steps[0], steps[1:]
        known = self._properties(entry.schema)
        deeper = any(True for _ in (*self._entries(entry.schema), *self._items(entry.schema)))
        if name in known:
            return self._descend(entry, steps)
        if _PLACEHOLDER.fullmatch(name) or not (known or deeper):
            return self._descend(entry, rest)
        if rest:
            below = self._descend(entry, rest)
            if isinstance(below, _Place):
                return below
        elif closest(name, known) is None:
            return entry
        return Missing(self.format, name, ".".join(entry.path), tuple(known))

    def _step(self, place: _Place, name: str) -> _Place:
        required = any(name in _names(facet, "required") for facet in self._facets(place.schema))
        schema = self._properties(place.schema, whole=not place.path)[name]
        return _Place(schema, (*place.path, name), required)

    def _entry(self, place: _Place, entry: Schema) -> _Place:
        return _Place(entry, (*place.path, self._placeholder(place)))

    def _placeholder(self, place: _Place) -> str:
        if place.path and place.path[-1] == "additionalData":
            return "KEY"
        names = self._names_of(place.schema)
        return "ID" if names is not None and "registration id" in _text(names, "title") else "NAME"

    def _names_of(self, schema: Schema) -> Schema | None:
        """Return the schema of the names that people choose, if it says what they are."""
        for outer in self._facets(schema):
            names = outer.get("propertyNames")
            if isinstance(names, dict):
                for facet in self._facets(names):
                    if "description" in facet:
                        return facet
        return None

    def _field(self, place: _Place) -> Field:
        facets = tuple(self._facets(place.schema))
        names = self._names_of(place.schema)
        naming = [f"{_text(names, 'title')}: {_text(names, 'description')}"] if names else []
        return Field(
            self.format,
            ".".join(place.path),
            _first(facets, "title"),
            _first(facets, "description"),
            type_in_words(facets),
            place.required,
            allowed_values(facets),
            (*rules_in_words(facets), *self._of_each(place)),
            _default(facets),
            _examples(facets),
            naming[0] if naming else None,
            tuple(self._below(place)),
        )

    def _of_each(self, place: _Place) -> Iterator[str]:
        """Yield what items of a list, or entries of a mapping, are that have no fields."""
        for word, several in (
            ("item", self._items(place.schema)),
            ("entry", self._entries(place.schema)),
        ):
            for schema in several:
                if any(self._below(_Place(schema))):
                    continue
                facets = tuple(self._facets(schema))
                values = allowed_values(facets)
                facts = [f"one of {', '.join(values)}"] if values else [type_in_words(facets)]
                yield f"each {word}: {'; '.join([*facts, *rules_in_words(facets)])}"

    def _below(self, place: _Place) -> Iterator[Below]:
        """Yield the fields of a place, or of its entries or items where these have any."""
        for name in self._properties(place.schema, whole=not place.path):
            step = self._step(place, name)
            facets = tuple(self._facets(step.schema))
            summary = _first(facets, "description").partition(". ")[0].removesuffix(".")
            yield Below(name, type_in_words(facets), summary, step.required)
        for item in self._items(place.schema):
            yield from self._below(replace(place, schema=item))
        for entry in self._entries(place.schema):
            yield from self._below(self._entry(place, entry))

    def _properties(self, schema: Schema, *, whole: bool = False) -> dict[str, Schema]:
        """Return the named fields; with `whole` of a document, and what is packed in it."""
        properties: dict[str, Schema] = {}
        for facet in self._facets(schema):
            for name, field_schema in as_mapping(facet.get("properties")).items():
                if isinstance(field_schema, dict):
                    properties.setdefault(name, field_schema)
        return self._packed | properties if whole else properties

    def _entries(self, schema: Schema) -> Iterator[Schema]:
        for facet in self._facets(schema):
            for entry in (
                facet.get("additionalProperties"),
                *as_mapping(facet.get("patternProperties")).values(),
            ):
                if isinstance(entry, dict):
                    yield entry

    def _items(self, schema: Schema) -> Iterator[Schema]:
        for facet in self._facets(schema):
            item = facet.get("items")
            if isinstance(item, dict):
                yield item

    def _facets(self, schema: Schema, depth: int = 0) -> Iterator[Schema]:
        """Yield a schema and all that says more of the same value, the nearest first."""
        yield schema
        if depth >= _DEEPEST:
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield from self._facets(resolve_reference(self._document, reference), depth + 1)
        for keyword in ("allOf", "anyOf", "oneOf"):
            several = schema.get(keyword)
            for part in several if isinstance(several, list) else []:
                if isinstance(part, dict) and set(part) != {"required"}:
                    yield from self._facets(part, depth + 1)
        for keyword in ("then", "else"):
            part = schema.get(keyword)
            if isinstance(part, dict):
                yield from self._facets(part, depth + 1)


def _names(schema: Schema, keyword: str) -> list[str]:
    names = schema.get(keyword)
    return [str(listed) for listed in names] if isinstance(names, list) else []


def _text(schema: Schema, keyword: str) -> str:
    return str(schema.get(keyword, ""))


def _first(facets: tuple[Schema, ...], keyword: str) -> str:
    return next((str(facet[keyword]) for facet in facets if keyword in facet), "")


def _default(facets: tuple[Schema, ...]) -> str | None:
    return next((_yaml(facet["default"]) for facet in facets if "default" in facet), None)


def _examples(facets: tuple[Schema, ...]) -> tuple[str, ...]:
    for facet in facets:
        examples = facet.get("examples")
        if isinstance(examples, list):
            return tuple(map(_yaml, examples))
    return ()


def _yaml(value: Tree) -> str:
    """Return a value as YAML takes it, which JSON is."""
    return json.dumps(value, ensure_ascii=False)
