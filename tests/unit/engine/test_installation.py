"""Whether the distribution of strangers that has our package's name is beside ours."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from reconciler.engine.installation import (
    DISTRIBUTION,
    FOREIGN_DISTRIBUTION,
    ForeignDistribution,
    find_foreign_distribution,
    find_foreign_distribution_in,
)


def install(site: Path, name: str, version: str = "0.2.2") -> None:
    """Leave the metadata that pip leaves of a distribution."""
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (metadata / "METADATA").write_text(text, "utf-8")


@pytest.mark.parametrize("name", ["reconciler", "Reconciler"])
def test_another_projects_distribution_is_found(tmp_path: Path, name: str) -> None:
    """However its name is spelled, with ours beside it, and when it alone is asked for."""
    install(tmp_path, DISTRIBUTION, "0.1.0")
    install(tmp_path, name)
    expected = ForeignDistribution("reconciler", "0.2.2")

    assert find_foreign_distribution(distributions(path=[str(tmp_path)])) == expected
    alone = distributions(path=[str(tmp_path)], name=FOREIGN_DISTRIBUTION)
    assert find_foreign_distribution(alone) == expected
    assert find_foreign_distribution_in(["/nonexistent", str(tmp_path)]) == expected


@pytest.mark.parametrize("name", [DISTRIBUTION, "push_reconciler", "reconciler-client", "other"])
def test_ours_and_others_are_not_it(tmp_path: Path, name: str) -> None:
    """Our own, and names that only begin or end as ours."""
    install(tmp_path, name)

    assert find_foreign_distribution(distributions(path=[str(tmp_path)])) is None
    assert find_foreign_distribution_in([str(tmp_path)]) is None


def test_metadata_without_a_name_is_passed_over(tmp_path: Path) -> None:
    """As an interrupted pip leaves it."""
    (tmp_path / "reconciler-1.dist-info").mkdir()

    assert find_foreign_distribution(distributions(path=[str(tmp_path)])) is None
    assert find_foreign_distribution_in([str(tmp_path)]) is None


def test_the_warning_names_both_and_what_to_do() -> None:
    """In the order in which it has to be done."""
    foreign = ForeignDistribution("reconciler", "0.2.2")

    assert "reconciler 0.2.2" in foreign.message
    assert "push-reconciler" in foreign.message
    assert foreign.fix.startswith(
        "pip uninstall reconciler, then pip install --force-reinstall push-reconciler"
    )
