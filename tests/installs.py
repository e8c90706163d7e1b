"""What a text tells its reader to install: the names behind pip, pipx, uv and in lists of packages.

A command names packages behind words such as `pip install`; a requirement has a version or extras
behind its name; lists of packages stand in `additional_dependencies` of pre-commit, in files of
requirements and in tables of pyproject.toml. Wheels are named by their files.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_COMMAND: Final = re.compile(
    r"""\b(?:pip[\d.]*\s+(?:install|download|wheel)
        | pipx\s+(?:install|run|upgrade|inject\s+\S+)
        | uv\s+(?:tool\s+(?:install|run)|pip\s+install|add)
        | uvx
        | poetry\s+add | pdm\s+add | easy_install)\s+(?P<rest>[^\n]*)""",
    re.VERBOSE,
)
# Where a command ends within its line: the shell's next one, or the code of a sentence.
_END: Final = re.compile(r"&&|\|\||[;|`#)]|, then ")
_VERSION: Final = r"(?:===|==|~=|!=|<=|>=|<|>)\s*v?\d"
_NAME: Final = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?"
_EXTRAS: Final = r"\[[a-z][\w, -]*\]"
_REQUIREMENT: Final = re.compile(
    rf"(?<![\w./$-])(?P<name>{_NAME})(?:{_EXTRAS}(?:\s*{_VERSION})?|\s*{_VERSION}|\s+@\s+\w+[:+])"
)
_WHEEL: Final = re.compile(r"(?P<name>[A-Za-z]\w*)-(?:\d[\w.!+]*|VERSION|\*)-\w+-\w+-\w+\.whl")
_LISTS: Final = (
    re.compile(r"additional_dependencies:\s*\[(?P<list>[^]]*)\]"),
    re.compile(r"additional_dependencies:\s*\n(?P<list>(?:\s*-\s+[^\n]*(?:\n|$))+)"),
    re.compile(r"(?:dependencies|install_requires|requires)\s*=\s*\[(?P<list>[^]]*)\]"),
    re.compile(r"(?:RECONCILER_PACKAGE)\s*[:=]\s*(?P<list>[^\n]*)"),
)
_ITEM: Final = re.compile(rf"""(?:^|[\s,'"])(?P<name>{_NAME})(?=$|[\s,'"\[<>=!~;@])""")
_REQUIREMENTS_FILE: Final = re.compile(r"(?:requirements|constraints)[^/]*\.(?:txt|in)$")


@dataclass(frozen=True, slots=True)
class Installed:
    """One name that is installed, as the rules of distributions spell it, and where."""

    name: str
    line: int


def installed_names(path: str, text: str) -> Iterator[Installed]:
    """Yield every name that a text of this path installs; one can be found in two ways."""
    for command in _COMMAND.finditer(text):
        rest = _END.split(command["rest"])[0]
        for word in _words(rest):
            name = re.match(
                rf"(?:(?:--from|--spec|--with)=)?(?P<name>{_NAME})(?![\w/:]|\.\w)", word
            )
            if name:
                yield _installed(name["name"], text, command.start())
    for pattern in (_REQUIREMENT, _WHEEL):
        for found in pattern.finditer(text):
            yield _installed(found["name"], text, found.start())
    for pattern in _LISTS:
        for found in pattern.finditer(text):
            for item in _ITEM.finditer(found["list"]):
                yield _installed(item["name"], text, found.start("list") + item.start("name"))
    if _REQUIREMENTS_FILE.search(path):
        for found in re.finditer(rf"^\s*(?P<name>{_NAME})", text, re.MULTILINE):
            yield _installed(found["name"], text, found.start("name"))


def _words(rest: str) -> list[str]:
    """Split as a shell does; a quote of the surrounding text that is never closed splits too."""
    try:
        return shlex.split(rest)
    except ValueError:
        return re.split(r"[\s'\"]+", rest)


def _installed(name: str, text: str, at: int) -> Installed:
    return Installed(re.sub(r"[-_.]+", "-", name).lower(), text.count("\n", 0, at) + 1)
