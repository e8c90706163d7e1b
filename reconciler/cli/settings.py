"""The options that stand before the command, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`origin` is where the caller stood before `-C`: paths of diagnostics are shown from there."""

    origin: Path
    directory: Path
    config: Path | None = None
    log_json: bool = False
    verbose: bool = False
    color: bool = True
    quiet: bool = False
    # Whether the process ends with this command; a test, or a demo, goes on.
    ends_process: bool = False
