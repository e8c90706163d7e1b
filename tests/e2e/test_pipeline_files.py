"""The files of the example pipelines: what each job may, what its commands say, how they end."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import reconciler
from tests.forge.runner import bash, programs, surroundings

from .harness import ROOT

WORKFLOWS: Final = ROOT / "examples" / "github-actions" / ".github" / "workflows"
PIPELINE: Final = ROOT / "examples" / "gitlab-ci" / ".gitlab-ci.yml"

ENDINGS: Final = [
    pytest.param(0, "Applied.", id="done"),
    pytest.param(1, "Failed (exit code 1)", id="error"),
    pytest.param(3, "Incomplete", id="incomplete"),
    pytest.param(4, "Plan again", id="refused"),
    pytest.param(5, "another apply holds the state", id="leased"),
]


@pytest.mark.parametrize("name", ["github", "gitlab"])
@pytest.mark.parametrize(("code", "expected"), ENDINGS)
def test_each_exit_code_is_said_and_kept(
    name: str, code: int, expected: str, tmp_path: Path
) -> None:
    """The job ends with the code of apply, and says what to do next."""
    bin_ = programs(tmp_path / "bin")
    (bin_ / "reconciler").write_text(f"#!/bin/sh\necho 'a table with ```'\nexit {code}\n")
    summary = tmp_path / "summary"
    environment = surroundings(bin_, tmp_path / "home") | {
        "GITHUB_STEP_SUMMARY": str(summary),
        "LOCK_TIMEOUT": "1s",
        "CI_DEFAULT_BRANCH": "main",
    }
    here = tmp_path / "here"
    here.mkdir()
    if name == "github":
        steps = jobs_of("apply.yml")["apply"]["steps"]
        (script,) = (one["run"] for one in steps if "reconciler apply" in one.get("run", ""))
    else:
        script = "\n".join(pipeline()["apply"]["script"])
    ended, said = bash(script, here, environment, ("-eo", "pipefail"))

    assert ended == code, said
    assert expected in said or code == 0
    if name == "github":
        text = summary.read_text("utf-8")
        assert expected in text
        assert "    a table with ```" in text
        assert (code == 0) == ("::error" not in said)


def test_a_cancelled_apply_ends_in_order(tmp_path: Path) -> None:
    """The signal reaches reconciler, and what it says then stands in the summary."""
    bin_ = programs(tmp_path / "bin")
    (bin_ / "reconciler").write_text(
        "#!/bin/bash\ntrap 'echo the table; exit 130' TERM\nkill -INT $PPID\n"
        "for i in $(seq 100); do sleep 0.1; done\n"
    )
    summary = tmp_path / "summary"
    environment = surroundings(bin_, tmp_path / "home") | {
        "GITHUB_STEP_SUMMARY": str(summary),
        "LOCK_TIMEOUT": "1s",
    }
    here = tmp_path / "here"
    here.mkdir()
    steps = jobs_of("apply.yml")["apply"]["steps"]
    (script,) = (one["run"] for one in steps if "reconciler apply" in one.get("run", ""))
    ended, said = bash(script, here, environment, ("-eo", "pipefail"))

    assert ended == 130, said
    assert "Cancelled" in summary.read_text("utf-8")
    assert "    the table" in summary.read_text("utf-8")


def jobs_of(workflow: str) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load((WORKFLOWS / workflow).read_text("utf-8"))["jobs"]
    return jobs


def pipeline() -> dict[str, Any]:
    file: dict[str, Any] = yaml.safe_load(PIPELINE.read_text("utf-8"))
    return file


def test_the_key_that_writes_is_where_somebody_approved() -> None:
    """No job without the environment `production` names a credential that may write; `validate`
    names none; and no workflow runs a stranger's branch with secrets."""
    jobs = {name: job for file in WORKFLOWS.iterdir() for name, job in jobs_of(file.name).items()}
    jobs |= {f"gitlab {name}": job for name, job in pipeline().items() if "script" in job}
    writers = {name for name, job in jobs.items() if "WRITE_KEY" in json.dumps(job)}

    assert writers == {"apply", "gitlab apply"}
    assert all(jobs[name]["environment"] == "production" for name in writers)
    for name in ("validate", "gitlab validate"):
        assert "secrets." not in json.dumps(jobs[name])
        assert "KEY" not in json.dumps(jobs[name])
    for file in WORKFLOWS.iterdir():
        triggers = yaml.safe_load(file.read_text("utf-8"))[True]
        assert "pull_request_target" not in triggers


def test_no_command_is_made_of_what_a_stranger_wrote() -> None:
    """`run:` holds no expression: titles and branches would be code in it."""
    steps = [
        step["run"]
        for file in WORKFLOWS.iterdir()
        for job in jobs_of(file.name).values()
        for step in job["steps"]
        if "run" in step
    ]

    assert len(steps) >= 10
    assert [step for step in steps if "${{" in step] == []


def test_every_file_names_this_version() -> None:
    """What the examples install is what they were written for."""
    files = [*WORKFLOWS.iterdir(), PIPELINE]
    wheel = f"RECONCILER_PACKAGE: ./push_reconciler-{reconciler.__version__}-py3-none-any.whl"

    assert len(files) == 4
    assert [file.name for file in files if wheel not in file.read_text("utf-8")] == []


def test_the_commands_are_bash() -> None:
    """Also those that no story above comes by."""
    scripts = [
        *(
            step["run"]
            for file in WORKFLOWS.iterdir()
            for job in jobs_of(file.name).values()
            for step in job["steps"]
            if "run" in step
        ),
        *("\n".join(job["script"]) for job in pipeline().values() if "script" in job),
    ]
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=20)
