"""The file formats as they are explained: a field, what it takes, what stands below it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Below:
    """A field of a field, in one line. `types` are in words; `summary` says what it is."""

    name: str
    types: str
    summary: str
    required: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a format. A `path` of "" is the whole document.

    Values (`allowed`, `default`, `examples`) are texts as YAML takes them. `rules` say in words
    what a value has to be. `names` says what the names of its entries are, where people choose
    them; `fields` stand below it, or below each of its entries.
    """

    format: str
    path: str
    title: str
    description: str
    types: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    default: str | None = None
    examples: tuple[str, ...] = ()
    names: str | None = None
    fields: tuple[Below, ...] = ()

    @property
    def name(self) -> str:
        """The last name of the path; empty for a document."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that is not there: where it was looked for, and what stands there."""

    format: str
    name: str
    below: str
    known: tuple[str, ...]
