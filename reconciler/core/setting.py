"""A value of the project file that may be a reference to an environment variable: `${NAME}`."""

from __future__ import annotations

from dataclasses import dataclass

from .source import Source


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of the project file that may stand in the environment.

    `text` is a literal, or exactly `${NAME}` or `${NAME:-default}`. It is resolved only when
    needed, so that `validate` asks for no secret. `path` is its place: `api.auth.apiKey`.
    """

    text: str
    path: str
    source: Source

    def __repr__(self) -> str:
        return f"Setting({self.path})"
