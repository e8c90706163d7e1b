"""Every typed error has its exit code and its place in the manual."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Final

import pytest

import reconciler
from reconciler.cli.errors import _EXIT_CODES, exit_code_of
from reconciler.cli.exit_codes import ExitCode
from reconciler.core.failures import ReconcilerError
from reconciler.engine import errors

ROOT: Final = Path(__file__).resolve().parents[3]
# The root of most, which nobody raises.
_ROOTS: Final = {errors.EngineError}
_ERRORS: Final = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ReconcilerError) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", sorted({*_ERRORS} - _ROOTS, key=lambda kind: kind.__name__))
def test_every_typed_error_has_its_exit_code(kind: type[ReconcilerError]) -> None:
    """By a row of its own or of the class above; what has none would end with 1 by chance."""
    assert any(issubclass(kind, known) for known, _ in _EXIT_CODES)


def test_a_special_error_stands_before_the_general_one() -> None:
    """The first class that fits decides."""
    kinds = [kind for kind, _ in _EXIT_CODES]

    assert [] == [
        (later, earlier)
        for place, later in enumerate(kinds)
        for earlier in kinds[:place]
        if issubclass(later, earlier)
    ]
    assert ExitCode.REFUSED is exit_code_of(errors.NotConfirmed("no", ""))


def test_the_manual_says_when_each_public_error_is_raised() -> None:
    """In the table of the library; so nobody has to read the code to catch the right one."""
    public = {
        name
        for name in reconciler.__all__
        if inspect.isclass(kind := getattr(reconciler, name)) and issubclass(kind, ReconcilerError)
    }
    text = (ROOT / "README.md").read_text("utf-8")
    table = text[text.index("| error | when |") :].partition("\n\n")[0]
    named = set(re.findall(r"`([A-Z]\w+)`", table))

    assert public - named <= {"ReconcilerError"}
