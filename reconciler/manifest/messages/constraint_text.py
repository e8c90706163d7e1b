"""What a JSON Schema asks of a value, in words: its type, the values allowed, other rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.core.counting import counted
from reconciler.manifest.tree import Tree

from .field_text import types_in_words

Schema = Mapping[str, Tree]

# A longer one tells nobody anything; the description of the field says it in words.
_LONGEST_PATTERN: Final = 80
_OF_VALUES: Final = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


def type_in_words(facets: Iterable[Schema]) -> str:
    """Return in words what a value is: text, a list …; empty where the schema leaves it open."""
    for facet in facets:
        declared = facet.get("type")
        if isinstance(declared, str):
            return types_in_words([declared])
        if isinstance(declared, list):
            return types_in_words([str(name) for name in declared])
        if values := list(_values(facet)):
            return types_in_words(list(dict.fromkeys(map(_type, values))))
    return ""


def allowed_values(facets: Iterable[Schema]) -> tuple[str, ...]:
    """Return the only values that are allowed; empty where there is no such list."""
    for facet in facets:
        if values := list(_values(facet)):
            return tuple(json.dumps(value, ensure_ascii=False).strip('"') for value in values)
    return ()


def rules_in_words(facets: Iterable[Schema]) -> tuple[str, ...]:
    """Return what else a value has to be."""
    return tuple(dict.fromkeys(rule for facet in facets for rule in _rules(facet)))


def _rules(schema: Schema) -> Iterator[str]:
    yield from _range(schema)
    if schema.get("minLength"):
        yield "a text is not empty"
    if "maxLength" in schema:
        yield f"a text has at most {schema['maxLength']} characters"
    if len(pattern := str(schema.get("pattern", ""))) <= _LONGEST_PATTERN and pattern:
        yield f"a text matches {pattern}"
    if "minItems" in schema:
        yield f"at least {_count(schema['minItems'], 'item')}"
    if "maxItems" in schema:
        yield (
            "empty" if schema["maxItems"] == 0 else f"at most {_count(schema['maxItems'], 'item')}"
        )
    if schema.get("uniqueItems"):
        yield "no item twice"
    yield from _size(schema)
    refused = schema.get("not")
    if isinstance(refused, dict) and (values := list(_values(refused))):
        yield f"never {', '.join(map(str, values))}"


def _range(schema: Schema) -> Iterator[str]:
    bounds = []
    if "exclusiveMinimum" in schema:
        bounds.append(f"more than {schema['exclusiveMinimum']}")
    if "minimum" in schema:
        bounds.append(f"at least {schema['minimum']}")
    if "exclusiveMaximum" in schema:
        bounds.append(f"less than {schema['exclusiveMaximum']}")
    if "maximum" in schema:
        bounds.append(f"at most {schema['maximum']}")
    if bounds:
        yield f"a number is {' and '.join(bounds)}"


def _size(schema: Schema) -> Iterator[str]:
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and least == most:
        yield "exactly one of the fields below" if least == 1 else f"exactly {least} entries"
    elif least is not None:
        yield f"at least {_count(least, 'entry', 'entries')}"
    groups = schema.get("anyOf")
    if isinstance(groups, list):
        names = [
            ", ".join(map(str, required))
            for group in groups
            if isinstance(group, dict) and isinstance(required := group.get("required"), list)
        ]
        if len(names) == len(groups):
            yield f"at least one of {', '.join(names)}"


def _count(number: Tree, noun: str, nouns: str | None = None) -> str:
    assert isinstance(number, int)
    return counted(number, noun, nouns)


def _values(schema: Schema) -> Iterator[Tree]:
    if "const" in schema:
        yield schema["const"]
    several = schema.get("enum")
    if isinstance(several, list):
        yield from several


def _type(value: Tree) -> str:
    return next((name for kind, name in _OF_VALUES if isinstance(value, kind)), "null")
