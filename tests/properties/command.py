"""The command line in this process: the same entry, without paying for an interpreter each time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from reconciler.cli.main import outcome
from tests.e2e.harness import KEY, Ran


class _Stream(io.TextIOWrapper):
    """A text stream over memory, as a pipe is: it has a buffer and no terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8", newline="", write_through=True)

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("utf-8")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before, directory = dict(os.environ), Path.cwd()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(before)


def command(root: Path, url: str, *arguments: str) -> Ran:
    """Run `reconciler -C ROOT ...` against a sandbox and return what it answered."""
    out, err = _Stream(), _Stream()
    variables = {"SANDBOX_URL": url, "SANDBOX_KEY": KEY, "NO_COLOR": "1", "COLUMNS": "100"}
    with _environment(variables), redirect_stdout(out), redirect_stderr(err):
        exit_code = outcome(["-C", str(root), *arguments])
    return Ran(int(exit_code), out.text(), err.text())
