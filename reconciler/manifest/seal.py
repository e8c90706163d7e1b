"""Stage 1 turned round, the mark of a file that we wrote: whether it is still as it was written."""

from __future__ import annotations

import re
from enum import StrEnum
from hashlib import sha256
from typing import Final

_MARK: Final = re.compile(
    rb"(?:# yaml-language-server: [^\n]*\n)?"
    rb"# Written by reconciler import; sha256 ([0-9a-f]{64})\n"
)


class Seal(StrEnum):
    """`intact`: as we wrote it; `edited`: since; `foreign`: not ours."""

    INTACT = "intact"
    EDITED = "edited"
    FOREIGN = "foreign"


def sealed(text: str, schema: str) -> str:
    """Put the mark, and where editors find the schema, before the text of a file."""
    digest = sha256(text.encode()).hexdigest()
    return (
        f"# yaml-language-server: $schema={schema}\n"
        f"# Written by reconciler import; sha256 {digest}\n{text}"
    )


def seal_of(data: bytes) -> Seal:
    """Tell whose file it is."""
    mark = _MARK.match(data)
    if mark is None:
        return Seal.FOREIGN
    digest = sha256(data[mark.end() :]).hexdigest()
    return Seal.INTACT if digest.encode() == mark[1] else Seal.EDITED
