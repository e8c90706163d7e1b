"""Files that a use-case writes: refused early where writing would fail or do harm, then whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from .errors import NotReplaceable, UnwritableFile
from .files import replace_file


def require_replaceable(file: Path, kind: str, is_one: Callable[[bytes], bool]) -> None:
    """Refuse a path before anything is read. What is there already must be such a thing itself.

    `kind` names it in messages: "plan". A slip of the shell's completion must not cost a manifest.
    """
    directory = file.absolute().parent
    if not directory.is_dir():
        raise UnwritableFile(f"{file} cannot be written: its directory does not exist.")
    if file.is_dir():
        raise UnwritableFile(f"{file} cannot be written: it is a directory.")
    if file.is_file():
        try:
            data = file.read_bytes()
        except OSError as error:
            raise cannot_be_written(file, error) from None
        if data and not is_one(data):
            raise NotReplaceable(
                f"{file} exists and is no {kind}; name another file, or remove it."
            )
    # A regular file is replaced by a new one; into a pipe or a terminal it is written.
    place = file if file.exists() and not file.is_file() else directory
    if not os.access(place, os.W_OK):
        raise UnwritableFile(f"{file} cannot be written: permission denied.")


def is_document(data: bytes) -> bool:
    """Whether a file's content begins like the documents that we write."""
    return data.startswith(b"{")


def is_report(data: bytes) -> bool:
    """Whether a file's content is the report of an apply."""
    try:
        document = json.loads(data)
    except ValueError:
        return False
    return isinstance(document, dict) and {"plan", "rows"} <= document.keys()


def is_state_document(data: bytes) -> bool:
    """Whether a file's content begins as a pulled state does."""
    from reconciler.state.envelope import looks_like_one

    return looks_like_one(data)


def save(file: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises UnwritableFile."""
    try:
        replace_file(file, data)
    except OSError as error:
        raise cannot_be_written(file, error) from None


def save_private(file: Path, data: bytes) -> None:
    """Write a file that only its user can read, whole or not at all; raises UnwritableFile."""
    try:
        if not file.exists():
            # What replaces a file keeps its mode.
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise cannot_be_written(file, error) from None
    save(file, data)


def cannot_be_written(file: Path, error: OSError) -> UnwritableFile:
    """Return the error of a file that could not be written."""
    reason = (error.strerror or "unknown").lower()
    return UnwritableFile(f"{file} cannot be written: {reason}.")
