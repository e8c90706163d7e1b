"""ABSENT: "nothing was said", which is not the same as None ("it shall be gone")."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> Literal[False]:
        return False


Absent = Literal[_Absent.ABSENT]
ABSENT: Final = _Absent.ABSENT
