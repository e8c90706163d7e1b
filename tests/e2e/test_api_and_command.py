"""What the API gives and what the command line says cannot differ: every scenario, both ways."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

import reconciler
from reconciler.cli.exit_codes import apply_exit_code, plan_exit_code
from reconciler.platform.operations import Operation
from reconciler.render.report import encode
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.scenarios.test_scenarios import SCENARIOS, said
from tests.worlds import canonical, changed

from .harness import ROOT, Project, Sandbox

# Of this very run: everything else of two plans of one state is the same to the byte.
OF_THE_RUN: Final = frozenset({"id", "createdAt", "seal", "forecast"})


def lasting(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan document without what is of its run."""
    lasting = {key: value for key, value in document.items() if key not in OF_THE_RUN}
    lasting["summary"] = {**document["summary"], "forecastSeconds": 0}
    return lasting


def rows(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report without the plan's id and the time that it took."""
    return {key: value for key, value in report.items() if key not in {"plan", "seconds"}}


def unlimit(file: Path) -> None:
    """Let a project call as fast as the machine can: pace is not what is compared."""
    limits = ", ".join(f"{name}: 1000" for name in Operation)
    text = file.read_text("utf-8")
    assert text.count("\napi:\n") == 1
    file.write_text(text.replace("\napi:\n", f"\napi:\n  limits: {{{limits}}}\n"), "utf-8")


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_plan_report_and_exit_code_are_the_same(folder: Path, tmp_path: Path) -> None:
    """One world and one state, twice: by `reconciler plan` and `apply`, and by the API."""
    scenario = json.loads((folder / "scenario.json").read_text("utf-8"))
    options = SandboxOptions(assume=scenario.get("assume", {}), limits=None)
    with RunningSandbox(options) as running:
        sandbox, project = Sandbox(running.url), Project(tmp_path / "project", running.url)
        project.root.mkdir()
        sandbox.put_world(json.loads((folder / "world.json").read_text("utf-8")))
        project.copy(folder)
        unlimit(project.root / "reconciler.yaml")
        if (folder / "before").is_dir():
            project.copy(folder / "before", "devices")
            assert project.run("apply", "--yes").exit == 0
            sandbox.put_world(changed(sandbox.world(), scenario.get("meanwhile", ())))
        project.copy(folder / "devices", "devices")
        environ = project.environment()
        # The state is begun by the first plan, and both have to have one key.
        project.run("plan")
        world, kept = sandbox.world(), tmp_path / "kept"
        shutil.copytree(project.root, kept)

        planned = project.run("plan", "--detailed-exitcode", "-o", "plan.json")
        document = json.loads((project.root / "plan.json").read_text("utf-8"))
        applied = project.run("apply", "plan.json", "--format", "json")
        command_world = sandbox.world()

        sandbox.put_world(world)
        shutil.rmtree(project.root)
        shutil.copytree(kept, project.root)
        opened = reconciler.open(project.root, environ=environ)
        plan = opened.plan()
        assert lasting(json.loads(plan.to_json())) == lasting(document), said(planned)
        assert plan_exit_code(plan, detailed=True) == planned.exit
        report, message = None, ""
        try:
            report = opened.apply(reconciler.Plan.from_json(plan.to_json()))
        except reconciler.Refused as refused:
            message = str(refused)
        if report is None:
            assert (applied.exit, message in applied.err) == (4, True), said(applied)
        else:
            assert rows(json.loads(encode(report))) == rows(applied.json()), said(applied)
            assert apply_exit_code(plan, report) == applied.exit
        assert canonical(sandbox.world()) == canonical(command_world)


PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api: {baseUrl: "${INFOBIP_BASE_URL}", auth: {apiKey: "${INFOBIP_API_KEY}"}, limits: {update: 25}}
applications: {courier: {appCode: "${COURIER_APP_CODE}"}}
manifests: [devices.yaml]
"""


@pytest.fixture
def service() -> Iterator[RunningSandbox]:
    with reconciler.sandbox(people=40) as running:
        yield running


def fleet(directory: Path, service: RunningSandbox, count: int, key: str) -> reconciler.Project:
    """Return a project that declares one key of so many devices."""
    directory.mkdir()
    ids = sorted(
        id_
        for id_, registration in service.world().registrations.items()
        if registration.application_id.endswith("1")
    )[:count]
    (directory / "reconciler.yaml").write_text(PROJECT, "utf-8")
    (directory / "devices.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
        f"defaults: {{additionalData: {{{key}: true}}}}\ndevices:\n"
        + "".join(f"  {id_}: {{}}\n" for id_ in ids),
        "utf-8",
    )
    return reconciler.open(directory, environ=service.environ)


def test_two_at_once_and_one_cancelled_in_the_middle(
    tmp_path: Path, service: RunningSandbox
) -> None:
    """The cancelled one ends in order: what it sent is noted, its lock is free, and it goes on."""
    long, short = (
        fleet(tmp_path / "long", service, 40, "long"),
        fleet(tmp_path / "short", service, 5, "short"),
    )
    plan = long.plan()

    async def both() -> reconciler.Report:
        started = asyncio.Event()
        loop = asyncio.get_running_loop()

        def listen(event: object) -> None:
            if isinstance(event, reconciler.Progress) and event.work == "update" and event.done > 3:
                loop.call_soon_threadsafe(started.set)

        cancelled = asyncio.create_task(long.aapply(plan, on_event=listen))
        other = asyncio.create_task(short.aapply(await short.aplan()))
        await started.wait()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        return await other

    report = asyncio.run(both())
    written = sum(call.done for call in service.calls() if call.operation == "update")

    assert report.complete
    assert report.counts == {reconciler.Outcome.APPLIED: 5}
    assert 5 + 3 < written < 45
    rest = long.apply(plan)
    assert rest.complete, rest
    assert long.plan().calls == short.plan().calls == ()
    updates = sum(call.done for call in service.calls() if call.operation == "update")
    assert updates == 45, "nothing was sent twice"


def test_whoever_is_asked_may_say_no(tmp_path: Path, service: RunningSandbox) -> None:
    """Nothing is sent then, and the lock is free again."""
    project = fleet(tmp_path / "fleet", service, 3, "asked")
    shown: list[reconciler.Plan] = []

    def confirm(plan: reconciler.Plan) -> bool:
        shown.append(plan)
        return False

    with pytest.raises(reconciler.NotConfirmed):
        project.apply(confirm=confirm)

    assert len(shown[0].calls) == 3
    assert not [call for call in service.calls() if call.operation == "update"]
    assert project.apply(confirm=lambda _: True).complete


def test_each_ending_is_an_error_of_its_own(tmp_path: Path, service: RunningSandbox) -> None:
    """Of the tree that is promised, and each says what went wrong."""
    project = fleet(tmp_path / "fleet", service, 3, "ending")
    with pytest.raises(reconciler.ProjectNotFound):
        reconciler.open(tmp_path)
    (tmp_path / "fleet" / "devices.yaml").write_text("kind: Devices\nkind: Devices\n", "utf-8")
    with pytest.raises(reconciler.InvalidProject) as invalid:
        reconciler.open(tmp_path / "fleet")
    assert {(one.source.line, one.source.column) for one in invalid.value.diagnostics if one.source}
    with pytest.raises(reconciler.InvalidSettings):
        reconciler.Project(project.files, {}).plan()
    with pytest.raises(reconciler.UnknownName):
        project.plan(reconciler.Selection(targets=["nobody"]))
    with pytest.raises(reconciler.StateMissing):
        fleet(tmp_path / "new", service, 1, "new").drift()
    with pytest.raises(reconciler.TimedOut):
        project.plan(timeout=1e-9)
    unusable = {**service.environ, "INFOBIP_API_KEY": "not ASCII: \u20ac"}
    with pytest.raises(reconciler.InvalidCredentials):
        reconciler.Project(project.files, unusable).plan()
    unknown = {**service.environ, "COURIER_APP_CODE": "no-such"}
    with pytest.raises(reconciler.ServiceError):
        reconciler.Project(project.files, unknown).plan()
    with project.prepare_apply(), pytest.raises(reconciler.StateLocked):
        project.apply()
    plan = project.plan()
    with pytest.raises(reconciler.Refused):
        fleet(tmp_path / "other", service, 2, "other").apply(plan)


def test_the_example_is_a_page_long() -> None:
    """Its own tests, beside it, are run with these."""
    example = ROOT / "examples" / "embedded" / "release.py"

    assert len(example.read_text("utf-8").splitlines()) <= 60
