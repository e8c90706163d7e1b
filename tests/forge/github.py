"""GitHub, as a pipeline sees it: events, jobs in their order, steps, secrets, approvals.

Plays the workflow files of a repository: their `run:` steps in bash, their actions by hand. An
action that is not listed here is an AssertionError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from .commands import obeyed
from .conditions import Value, evaluate
from .repository import Repository, git
from .runner import Job, Played, bash, programs, surroundings
from .server import REPOSITORY, Forge, Request, Run

_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}")
_SHELLS: Final = {"bash": ("--noprofile", "--norc", "-eo", "pipefail"), None: ("-e",)}
_STATUS: Final = re.compile(r"\b(success|failure|always|cancelled)\(\)")


@dataclass(slots=True)
class GitHub:
    """The forge, with variables and secrets as its settings hold them."""

    directory: Path
    forge: Forge
    repository: Repository
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    # Of the environment `production`.
    protected: Mapping[str, str]
    scanned: list[Any] = field(default_factory=list)
    _bin: Path | None = None

    def request(self, branch: str, *, is_fork: bool = False) -> int:
        """Open a pull request of a branch."""
        number = self.forge.next_number()
        head = git(self.repository.clone, "rev-parse", branch)
        self.forge.requests[number] = Request(number, head, is_fork)
        return number

    def pushed(self, number: int, branch: str) -> Played:
        """Play what a push to the branch of a pull request starts."""
        request = self.forge.requests[number]
        request.head = git(self.repository.clone, "rev-parse", branch)
        ref = f"refs/pull/{number}/merge"
        commit = self.repository.merged(request.head, ref)
        source = "stranger/devices" if request.is_fork else REPOSITORY
        event = {
            "pull_request": {
                "number": number,
                "head": {"sha": request.head, "repo": {"full_name": source}},
            }
        }
        run = Run(
            self.forge.next_number(), "plan.yml", request.head, number, is_fork=request.is_fork
        )
        return self._play(run, "pull_request", event, commit, ref, base="main")

    def merge(self, number: int) -> str:
        """Merge by squashing; return what main was before."""
        before = self.repository.main()
        request = self.forge.requests[number]
        request.merged_as = self.repository.squash(request.head)
        return before

    def after_push(self, before: str, *, approved: bool = True) -> Played:
        """Play what a push to main starts."""
        commit = self.repository.main()
        run = Run(self.forge.next_number(), "apply.yml", commit)
        event = {"before": before}
        return self._play(run, "push", event, commit, "refs/heads/main", approved=approved)

    def by_hand(self, *, approved: bool = True) -> Played:
        """Play apply.yml as somebody starts it by hand."""
        commit = self.repository.main()
        run = Run(self.forge.next_number(), "apply.yml", commit)
        return self._play(
            run, "workflow_dispatch", {}, commit, "refs/heads/main", approved=approved
        )

    def nightly(self) -> Played:
        """Play what the schedule starts."""
        commit = self.repository.main()
        run = Run(self.forge.next_number(), "drift.yml", commit)
        return self._play(run, "schedule", {}, commit, "refs/heads/main")

    def _play(
        self,
        run: Run,
        event_name: str,
        event: Mapping[str, Any],
        commit: str,
        ref: str,
        *,
        base: str = "",
        approved: bool = True,
    ) -> Played:
        text = git(self.repository.bare, "show", f"{commit}:.github/workflows/{run.workflow}")
        workflow = yaml.safe_load(text)
        # YAML 1.1 takes `on` for true.
        triggers = workflow.get("on", workflow.get(True))
        assert event_name in ([triggers] if isinstance(triggers, str) else triggers), run.workflow
        self.forge.runs[run.number] = run
        github = {
            "event_name": event_name,
            "event": event,
            "repository": REPOSITORY,
            "ref": ref,
            "ref_name": ref.removeprefix("refs/heads/").removeprefix("refs/"),
            "sha": commit,
            "actor": "stranger" if run.is_fork else "ana",
            "server_url": "https://github.example",
            "run_id": str(run.number),
            "base_ref": base,
        }
        jobs: dict[str, Job] = {}
        for name, definition in workflow["jobs"].items():
            jobs[name] = _Playing(self, run, workflow, github, jobs, approved).job(name, definition)
        failed = any(job.outcome in ("failure", "waiting") for job in jobs.values())
        run.outcome = "failure" if failed else "success"
        return Played(run.number, jobs)

    def bin(self) -> Path:
        """Return the programs of the runner."""
        if self._bin is None:
            self._bin = programs(self.directory / "bin", "gh")
        return self._bin


@dataclass(slots=True)
class _Playing:
    """One job at work."""

    hub: GitHub
    run: Run
    workflow: Mapping[str, Any]
    github: Mapping[str, Any]
    jobs: Mapping[str, Job]
    approved: bool
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def job(self, name: str, definition: Mapping[str, Any]) -> Job:
        job = Job(name)
        needs = definition.get("needs", [])
        needed = [self.jobs[one].outcome for one in ([needs] if isinstance(needs, str) else needs)]
        good = all(outcome == "success" for outcome in needed)
        if not self._holds(definition.get("if"), good):
            job.outcome = "skipped"
            return job
        self.secrets["GITHUB_TOKEN"] = f"token-{self.run.number}-{name}"
        if not self.run.is_fork:
            self.secrets |= self.hub.secrets
        if "environment" in definition:
            assert definition["environment"] == "production"
            if not self.approved:
                job.outcome = "waiting"
                return job
            self.secrets |= self.hub.protected
        assert definition["timeout-minutes"] <= 360
        self._grant(definition)
        self._steps(job, definition)
        outputs = definition.get("outputs", {})
        job.outputs = {key: self._filled(text) for key, text in outputs.items()}
        return job

    def _grant(self, definition: Mapping[str, Any]) -> None:
        assert self.workflow["permissions"] == {}, "each job names its own"
        granted = dict(definition["permissions"])
        if self.run.is_fork:
            granted = dict.fromkeys(granted, "read")
        self.hub.forge.granted[self.secrets["GITHUB_TOKEN"]] = granted

    def _steps(self, job: Job, definition: Mapping[str, Any]) -> None:
        directory = self.hub.directory / f"run-{self.run.number}" / job.name
        directory.mkdir(parents=True)
        for number, step in enumerate(definition["steps"]):
            if not self._holds(step.get("if"), job.outcome == "success"):
                continue
            if "uses" in step:
                self._act(directory, step["uses"], step.get("with", {}))
                continue
            # Each step has files of its own.
            output = directory.parent / f"{job.name}-{number}-output"
            summary = directory.parent / f"{job.name}-{number}-summary.md"
            output.touch()
            summary.touch()
            environment = self._environment(definition, step) | {
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
            }
            job.environments.append(environment)
            shell = self.workflow.get("defaults", {}).get("run", {}).get("shell")
            code, said = bash(self._filled(step["run"]), directory, environment, _SHELLS[shell])
            job.log += said
            job.commands += obeyed(said)
            job.summary += summary.read_text("utf-8")
            lines = output.read_text("utf-8").splitlines()
            self.steps[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
            if code:
                job.outcome = "failure"
                job.log += f"Process completed with exit code {code}.\n"

    def _environment(
        self, definition: Mapping[str, Any], step: Mapping[str, Any]
    ) -> dict[str, str]:
        hub = self.hub
        named = {
            f"GITHUB_{name.upper()}": str(value)
            for name, value in self.github.items()
            if isinstance(value, str)
        }
        given: dict[str, Any] = {}
        for one in (self.workflow, definition, step):
            given |= one.get("env", {})
        return {
            **surroundings(hub.bin(), hub.directory / "home"),
            **named,
            "GITHUB_ACTIONS": "true",
            "FORGE_URL": hub.forge.url,
            **{name: self._filled(str(value)) for name, value in given.items()},
        }

    def _act(self, directory: Path, action: str, given: Mapping[str, Any]) -> None:
        """Do what an action does."""
        match action.partition("@")[0]:
            case "actions/checkout":
                assert given["persist-credentials"] is False
                depth = given.get("fetch-depth", 1)
                self.hub.repository.check_out(directory, self.github["sha"], depth)
            case "actions/setup-python":
                assert given["python-version"] >= "3.11"
            case "actions/upload-artifact":
                file = directory / given["path"]
                if file.exists():
                    kept = {file.name: file.read_bytes()}
                    self.run.artifacts[given["name"]] = kept
                else:
                    assert given["if-no-files-found"] == "ignore", given["path"]
            case "actions/download-artifact":
                for name, data in self.run.artifacts[given["name"]].items():
                    (directory / name).write_bytes(data)
            case "github/codeql-action/upload-sarif":
                self.hub.scanned.append(json.loads((directory / given["sarif_file"]).read_bytes()))
            case other:
                raise AssertionError(f"an action of somebody else: {other}")

    def _holds(self, condition: str | None, good: bool) -> bool:
        if condition is None:
            return good
        if found := _EXPRESSION.fullmatch(condition.strip()):
            condition = found[1]
        status = {"success": good, "failure": not good, "always": True, "cancelled": False}
        if not _STATUS.search(condition) and not good:
            return False
        return bool(evaluate(condition, self._look_up, status.__getitem__))

    def _filled(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            given = evaluate(found[1], self._look_up)
            if isinstance(given, bool):
                return str(given).lower()
            return given or ""

        return _EXPRESSION.sub(value, text)

    def _look_up(self, name: str) -> Value:
        match name.split("."):
            case ["github", "token"]:
                return self.secrets["GITHUB_TOKEN"]
            case ["github", *path]:
                at: Any = self.github
                for part in path:
                    at = at.get(part) if isinstance(at, Mapping) else None
                return None if at is None else str(at)
            case ["vars", key]:
                return None if self.run.is_fork else self.hub.variables.get(key)
            case ["secrets", key]:
                return self.secrets.get(key)
            case ["steps", step, "outputs", key]:
                return self.steps.get(step, {}).get(key)
            case ["needs", job, "outputs", key]:
                return self.jobs[job].outputs.get(key)
        raise AssertionError(f"no such context: {name}")
