"""Diagnostics on stderr: as text, colored on a terminal, or as one JSON object each."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reconciler.cli.settings import Options
from reconciler.cli.streams import colored, say, write
from reconciler.core.diagnostics import Diagnostic
from reconciler.engine.files import relocate

_LABEL: Final = re.compile(r"^(\S+: )?((error|warning)\[[EW]\d+\])", re.MULTILINE)
_COLORS: Final = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}


def write_diagnostics(options: Options, root: Path, diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics, whose paths are relative to `root`, as seen from the caller."""
    shown = relocate(options.origin, root, diagnostics)
    if not shown:
        return
    if options.log_json:
        for one in shown:
            source = one.source
            say(
                options,
                one.severity.value,
                one.message,
                code=one.code.id,
                file=source.file if source else None,
                line=source.line if source else None,
                column=source.column if source else None,
                detail=list(one.detail) or None,
                why=one.why or one.code.why,
                fix=one.fix or one.code.fix,
            )
        return
    from reconciler.render.diagnostics import text

    write(sys.stderr, _paint(text(shown)) if colored(sys.stderr, options) else text(shown))


def _paint(text: str) -> str:
    """Color the words error[...] and warning[...]."""
    return _LABEL.sub(lambda label: f"{label[1] or ''}{_COLORS[label[3]]}{label[2]}\x1b[0m", text)
