"""What `safety:` of a project file means: budgets by their exact share, rules by their globs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.core.safety import DEFAULT_BUDGETS, Budget
from reconciler.manifest.project import read_project

from .reading import PROJECT_TEXT, SCHEMAS, mistakes, project


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("20", Budget(devices=20)),
        ("0", Budget(devices=0)),
        ("5%", Budget(percent=Decimal(5))),
        ("0.7%", Budget(percent=Decimal("0.7"))),
        ("0%", Budget(percent=Decimal(0))),
        ("100%", Budget(percent=Decimal(100))),
    ],
)
def test_a_budget_is_what_is_written(written: str, meant: Budget) -> None:
    """Exactly, and the others stay as they are."""
    found = project(f"{PROJECT_TEXT}safety: {{budgets: {{detach: {written}}}}}\n").safety.budgets

    assert found == {**DEFAULT_BUDGETS, "detach": meant}


@pytest.mark.parametrize("written", ["'5'", "-1", "5.5", "101%", "5 %", '"5%\\n"', "true"])
def test_what_is_no_budget(written: str) -> None:
    """A share has its sign right behind it, and nothing comes after that."""
    text = f"{PROJECT_TEXT}safety: {{budgets: {{detach: {written}}}}}\n"
    found = read_project("reconciler.yaml", text.encode(), SCHEMAS)

    assert len(mistakes(found)) == 1


@pytest.mark.parametrize(
    ("written", "glob"),
    [("2", "2"), ("2.0", "2.0"), ("'2'", "2"), ("true", "true"), ("g*", "g*")],
)
def test_a_value_of_a_rule_is_a_glob(written: str, glob: str) -> None:
    """Of the text that YAML writes."""
    text = f"{PROJECT_TEXT}safety: {{protect: [{{additionalData: {{tier: {written}}}}}]}}\n"
    (rule,) = project(text).safety.protect

    assert rule.data == {"tier": glob}
