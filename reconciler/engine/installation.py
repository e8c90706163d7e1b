"""Find another project's distribution that was installed over ours, or under it.

Ours is called `push-reconciler`. On the public index the name `reconciler` belongs to another
project, whose distribution installs a package `reconciler` as well: of two in one environment, the
one that was installed later has written its files over those of the other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.metadata import Distribution

DISTRIBUTION: Final = "push-reconciler"
FOREIGN_DISTRIBUTION: Final = "reconciler"


@dataclass(frozen=True, slots=True)
class ForeignDistribution:
    """A distribution that is not ours and installs the package that we install."""

    name: str
    version: str

    @property
    def message(self) -> str:
        return (
            f"The distribution {self.name} {self.version} is installed beside {DISTRIBUTION}. "
            f"It is another project's, and both install the package {self.name}: "
            "which files run depends on which was installed last."
        )

    @property
    def fix(self) -> str:
        """Two commands, in this order: the first one takes files of ours away."""
        return (
            f"pip uninstall {self.name}, then pip install --force-reinstall {DISTRIBUTION} "
            "(or the wheel that it was installed from)"
        )


def find_foreign_distribution(distributions: Iterable[Distribution]) -> ForeignDistribution | None:
    """Return the first distribution that claims our package, if there is one.

    `distributions` are those of an environment, from `importlib.metadata.distributions()`. To ask
    that for `name=FOREIGN_DISTRIBUTION` alone reads no other's metadata.
    """
    for distribution in distributions:
        # A directory of metadata that an interrupted pip left behind has no name.
        name = distribution.metadata["Name"] or ""
        if re.sub(r"[-_.]+", "-", name).lower() == FOREIGN_DISTRIBUTION:
            version = distribution.metadata["Version"] or "of unknown version"
            return ForeignDistribution(FOREIGN_DISTRIBUTION, version)
    return None


def find_foreign_distribution_in(directories: Sequence[str]) -> ForeignDistribution | None:
    """Return the distribution that claims our package in one of these, such as those of `sys.path`.

    Metadata is read only where a name says that there is some: reading it costs more than the
    shortest commands take.
    """
    if not any(map(_may_hold_it, directories)):
        return None
    from importlib.metadata import distributions

    return find_foreign_distribution(
        distributions(name=FOREIGN_DISTRIBUTION, path=list(directories))
    )


def _may_hold_it(directory: str) -> bool:
    with suppress(OSError):
        # "" stands for the directory that the interpreter runs in.
        names = (name.lower() for name in os.listdir(directory or "."))
        return any(re.match(rf"{FOREIGN_DISTRIBUTION}\b.*-info$", name) for name in names)
    return False
