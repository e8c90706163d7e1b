"""The main job with the state in each kind of place, over the real command line."""

from __future__ import annotations

import signal
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.sandbox.serve import RunningSandbox
from tests.stub import azurite, postgres, s3, terraform_state

from .harness import Project, Ran
from .paused import COUNT, DEVICES, PROJECT, manifest, started, written

PLACES = ("file", "s3", "azure", "http", "gitlab", "postgres")


def place(kind: str, root: Path) -> tuple[str, Mapping[str, str]]:
    """Return the section `state` for a new place of a kind, and the variables that it needs."""
    name = str(uuid.uuid4())
    match kind:
        case "file":
            return f"{{backend: objectstore, url: {(root / 'shared').as_uri()}}}", {}
        case "s3":
            server = s3.server()
            url = f"s3://{server.bucket()}/team/prod"
            return f"{{backend: objectstore, url: {url}}}", server.environment
        case "azure":
            emulator = azurite.server()
            url = f"az://{emulator.container()}/team/prod"
            return f"{{backend: objectstore, url: {url}}}", emulator.environment
        case "http":
            address = f"{terraform_state.server().url}/states/{name}"
            return f"{{backend: http, address: {address}}}", {}
        case "gitlab":
            url = terraform_state.server().url
            address = f"{url}/api/v4/projects/1/terraform/state/{name}"
            settings = "address: '${ADDRESS}', username: gitlab-ci-token, password: '${TOKEN}'"
            variables = {"ADDRESS": address, "TOKEN": terraform_state.PASSWORD}
            return f"{{backend: http, {settings}}}", variables
        case _:
            running = postgres.server()
            variables = {"DSN": running.url(running.database())}
            return "{backend: postgres, url: '${DSN}', name: fleet}", variables


def checkout(root: Path, name: str, url: str, state: str, more: Mapping[str, str]) -> Project:
    (root / name).mkdir()
    project = Project(root / name, url, more)
    project.write("reconciler.yaml", PROJECT.replace("{path: state.db}", state))
    project.write("devices.yaml", manifest("night"))
    return project


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


@pytest.mark.parametrize("kind", PLACES)
def test_killed_here_and_gone_on_with_there(
    sandbox: RunningSandbox, tmp_path: Path, kind: str
) -> None:
    """Start, plan, apply, SIGKILL, go on on another machine: each device is written once, the
    record knows all of them, and no secret of the place was shown."""
    state, variables = place(kind, tmp_path)
    here = checkout(tmp_path, "here", sandbox.url, state, variables)
    there = checkout(tmp_path, "there", sandbox.url, state, variables)
    missing = here.run("plan")
    assert (missing.exit, "error[E601]" in missing.err) == (1, True), said(missing)
    begun = here.run("state", "init")
    assert (begun.exit, begun.out.startswith("Started a state at ")) == (0, True), said(begun)
    planned = here.run("plan", "-o", "plan.json")
    assert planned.exit == 0, said(planned)
    there.write("plan.json", (here.root / "plan.json").read_text())
    with started(here, "apply", "plan.json") as run:
        run.until(lambda: len(written(sandbox)) >= 5)
        run.signal(signal.SIGKILL)
        killed = run.ended()
    went_on = there.run("apply", "plan.json")

    assert went_on.exit == 0, said(went_on)
    assert f"Applied: {COUNT} calls" in went_on.out
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))
    listed = here.run("state", "list", "--format", "json").json()["devices"]
    assert list(DEVICES) == [device["id"] for device in listed]
    again = here.run("plan", "--detailed-exitcode")
    assert again.exit == 0, said(again)
    secrets = (terraform_state.PASSWORD, s3.SECRET_KEY, postgres.PASSWORD)
    for ran in (missing, begun, planned, killed, went_on, again):
        assert not [secret for secret in secrets if secret in ran.out + ran.err]


def test_read_only_eyes_are_enough_to_plan(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """A role that may only read plans as ever; an apply is refused before its first call."""
    running = postgres.server()
    database = running.database()
    state = "{backend: postgres, url: '${DSN}'}"
    owner = checkout(tmp_path, "owner", sandbox.url, state, {"DSN": running.url(database)})
    assert owner.run("state", "init").exit == 0
    reader = running.role()
    with running.inside(database) as connection:
        connection.execute(f"GRANT SELECT ON reconciler_state TO {reader}")  # type: ignore[call-overload]
    eyes = {"DSN": running.url(database, reader)}
    project = checkout(tmp_path, "reader", sandbox.url, state, eyes)
    planned = project.run("plan", "-o", "plan.json", "--detailed-exitcode")
    applied = project.run("apply", "plan.json")

    assert planned.exit == 2, said(planned)
    assert (applied.exit, "error[E609]" in applied.err) == (1, True), said(applied)
    assert [] == written(sandbox)
    owner.write("plan.json", (project.root / "plan.json").read_text())
    assert owner.run("apply", "plan.json").exit == 0
