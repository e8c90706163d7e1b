"""The files that ship with the program: in the wheel under `_data`, in a checkout at its root."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def data_directory(kind: str) -> Path:
    """Return the directory of `schemas` or `examples`."""
    shipped = _PACKAGE / "_data" / kind
    return shipped if shipped.is_dir() else _PACKAGE.parent / kind


def schema_names() -> tuple[str, ...]:
    """Return the names of the file formats that have a schema."""
    return ("project", "devices", "people", "plan", "drift", "state", "consent")


def schema_bytes(name: str) -> bytes:
    """Return the JSON Schema of one file format."""
    return (data_directory("schemas") / f"{name}.schema.json").read_bytes()
