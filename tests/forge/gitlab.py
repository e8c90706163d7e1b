"""GitLab, as a pipeline sees it: rules, jobs in their stages, variables, manual jobs.

Plays the .gitlab-ci.yml of a repository: each `script:` in bash, with the variables that the ref
and the environment of the job give it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.stub.terraform_state import PASSWORD

from .conditions import evaluate
from .repository import Repository, git
from .runner import Job, Played, bash, programs, surroundings
from .server import ELSEWHERE, TOKEN, Forge, Request, Run

_KEYWORDS: Final = frozenset({"variables", "workflow", "stages", "default"})
_VARIABLE: Final = re.compile(r"\$(\w+)|\$\{(\w+)\}")


@dataclass(slots=True)
class GitLab:
    """The forge, with variables as its settings hold them; a fork has none of them."""

    directory: Path
    forge: Forge
    repository: Repository
    variables: Mapping[str, str]
    # Protected, of the environment `production`.
    protected: Mapping[str, str]
    _bin: Path | None = None

    def request(self, branch: str, *, is_fork: bool = False) -> int:
        """Open a merge request of a branch."""
        number = self.forge.next_number()
        head = git(self.repository.clone, "rev-parse", branch)
        self.forge.requests[number] = Request(number, head, is_fork)
        return number

    def pushed(self, number: int, branch: str) -> Played:
        """Play what a push to the branch of a merge request starts; of a fork, in the fork."""
        request = self.forge.requests[number]
        request.head = git(self.repository.clone, "rev-parse", branch)
        source = ELSEWHERE if request.is_fork else self.forge.project
        given = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PROJECT_ID": str(source),
            "CI_MERGE_REQUEST_IID": str(number),
            "CI_MERGE_REQUEST_PROJECT_ID": str(self.forge.project),
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(source),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        }
        run = Run(self.forge.next_number(), "", request.head, number, is_fork=request.is_fork)
        return self._play(run, given, approved=False)

    def merge(self, number: int) -> str:
        """Merge by squashing; return what main was before."""
        before = self.repository.main()
        request = self.forge.requests[number]
        request.merged_as = self.repository.squash(request.head)
        return before

    def after_push(self, before: str, *, approved: bool = True) -> Played:
        """Play what a push to main starts; `approved`: somebody starts the manual jobs."""
        return self._on_main("push", approved=approved, CI_COMMIT_BEFORE_SHA=before)

    def by_hand(self, *, approved: bool = True) -> Played:
        """Play a pipeline that somebody starts by hand."""
        return self._on_main("web", approved=approved)

    def nightly(self) -> Played:
        """Play what the schedule starts."""
        return self._on_main("schedule", approved=False)

    def _on_main(self, source: str, *, approved: bool, **more: str) -> Played:
        given = {
            "CI_PIPELINE_SOURCE": source,
            "CI_PROJECT_ID": str(self.forge.project),
            "CI_COMMIT_BRANCH": "main",
            **more,
        }
        run = Run(self.forge.next_number(), "", self.repository.main())
        return self._play(run, given, approved=approved)

    def _play(self, run: Run, given: Mapping[str, str], *, approved: bool) -> Played:
        file = yaml.safe_load(git(self.repository.bare, "show", f"{run.head}:.gitlab-ci.yml"))
        given = {
            "GITLAB_CI": "true",
            "CI_COMMIT_SHA": run.head,
            "CI_DEFAULT_BRANCH": "main",
            "CI_API_V4_URL": f"{self.forge.url}/api/v4",
            "CI_JOB_URL": f"https://gitlab.example/-/jobs/{run.number}",
            "CI_JOB_TOKEN": PASSWORD,
            "RECONCILER_GITLAB_TOKEN": "" if run.is_fork else TOKEN,
            **({} if run.is_fork else self.variables),
            **given,
        }
        self.forge.runs[run.number] = run
        assert any(_matches(rule, given) for rule in file["workflow"]["rules"]), "no pipeline"
        named = {name: job for name, job in file.items() if name not in _KEYWORDS}
        jobs: dict[str, Job] = {}
        for stage in file["stages"]:
            for name, definition in named.items():
                if definition["stage"] == stage and (rule := _first(definition["rules"], given)):
                    playing = _Playing(self, run, file, given, jobs)
                    by_hand = rule.get("when") == "manual"
                    jobs[name] = playing.job(name, definition, is_held=by_hand and not approved)
                    run.jobs[name] = jobs[name].outcome
        assert {job["stage"] for job in named.values()} <= set(file["stages"])
        bad = any(job.outcome != "success" for job in jobs.values())
        run.outcome = "failure" if bad else "success"
        return Played(run.number, jobs)

    def bin(self) -> Path:
        """Return the programs of the runner; curl is the machine's."""
        if self._bin is None:
            self._bin = programs(self.directory / "bin")
        return self._bin


@dataclass(slots=True)
class _Playing:
    """One job at work."""

    lab: GitLab
    run: Run
    file: Mapping[str, Any]
    given: Mapping[str, str]
    jobs: Mapping[str, Job]
    stages: list[str] = field(default_factory=list)

    def job(self, name: str, definition: Mapping[str, Any], *, is_held: bool) -> Job:
        job = Job(name)
        if any(self.jobs[one].outcome != "success" for one in self._before(definition)):
            job.outcome = "skipped"
        elif is_held:
            job.outcome = "waiting"
        else:
            self._script(job, definition)
        return job

    def _before(self, definition: Mapping[str, Any]) -> list[str]:
        """Return the jobs that must have succeeded."""
        if "needs" not in definition:
            return list(self.jobs)
        needs = [one["job"] for one in definition["needs"] if one["job"] in self.jobs]
        optional = all(one["optional"] for one in definition["needs"])
        assert optional or len(needs) == len(definition["needs"])
        return needs

    def _script(self, job: Job, definition: Mapping[str, Any]) -> None:
        directory = self.lab.directory / f"pipeline-{self.run.number}" / job.name
        environment = self._environment(definition)
        depth = int(environment.get("GIT_DEPTH", "20"))
        directory.mkdir(parents=True)
        self._check_out(directory, depth)
        for one in self._before(definition):
            for name, data in self.run.artifacts.get(one, {}).items():
                (directory / name).write_bytes(data)
        lines = [*self.file["default"]["before_script"], *definition["script"]]
        job.environments.append(environment)
        code, job.log = bash("\n".join(lines), directory, environment, ("-eo", "pipefail"))
        if code:
            job.outcome = "failure"
            job.log += f"ERROR: Job failed: exit code {code}\n"
        kept = definition.get("artifacts", {"paths": []})
        if not code or kept.get("when") == "always":
            paths = [directory / path for path in kept["paths"]]
            found = {path.name: path.read_bytes() for path in paths if path.exists()}
            self.run.artifacts[job.name] = found
        if not code:
            assert len(kept["paths"]) == len(self.run.artifacts.get(job.name, {}))

    def _check_out(self, directory: Path, depth: int) -> None:
        """Check out as GitLab does: the commit and its history, and no other branch."""
        git(directory, "init", "--quiet")
        git(directory, "remote", "add", "origin", self.lab.repository.bare.as_uri())
        limit = ("--depth", str(depth)) if depth else ()
        git(directory, "fetch", "--quiet", *limit, "origin", self.run.head)
        git(directory, "checkout", "--quiet", "--detach", self.run.head)

    def _environment(self, definition: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables: the file's, the job's, and above both those of the settings."""
        lab = self.lab
        settings = dict(self.given)
        on_main = settings.get("CI_COMMIT_BRANCH") == "main"
        if definition.get("environment") == "production" and on_main:
            settings |= lab.protected
        known = {**self.file["variables"], **definition.get("variables", {}), **settings}

        def filled(text: str) -> str:
            return _VARIABLE.sub(lambda found: known.get(found[1] or found[2], ""), text)

        return {
            **surroundings(lab.bin(), lab.directory / "home"),
            **{name: filled(str(value)) for name, value in known.items()},
        }


def _first(rules: list[Mapping[str, Any]], given: Mapping[str, str]) -> Mapping[str, Any] | None:
    return next((rule for rule in rules if _matches(rule, given)), None)


def _matches(rule: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    return bool(evaluate(rule["if"], lambda name: given.get(name.removeprefix("$"))))
