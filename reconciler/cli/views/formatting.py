"""What `fmt` says: the names of files that changed on stdout, or what would; the rest on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from reconciler.cli.collector import without_collector
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say, write
from reconciler.engine.files import path_from, printable_path
from reconciler.engine.formatting import (
    Changed,
    Foreign,
    FormatResult,
    Invalid,
    NotEquivalent,
    Unchanged,
    Unwritable,
)
from reconciler.render.sentences import counted

from .diagnostics import write_diagnostics

_FOREIGN = "left as it is, because it is no file of reconciler."
_OURS = "Such a file says: apiVersion: reconciler/v1"


@dataclass(slots=True)
class FormatView:
    """Shows results of `fmt` one by one, and counts them. `root` is what paths are relative to."""

    options: Options
    root: Path
    check: bool
    diff: bool
    unchanged: int = 0
    changed: int = 0
    failed: int = 0
    foreign: int = 0

    def show_all(self, results: Iterator[FormatResult]) -> int:
        """Show each result as it comes, then their counts; return the exit code."""
        while True:
            # Each next one is a file that is read and laid out: many values, no cycle of garbage.
            with without_collector():
                latest = next(results, None)
            if latest is None:
                break
            self.show(latest)
        say(self.options, "info", ", ".join(self._counts()) + ".")
        return self.exit_code()

    def show(self, latest: FormatResult) -> None:
        """Show one result; the name of a file that changed goes to stdout at once."""
        match latest:
            case Unchanged():
                self.unchanged += 1
            case Changed():
                self.changed += 1
                self._show_changed(latest)
            case Foreign(path):
                self.foreign += 1
                say(self.options, "warning", f"{self._name(path)}: {_FOREIGN}", fix=_OURS)
            case Invalid(diagnostics=diagnostics):
                self.failed += 1
                write_diagnostics(self.options, self.root, diagnostics)
            case NotEquivalent(path):
                self.failed += 1
                say(
                    self.options,
                    "error",
                    f"{self._name(path)}: left as it is, because in canonical layout it would not "
                    "mean the same. This is a bug in reconciler.",
                )
            case Unwritable(path, reason):
                self.failed += 1
                say(self.options, "error", f"{self._file(path)} cannot be written: {reason}.")
            case _:
                assert_never(latest)

    def show_stdin(self, data: bytes, formatted: FormatResult) -> int:
        """Write stdin to stdout as it was formatted, or what --check and --diff ask for."""
        new = formatted.new if isinstance(formatted, Changed) else data
        if isinstance(formatted, Changed):
            self.changed += 1
        else:
            self.show(formatted)
        if self.failed:
            return ExitCode.ERROR
        if self.diff:
            result(formatted.diff(formatted.path) if isinstance(formatted, Changed) else "")
        elif self.check:
            result(formatted.path if self.changed else "")
        else:
            write(sys.stdout, new)
        return self.exit_code()

    def exit_code(self) -> int:
        """Return the exit code of the results so far."""
        return ExitCode.ERROR if self.failed or (self.check and self.changed) else ExitCode.DONE

    def _show_changed(self, latest: Changed) -> None:
        name = self._file(latest.path)
        if not self.diff:
            result(name)
            return
        result(latest.diff(name))
        if latest.changes_line_ends:
            say(self.options, "info", f"{name}: its lines would end in line feeds alone.")

    def _name(self, path: str) -> str:
        """Return a path from where the caller stands, as it was given."""
        return path_from(self.options.origin, self.root, printable_path(path))

    def _file(self, path: str) -> str:
        """Return a path from where the caller stands, as short as it can be written."""
        file = self.root / path
        return printable_path(path_from(self.options.origin, file.parent, file.name))

    def _counts(self) -> Iterator[str]:
        left_alone = self.failed + self.foreign
        if self.changed:
            verb = "would change" if self.check or self.diff else "formatted"
            how = " (to write them: reconciler fmt)" if self.check else ""
            yield f"{counted(self.changed, 'file')} {verb}{how}"
        if self.unchanged:
            pronoun = "it" if self.unchanged == 1 else "they"
            yield f"{counted(self.unchanged, 'file')} as {pronoun} should be"
        if left_alone:
            as_is = "it is" if left_alone == 1 else "they are"
            yield f"{counted(left_alone, 'file')} left as {as_is}"
