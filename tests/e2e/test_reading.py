"""Reading as a user meets it: over HTTP, by points and by pages, also when the pages misbehave."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.identity import IdentityKind
from reconciler.platform.assumptions import PAGE_PUSH, PAGES_WITHOUT_FLAGS
from reconciler.sandbox.fleet import fleet
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

from .harness import Project, Ran, Sandbox

PEOPLE = 2_300
DEVICES = 60
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 60, update: 3000, personalize: 3000, depersonalize: 3000, persons: 30}
  quotaShare: 1
applications:
  courier: {appCode: courier-app-code}
  shop: {appCode: shop-app-code}
manifests: [devices/*.yaml]
"""


def manifest() -> str:
    """Declare devices from all over the world as they are, but for one flag and one owner; one
    that is not there, and one of the other application."""
    world = fleet(PEOPLE)
    lines = ["apiVersion: reconciler/v1", "kind: Devices", "application: courier", "devices:"]
    ids = [one for number, one in enumerate(world.registrations) if number % 50 == 7]
    mine = world.applications["courier-app-code"]
    chosen = [one for one in ids if world.registrations[one].application_id == mine][:DEVICES]
    other = next(one for one in ids if world.registrations[one].application_id != mine)
    for number, id_ in enumerate([*chosen, other, "00000000-0000-4000-A000-000000000000"]):
        registration = world.registrations.get(id_)
        lines.append(f"  {id_}:")
        if registration is None:
            lines.append("    isPrimary: true")
            continue
        person = world.owner(registration)
        texts = [] if person is None else person.texts(IdentityKind.EXTERNAL_ID)
        owner = f"{{externalId: {texts[0]}}}" if texts else "null"
        lines.append(f"    owner: {'null' if number == 3 else owner}")
        lines.append(f"    isPrimary: {str(registration.is_primary).lower()}")
        enabled = registration.registration_enabled
        lines.append(f"    registrationEnabled: {str(enabled != (number == 5)).lower()}")
        lines += ["    additionalData:", "      fleet: zagreb"]
    return "\n".join(lines) + "\n"


MANIFEST = manifest()


def project_at(root: Path, url: str) -> Project:
    project = Project(root, url)
    project.write("reconciler.yaml", PROJECT)
    project.write("devices/all.yaml", MANIFEST)
    return project


def planned(ran: Ran) -> tuple[Any, Any]:
    """What a plan would do, and how it read; nothing of when and how long."""
    document = ran.json()
    same = ("changes", "calls", "errors", "warnings", "drift", "refusals")
    return {name: document[name] for name in same}, document["reads"]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Where a plan was made by point reads from a service that behaves, and that plan."""
    with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None)) as running:
        project = project_at(tmp_path_factory.mktemp("quiet"), running.url)
        plan, _ = planned(project.run("plan", "--format", "json", "--read", "points"))
        return project.root, plan


@pytest.mark.parametrize(
    "assume",
    [*({"page-push": pages} for pages in PAGE_PUSH.readings), {"anonymous-owner": "404"}],
    ids=[*PAGE_PUSH.readings, "anonymous nowhere"],
)
def test_every_way_of_reading_makes_the_same_plan(tmp_path: Path, assume: dict[str, str]) -> None:
    """Byte for byte, but for what it says of its reads."""
    plans = {}
    with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None, assume=assume)) as running:
        project = project_at(tmp_path, running.url)
        for choice in ("points", "sweep", "auto"):
            ran = project.run("plan", "--format", "json", "--read", choice)
            # One device stands in the other application, which is an error of the plan.
            assert ran.exit == 1, ran.err
            plans[choice] = planned(ran)
            assert ("Reading" in ran.err) is (choice != "points")
        calls = Counter(call["operation"] for call in Sandbox(running.url).calls()["calls"])
    assert plans["points"][0] == plans["sweep"][0] == plans["auto"][0]
    reads = plans["sweep"][1]
    assert PEOPLE - (92 if assume.get("anonymous-owner") else 0) == reads["people"]
    assert "points" == plans["points"][1]["strategy"]
    is_bare = assume.get("page-push") in PAGES_WITHOUT_FLAGS
    wanted = "sweep+points" if is_bare else "sweep"
    # Bare pages save no registration a read; their owners are matched meanwhile.
    chosen = "points" if is_bare else wanted
    assert (wanted, chosen) == (reads["strategy"], plans["auto"][1]["strategy"])
    total = sum(sum(reads["calls"].values()) for _, reads in plans.values())
    # The list of applications shows nothing that lives.
    del calls["applications"]
    assert total == sum(calls.values())


@pytest.mark.parametrize(
    "fault",
    [
        "persons:appear@30%",
        "persons:vanish@30%",
        "persons:503@15%",
        "persons:429@20%,retry-after=0",
        "persons:reset@20%",
        "reads:garbage@20%",
    ],
)
def test_pages_that_misbehave_change_nothing(tmp_path: Path, fault: str, quiet: Any) -> None:
    """People come and go, answers are lost or torn: the plan is the same."""
    root, plan = quiet
    # Digests are made with the key of the state.
    shutil.copytree(root / ".reconciler", tmp_path / ".reconciler")
    options = SandboxOptions(people=PEOPLE, limits=None, faults=(fault,), fault_seed=11)
    with RunningSandbox(options) as running:
        project = project_at(tmp_path, running.url)
        ran = project.run("plan", "--format", "json", "--read", "sweep")
    assert ran.exit == 1, ran.err
    assert plan == planned(ran)[0]


def test_a_page_that_never_comes_ends_the_plan_with_what_went_wrong(tmp_path: Path) -> None:
    """Nothing is planned from half of the people."""
    options = SandboxOptions(people=PEOPLE, limits=None, faults=("persons:403@#3",))
    with RunningSandbox(options) as running:
        ran = project_at(tmp_path, running.url).run("plan", "--read", "sweep")
    assert (1, "") == (ran.exit, ran.out)
    assert "GET /people/2/persons answered 403" in ran.err


def test_the_plan_says_how_it_was_read(tmp_path: Path) -> None:
    """In one line on stderr, nothing with --quiet, and as JSON where that is wished."""
    with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None)) as running:
        project = project_at(tmp_path, running.url)
        loud = project.run("plan")
        quiet = project.run("--quiet", "plan")
        logged = project.run("--log-format", "json", "plan")
    line = "Reading the pages of 2,300 people, about 1 s; by point it would take"
    assert 1 == loud.err.count(line)
    assert "Reading" not in quiet.err
    told = [json.loads(text) for text in logged.err.splitlines()]
    (reading,) = (one for one in told if one.get("event") == "reading")
    assert ("sweep", PEOPLE) == (reading["strategy"], reading["people"])
