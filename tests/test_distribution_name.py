"""Nothing of ours tells anybody to install the distribution `reconciler`, which is a stranger's.

Ours is `push-reconciler`. What has the name of our package on the public index is another project's
program; in a pipeline it would run beside a key of production.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest

from reconciler.engine.installation import DISTRIBUTION, FOREIGN_DISTRIBUTION

from .installs import installed_names

ROOT: Final = Path(__file__).resolve().parent.parent
# What a checkout has; a source archive knows no more than its files.
NOT_OURS: Final = frozenset({".git", ".reconciler", ".venv", "build", "dist", "__pycache__"})


def tracked_texts() -> dict[str, str]:
    """Return every text file that is part of the project, by its path.

    Without tests' fixtures, which are wrong on purpose, and this module with its planted faults.
    """
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if listed.returncode == 0 and (ROOT / ".git").exists():
        paths = [path for path in listed.stdout.split("\0") if path]
    else:
        paths = [
            file.relative_to(ROOT).as_posix()
            for file in ROOT.rglob("*")
            if file.is_file() and not NOT_OURS & set(file.relative_to(ROOT).parts)
        ]
    texts = {}
    for path in paths:
        if path.startswith("tests/fixtures/") or path == "tests/test_distribution_name.py":
            continue
        file = ROOT / path
        if file.is_file():
            try:
                texts[path] = file.read_text("utf-8")
            except UnicodeDecodeError:
                continue
    return texts


def faults(path: str, text: str) -> list[str]:
    """Return each place at which a text installs the stranger's distribution."""
    return [
        f"{path}:{installed.line}: installs {installed.name}; ours is {DISTRIBUTION}"
        for installed in installed_names(path, text)
        if installed.name == FOREIGN_DISTRIBUTION
    ]


def test_no_text_installs_another_projects_distribution() -> None:
    """README, messages, examples, workflows, hooks, comments and tests."""
    texts = tracked_texts()

    assert {"README.md", "pyproject.toml", ".pre-commit-hooks.yaml"} <= set(texts)
    assert any(path.startswith("examples/") for path in texts)
    assert any(path.startswith("reconciler/") for path in texts)
    assert [fault for path, text in sorted(texts.items()) for fault in faults(path, text)] == []


def test_ours_is_found_where_it_is_installed() -> None:
    """The search sees what it has to judge: each of these files names our distribution."""
    texts = tracked_texts()
    naming = {
        path
        for path, text in texts.items()
        if any(installed.name == DISTRIBUTION for installed in installed_names(path, text))
    }

    assert {
        "README.md",
        "pyproject.toml",
        "reconciler/state/backends.py",
        "examples/github-actions/.github/workflows/apply.yml",
        "examples/github-actions/.github/workflows/drift.yml",
        "examples/github-actions/.github/workflows/plan.yml",
        "examples/gitlab-ci/.gitlab-ci.yml",
    } <= naming


def test_the_projects_own_name() -> None:
    """pyproject.toml says it; the extras that lead to other extras are found above."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["name"] == DISTRIBUTION
    assert list(project["scripts"]) == ["reconciler"]


PLANTED: Final = [
    pytest.param("a.md", "$ pip install reconciler", id="pip"),
    pytest.param("a.md", "pip3 install --upgrade reconciler && reconciler demo", id="pip3"),
    pytest.param("a.py", "fix = \"python -m pip install 'reconciler[postgres]'\"", id="extras"),
    pytest.param("a.md", "| E610 | `pip install Reconciler` |", id="upper-case"),
    pytest.param("a.py", '"Install it again: pip install reconciler."', id="sentence"),
    pytest.param("a.md", "pip install -q push-reconciler reconciler", id="second"),
    pytest.param("a.md", "pip install 'reconciler", id="open-quote"),
    pytest.param("a.md", "pip download reconciler --no-deps", id="pip-download"),
    pytest.param("a.yml", "- run: pipx install reconciler", id="pipx"),
    pytest.param("a.yml", "- run: pipx run reconciler validate", id="pipx-run"),
    pytest.param("a.yml", "- run: pipx run --spec=reconciler reconcile", id="pipx-spec"),
    pytest.param("a.md", "uv tool install reconciler", id="uv-tool"),
    pytest.param("a.md", "uv pip install reconciler", id="uv-pip"),
    pytest.param("a.md", "uv add reconciler", id="uv-add"),
    pytest.param("a.md", "`uvx reconciler plan`", id="uvx"),
    pytest.param("a.md", "uvx --from reconciler reconcile", id="uvx-from"),
    pytest.param("a.yml", "# `reconciler==0.1.0` if your index has it", id="pinned"),
    pytest.param("a.yml", "# reconciler >= 0.1", id="at-least"),
    pytest.param("a.md", "reconciler @ git+https://git.example.com/x", id="by-address"),
    pytest.param("a.md", "reconciler[postgres]", id="bare-extras"),
    pytest.param("deploy/requirements-prod.txt", "httpx\nreconciler\n", id="requirements"),
    pytest.param("a.yml", "additional_dependencies: [pyyaml, reconciler]", id="pre-commit"),
    pytest.param(
        "a.yml",
        "  additional_dependencies:\n    - pyyaml\n    - reconciler\n",
        id="pre-commit-list",
    ),
    pytest.param("pyproject.toml", 'dependencies = [\n  "reconciler",\n]', id="toml"),
    pytest.param("a.yml", "  RECONCILER_PACKAGE: reconciler", id="variable"),
    pytest.param("a.yml", "PACKAGE: ./reconciler-0.1.0-py3-none-any.whl", id="wheel"),
]


@pytest.mark.parametrize(("path", "text"), PLANTED)
def test_a_planted_fault_is_found(path: str, text: str) -> None:
    """Each way to name it, by itself."""
    assert faults(path, text) != []


HONEST: Final = [
    "$ pip install . && reconciler demo",
    "$ pip install '.[test]' && pytest",
    "pip install 'push-reconciler[postgres]'; reconciler plan",
    "pip uninstall reconciler, then pip install --force-reinstall push-reconciler",
    "pip install ./push_reconciler-0.1.0-py3-none-any.whl",
    "push-reconciler==0.1.0",
    'pip install "$RECONCILER_PACKAGE"',
    "apiVersion: reconciler/v1",
    "reconciler.yaml",
    "RECONCILER_PACKAGE: ./push_reconciler-0.1.0-py3-none-any.whl",
    "repo: https://git.example.com/your/reconciler  # where this project is",
    "`pip install .` installs `reconciler`, the command.",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_texts_have_no_fault(text: str) -> None:
    """What only looks like it."""
    assert faults("a.md", text) == []
