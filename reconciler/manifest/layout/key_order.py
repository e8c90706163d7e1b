"""Key order: where a key stands among the others, as the JSON Schemas list them.

Names that people choose (devices, people, keys of additionalData) keep the order that people gave
them: it groups them, and comments stand between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from reconciler.manifest.schema import resolve_reference
from reconciler.manifest.tree import Tree, as_mapping

Schema = Mapping[str, Tree]


class Order:
    """The order at one place of a format, and of what lies below it."""

    def __init__(self, document: Schema, schemas: Iterable[Schema]) -> None:
        self._document = document
        self._facets = [facet for schema in schemas for facet in _facets(document, schema)]
        self._fields: dict[str, Schema] = {}
        for facet in self._facets:
            for name, schema in as_mapping(facet.get("properties")).items():
                self._fields.setdefault(name, cast("Schema", schema))
        self._ranks = {name: rank for rank, name in enumerate(self._fields)}
        self._below: dict[str | None, Order] = {}

    def rank(self, key: str) -> int:
        """Return the place of a key; those that the schema does not know come last."""
        return self._ranks.get(key, len(self._ranks))

    def below(self, key: str | None) -> Order:
        """Return the order below a key, or of a list's items."""
        name = key if key is None or key in self._fields else ""
        if name not in self._below:
            self._below[name] = Order(self._document, self._schemas(name))
        return self._below[name]

    def _schemas(self, name: str | None) -> Iterator[Schema]:
        if name:
            yield self._fields[name]
            return
        for facet in self._facets:
            schema = facet.get("items" if name is None else "additionalProperties")
            if isinstance(schema, dict):
                yield schema


class Orders:
    """The orders of all formats, by the `kind` that their documents have."""

    def __init__(self, schemas: Iterable[bytes]) -> None:
        self._by_kind: dict[str, Order] = {}
        for data in schemas:
            document = cast("Schema", json.loads(data))
            kind = as_mapping(as_mapping(document.get("properties")).get("kind")).get("const")
            self._by_kind[str(kind)] = Order(document, [document])

    def of(self, kind: str) -> Order:
        """Return the order of a kind of document; of an unknown kind, none."""
        return self._by_kind.get(kind) or Order({}, [])


def _facets(document: Schema, schema: Schema) -> Iterator[Schema]:
    """Yield a schema and those that it brings in."""
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _facets(document, resolve_reference(document, reference))
    then = schema.get("then")
    if isinstance(then, dict):
        yield from _facets(document, then)
