"""What pip installs: the wheel holds the program and its data, and runs from a bare directory."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${INFOBIP_BASE_URL}
  auth: {apiKey: "${INFOBIP_API_KEY}"}
applications:
  courier: {appCode: "${COURIER_APP_CODE}"}
manifests: [devices/*.yaml]
"""
MANIFEST: Final = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
devices:
  8621824C-86B2-41F7-BF6F-20D3B1426005: {registrationEnabled: true}
"""


def python(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    """Run this Python elsewhere, with nothing of the checkout on its path, and return stdout."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "INFOBIP_", "PIP_", "COV"))
    }
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, f"{arguments}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout by the backend that is installed: no network."""
    out = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT), cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds the installed wheel and nothing else of ours."""
    target = tmp_path_factory.mktemp("site")
    offline = ("install", "--quiet", "--no-deps", "--no-index", "--no-compile")
    python("-m", "pip", *offline, "--target", str(target), str(wheel), cwd=target)
    return target


def test_the_wheel_holds_code_schemas_and_examples(wheel: Path) -> None:
    """Nothing but the package stands in the wheel, and its data stands inside the package."""
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name for name in names if name.startswith("reconciler/_data/")}
    expected = {
        f"reconciler/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("schemas", "examples")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not {".reconciler", "__pycache__"} & set(path.parts)
    }

    assert {name.split("/")[0].split("-")[0] for name in names} == {"reconciler", "push_reconciler"}
    assert "reconciler/py.typed" in names
    assert shipped == expected
    assert {
        "reconciler/_data/schemas/devices.schema.json",
        "reconciler/_data/examples/github-actions/.github/workflows/plan.yml",
        "reconciler/_data/examples/gitlab-ci/.gitlab-ci.yml",
    } <= shipped


def test_the_wheel_has_a_name_of_its_own(wheel: Path) -> None:
    """An extra that led to another extra by the bare name would install another project."""
    (metadata,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA"))
    message = email.message_from_bytes(zipfile.ZipFile(wheel).read(metadata))
    required = [re.split(r"[^\w.-]", one)[0] for one in message.get_all("Requires-Dist", [])]

    assert wheel.name.startswith("push_reconciler-")
    assert message["Name"] == "push-reconciler"
    assert "reconciler" not in required


def test_the_installed_program_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    """The tests below would prove nothing if the checkout were imported instead."""
    where = python(
        "-P", "-c", "import reconciler; print(reconciler.__file__)", cwd=tmp_path, path=installed
    )

    assert Path(where.strip()).parent == installed / "reconciler"


def test_version(installed: Path, tmp_path: Path, wheel: Path) -> None:
    """`version` says what the wheel's name says."""
    said = python("-P", "-m", "reconciler", "version", cwd=tmp_path, path=installed)

    assert wheel.name.split("-")[1] in said


@pytest.mark.parametrize("name", ["project", "devices", "plan", "drift", "state"])
def test_schema(installed: Path, tmp_path: Path, name: str) -> None:
    """`schema NAME` prints the schema that the repository holds."""
    printed = python("-P", "-m", "reconciler", "schema", name, cwd=tmp_path, path=installed)

    assert json.loads(printed) == json.loads((ROOT / f"schemas/{name}.schema.json").read_bytes())


def test_validate_needs_neither_checkout_nor_network(installed: Path, tmp_path: Path) -> None:
    """A minimal project passes, with no variable of the project file set."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "devices/zagreb.yaml").write_text(MANIFEST)

    python("-P", "-m", "reconciler", "validate", cwd=tmp_path, path=installed)


def test_init_has_what_it_writes(installed: Path, tmp_path: Path) -> None:
    """The first project, the schemas and the pipelines come out of the package."""
    for forge in ("github", "gitlab"):
        begun = ("init", forge, "--ci", forge)
        written = python("-P", "-m", "reconciler", *begun, cwd=tmp_path, path=installed)
        python("-P", "-m", "reconciler", "-C", forge, "validate", cwd=tmp_path, path=installed)

        assert f"{forge}/.gitignore" in written.splitlines()
    assert (tmp_path / "github/.github/workflows/apply.yml").is_file()
    assert (tmp_path / "gitlab/.gitlab-ci.yml").is_file()
