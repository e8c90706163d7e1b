"""Import as a user meets it: files of what is there, an empty plan, and nothing overwritten."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.engine.holder import current_holder
from reconciler.platform.assumptions import PAGE_PUSH
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from reconciler.state.local import LocalState
from tests.worlds import changed, identity_values

from .harness import Project, Ran, Sandbox

PEOPLE = 300
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 3000, update: 3000, personalize: 3000, depersonalize: 3000, persons: 300}
  quotaShare: 1
applications:
  courier: {appCode: courier-app-code}
  shop: {appCode: shop-app-code}
manifests: [devices/*.yaml]
"""
IMPORT = ("import", "--application", "courier", "-o", "devices")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None)) as running:
        yield Sandbox(running.url)


@pytest.fixture
def project(tmp_path: Path, sandbox: Sandbox) -> Project:
    made = Project(tmp_path, sandbox.url)
    made.write("reconciler.yaml", PROJECT)
    return made


def ids(sandbox: Sandbox, application: str = "courier") -> list[str]:
    """Return the ids that live in an application, sorted."""
    world = sandbox.world()
    number = world["applications"][f"{application}-app-code"]
    return sorted(
        one["registrationId"] for one in world["registrations"] if one["applicationId"] == number
    )


def files(project: Project, folder: str = "devices") -> dict[str, str]:
    directory = project.root / folder
    if not directory.is_dir():
        return {}
    return {file.name: file.read_text("utf-8") for file in sorted(directory.iterdir())}


def declared(project: Project) -> int:
    """Return how many devices a plan finds, which must be as declared and adopted."""
    ran = project.run("plan", "--detailed-exitcode", "--format", "json")
    assert ran.exit == 0, ran.err
    summary = ran.json()["summary"]
    assert (0, 0, 0) == (summary["changed"], summary["adopt"], summary["gone"])
    assert summary["devices"] == summary["unchanged"]
    count = summary["devices"]
    assert isinstance(count, int)
    return count


def refused(ran: Ran, code: int, *texts: str) -> None:
    assert code == ran.exit, ran.err
    assert "" == ran.out
    for text in texts:
        assert text in ran.err


def test_what_is_there_is_declared_and_a_plan_is_empty(project: Project, sandbox: Sandbox) -> None:
    """All of it, adopted; nothing changed at the service, and no value of a person is told."""
    before = sandbox.world()
    ran = project.run(*IMPORT)
    count = len(ids(sandbox))

    assert 0 == ran.exit, ran.err
    assert f"devices/courier.yaml  {count} devices\n" == ran.out
    assert 1 == ran.err.count("The manifests hold identity values of people")
    assert before == sandbox.world()
    assert count == declared(project)
    assert "No changes." in project.run("plan").out
    [text] = files(project).values()
    _, mark, body = text.split("\n", 2)
    assert mark.endswith(hashlib.sha256(body.encode()).hexdigest())
    values = identity_values(before)
    assert any(value in text for value in values)
    assert [] == [value for value in values if value in ran.out + ran.err]


@pytest.mark.parametrize(
    "assume", [*({"page-push": pages} for pages in PAGE_PUSH.readings), {"anonymous-owner": "404"}]
)
def test_whatever_pages_show(tmp_path: Path, assume: dict[str, str]) -> None:
    """Fields that pages leave out are read one by one; what stands on no page is not found."""
    with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None, assume=assume)) as running:
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        ran = project.run(*IMPORT)
        everything = len(ids(Sandbox(running.url)))

        assert 0 == ran.exit, ran.err
        if "page-push" in assume:
            assert everything == declared(project)
        else:
            assert 0 < declared(project) < everything


def test_a_second_import_writes_nothing(project: Project, sandbox: Sandbox) -> None:
    """And what is new goes to a file beside the first, which stays as it is."""
    first, rest = ids(sandbox)[0], ids(sandbox)[1:]
    assert 0 == project.run(*IMPORT, "--match", first).exit
    before = files(project)
    again = project.run(*IMPORT, "--match", first)

    assert (0, "") == (again.exit, again.out), again.err
    assert "Left out: 1 device declared already." in again.err
    assert "Nothing to write" in again.err
    assert "identity values" not in again.err
    assert before == files(project)
    ran = project.run(*IMPORT, "--format", "json")
    assert 0 == ran.exit, ran.err
    [file] = ran.json()["files"]
    assert ("devices/courier-002.yaml", len(rest)) == (file["path"], file["devices"])
    assert before == {"courier.yaml": files(project)["courier.yaml"]}
    assert 1 + len(rest) == declared(project)


def test_what_is_not_ours_is_not_touched(project: Project) -> None:
    """A file of that name stops it before anything is read; one of ours that was edited since is
    left as it is."""
    mine = "apiVersion: reconciler/v1\nkind: Devices\napplication: shop\ndevices: {X: {}}\n"
    project.write("devices/courier.yaml", mine)
    refused(project.run(*IMPORT), 1, "exists and was not written by import")
    assert {"courier.yaml": mine} == files(project)

    (project.root / "devices" / "courier.yaml").unlink()
    assert 0 == project.run(*IMPORT, "--max", "3").exit
    edited = files(project)["courier.yaml"] + "# mine\n"
    project.write("devices/courier.yaml", edited)
    assert 0 == project.run(*IMPORT, "--max", "3").exit
    assert edited == files(project)["courier.yaml"]
    assert {"courier.yaml", "courier-002.yaml"} == files(project).keys()
    assert 6 == declared(project)


def test_a_directory_that_no_plan_would_see(project: Project) -> None:
    """Said before anything is read, with the line to add."""
    refused(
        project.run("import", "--application", "courier", "-o", "elsewhere"),
        1,
        "no glob under manifests matches elsewhere/courier.yaml",
        'Add "elsewhere/*.yaml"',
    )
    refused(
        project.run("import", "--application", "courier", "-o", ".."), 1, "outside of the project"
    )
    refused(
        project.run("import", "--application", "courier", "-o", "reconciler.yaml"),
        1,
        "is no directory",
    )
    assert not (project.root / "elsewhere").exists()


def test_an_application_that_is_not_there(project: Project) -> None:
    """A slip, one that the project does not have; or one in which nobody has anything."""
    refused(
        project.run("import", "--application", "curier", "-o", "devices"),
        64,
        "the project has no such application. Did you mean courier?",
    )
    refused(project.run("import", "-o", "devices"), 64, "--application")


def test_only_what_was_asked_for(project: Project, sandbox: Sandbox) -> None:
    """By owner, by value, by id, the first so many; each that is left out is counted."""
    world = sandbox.world()
    mine = set(ids(sandbox))
    anonymous = {
        one["id"]
        for one in world["people"]
        if not (one.get("externalId") or one.get("phoneNumbers") or one.get("emails"))
    }
    found = {one["registrationId"]: one for one in world["registrations"]}
    owned = [one for one in sorted(mine) if found[one].get("owner") not in {None, *anonymous}]
    zagreb = [one for one in owned if found[one].get("additionalData", {}).get("fleet") == "zagreb"]
    assert 0 < len(zagreb) < len(owned) < len(mine)
    ran = project.run(
        *(*IMPORT, "--only-owned", "--match", "fleet=zag*", "--max", "2", "--format", "json")
    )

    assert 0 == ran.exit, ran.err
    assert {
        "declared": 0,
        "unowned": len(mine) - len(owned),
        "unmatched": len(owned) - len(zagreb),
        "beyondMax": len(zagreb) - 2,
    } == ran.json()["leftOut"]
    assert 2 == declared(project)
    [text] = files(project).values()
    assert all(f"\n  {one}:\n" in text for one in zagreb[:2])
    ran = project.run(*IMPORT, "--match", "feet=zagreb")
    refused(ran, 64, "no registration has this key of additionalData. Did you mean fleet?")
    ran = project.run(*IMPORT, "--match", zagreb[2], "--match", zagreb[3])
    assert 0 == ran.exit, ran.err
    assert 4 == declared(project)


def test_files_are_split_by_size_and_the_same_each_time(
    project: Project, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Numbered in the order of ids; no file is larger than asked."""
    other = Project(tmp_path / "other", sandbox.url)
    other.root.mkdir()
    other.write("reconciler.yaml", PROJECT)
    for one in (project, other):
        ran = one.run(*IMPORT, "--max-file-size", "10KB")
        assert 0 == ran.exit, ran.err

    written = files(project)
    assert written == files(other)
    assert [f"courier-{number:03}.yaml" for number in range(1, len(written) + 1)] == list(written)
    assert 5 < len(written)
    assert all(len(text.encode()) <= 10 * 1024 for text in written.values())
    assert len(ids(sandbox)) == declared(project)
    refused(project.run(*IMPORT, "--max-file-size", "10"), 64, "between 1KB and 64MB")
    refused(project.run(*IMPORT, "--max-file-size", "ten"), 64, "is no size")


def test_somebody_else_has_the_lease(project: Project) -> None:
    """Nothing is written; the state knows nothing of the devices."""
    # It starts the state, and refuses a glob that matches nothing.
    assert 4 == project.run("plan").exit
    state = LocalState.open(project.root / ".reconciler" / "state.db", create=False)
    with state, state.lease(current_holder({})):
        refused(project.run(*IMPORT), 5, "Nothing was done")
        refused(project.run(*IMPORT, "--lock-timeout", "1s"), 5, "Waiting for the lock")
    assert {} == files(project)
    assert "" == project.run("state", "list").out


def test_manifests_that_are_there_and_contradict(project: Project, sandbox: Sandbox) -> None:
    """A person of another manifest who shares a value: told by its place, nothing is written."""
    world = sandbox.world()
    names = sorted(one["externalId"] for one in world["people"] if one.get("externalId"))
    people = "".join(
        f"  somebody{number}: {{externalId: {name}, email: nobody{number}@example.com}}\n"
        for number, name in enumerate(names)
    )
    project.write(
        "devices/mine.yaml",
        "apiVersion: reconciler/v1\nkind: Devices\napplication: shop\n"
        f"people:\n{people}devices: {{X: {{}}}}\n",
    )
    before = files(project)
    ran = project.run(*IMPORT, "--max", "5", "--only-owned")

    refused(ran, 1, "devices/mine.yaml:", "E210", "nothing was written")
    assert before == files(project)
    assert [] == [value for value in identity_values(world) if value in ran.err]


def odd(world: dict[str, Any], mine: list[str]) -> dict[str, Any]:
    """Give a few devices what is hard to write, or cannot be declared."""
    data = {"a: b": "null", "<<": "0123", "yes": "on\nfour\n\u2028lines", "n": 2**53, "x": 1e-7}
    return changed(
        world,
        [
            {"registrationId": mine[0], "additionalData": data},
            {"registrationId": mine[1], "additionalData": {"long": "x" * 5000}},
        ],
    )


def test_what_is_hard_to_write(project: Project, sandbox: Sandbox) -> None:
    """Odd keys and values are declared; what cannot be is left out, by device and field."""
    world = sandbox.world()
    mine = ids(sandbox)
    sandbox.put_world(odd(world, mine))
    try:
        ran = project.run(*IMPORT, "--max", "20")
        assert 0 == ran.exit, ran.err
        assert f"{mine[1]} additionalData.long: left out: a manifest's texts" in ran.err
        assert "xxxx" not in ran.err
        assert 20 == declared(project)
    finally:
        sandbox.put_world(world)


def test_people_who_come_and_go(tmp_path: Path) -> None:
    """What was found is written, with a warning; it is as declared all the same."""
    options = SandboxOptions(people=3_500, limits=None, faults=("persons:appear@100%",))
    with RunningSandbox(options) as running:
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        ran = project.run(*IMPORT, "--format", "json")

        assert 0 == ran.exit, ran.err
        assert ran.json()["steady"] is False
        assert "People came and went" in ran.err
        running.clear_faults()
        assert 1_000 < declared(project)


def test_from_another_directory(tmp_path: Path, sandbox: Sandbox) -> None:
    """-o is relative to -C; what is printed leads to the files from where the caller stands."""
    project = Project(tmp_path, sandbox.url)
    project.write("fleet/reconciler.yaml", PROJECT)
    ran = project.run("-C", "fleet", *IMPORT, "--max", "1")

    assert (0, "fleet/devices/courier.yaml  1 device\n") == (ran.exit, ran.out), ran.err
    assert 0 == project.run("-C", "fleet", "plan", "--detailed-exitcode").exit


def test_a_wrong_application_code(project: Project) -> None:
    """Said by the service, with the name that it has here."""
    project.write("reconciler.yaml", PROJECT.replace("courier-app-code", "wrong-code"))
    refused(project.run(*IMPORT), 1, "courier", "application codes")
    assert {} == files(project)


def test_an_end_before_it_is_read(project: Project, sandbox: Sandbox) -> None:
    """With --timeout nothing is written."""
    with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None, latency=3.0)) as running:
        slow = Project(project.root, running.url)
        refused(slow.run(*IMPORT, "--timeout", "1s"), 1, "Nothing was changed")
    assert {} == files(project)


def test_json_on_stdout_and_stderr(project: Project, sandbox: Sandbox) -> None:
    """One document, and lines that are objects."""
    ran = project.run("--log-format", "json", *IMPORT, "--format", "json")

    assert 0 == ran.exit, ran.err
    document = ran.json()
    assert ("courier", True, []) == (
        document["application"],
        document["steady"],
        document["undeclared"],
    )
    assert [json.loads(line)["level"] for line in ran.err.splitlines()]


def test_the_record_cannot_be_written(project: Project) -> None:
    """After the files it is said what is true: they are there, and an apply adopts."""
    assert 4 == project.run("plan").exit
    script = (
        "import sys\n"
        "from reconciler.cli.main import outcome\n"
        "from reconciler.core import codes\n"
        "from reconciler.core.diagnostics import Diagnostic\n"
        "from reconciler.core.failures import StateError\n"
        "from reconciler.state.local import LocalState\n"
        "class Broken:\n"
        "    def write(self, *_):\n"
        "        raise StateError(Diagnostic(codes.LEASE_LOST, codes.LEASE_LOST.title))\n"
        "LocalState.records_under = lambda self, lock: Broken()\n"
        "sys.exit(int(outcome(sys.argv[1:])))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *IMPORT],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert 3 == ran.returncode, ran.stderr
    assert "The files are written, the state is not: The lock was lost." in ran.stderr
    assert ["courier.yaml"] == list(files(project))
    assert 0 == project.run("apply", "--yes").exit
    assert 0 < declared(project)


def test_a_browser_is_imported_with_its_owner_and_without_a_flag(
    project: Project, sandbox: Sandbox
) -> None:
    """It stands under webpush on its person, and a plan right after is empty."""
    phone, *others = ids(sandbox)
    browser = {"isPrimary": False, "systemData": {"cloudType": "WEB"}}
    patches = [{"registrationId": id_, **browser} for id_ in others]
    sandbox.put_world(changed(sandbox.world(), patches))
    assert 0 == project.run(*IMPORT).exit
    [text] = files(project).values()
    entries = yaml.safe_load(text)["devices"]

    assert {phone, *others} == entries.keys()
    assert "isPrimary" in entries[phone]
    owned = [entry for id_, entry in entries.items() if id_ in others and "owner" in entry]
    assert owned
    assert [entry for entry in owned if "isPrimary" in entry] == []
    assert "No changes." in project.run("plan").out
    assert "No changes." in project.run("plan", "--read", "points").out


def test_without_an_application_those_there_are_are_listed(
    project: Project, sandbox: Sandbox
) -> None:
    """By the project's name and the service's, with how much lives there; no code is shown."""
    world = sandbox.world()
    codes = {**world["applications"], "unknown-app-code": "C0DE0000000000000000000000000009"}
    sandbox.put_world({**world, "applications": codes})
    ran = project.run("import")
    couriers, tills = len(ids(sandbox)), len(ids(sandbox, "shop"))

    assert 0 == ran.exit, ran.err
    assert [
        f"courier  Application 1  {couriers} registrations",
        f"shop     Application 2  {tills} registrations",
        "-        Application 3  0 registrations",
    ] == ran.out.splitlines()
    assert "1 application of the account not in the project file" in ran.err
    assert [] == [code for code in codes if code in ran.out + ran.err]
    assert {} == files(project)
    rows = project.run("import", "--format", "json").json()["applications"]
    assert [
        ("courier", "Application 1", couriers),
        ("shop", "Application 2", tills),
        (None, "Application 3", 0),
    ] == [(row["application"], row["name"], row["registrationsCount"]) for row in rows]


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (("-o", "devices"), "--application"),
        (("--only-owned",), "--application"),
        (("--max", "3"), "--application"),
        (("--application", "courier"), "--out"),
    ],
)
def test_half_of_an_import_is_wrong_usage(
    project: Project, arguments: tuple[str, ...], missing: str
) -> None:
    """Whoever forgot the application is not answered with a list."""
    ran = project.run("import", *arguments)

    assert (64, "") == (ran.exit, ran.out)
    assert "Missing option" in ran.err
    assert missing in ran.err


def test_an_import_says_how_complete_it_was(tmp_path: Path) -> None:
    """By what the service counts; what stands on no page is missing, and that is said."""
    for assume, expected in (
        ({}, "Complete: the service counts "),
        ({"anonymous-owner": "404"}, " registrations of courier, and "),
    ):
        with RunningSandbox(SandboxOptions(people=PEOPLE, limits=None, assume=assume)) as running:
            project = Project(tmp_path / str(len(assume)), running.url)
            project.write("reconciler.yaml", PROJECT)
            ran = project.run(*IMPORT, "--format", "json")
            counted = len(ids(Sandbox(running.url)))

        assert 0 == ran.exit, ran.err
        assert expected in ran.err
        told = ran.json()["registrations"]
        assert counted == told["counted"]
        assert (told["found"] == counted) is (not assume)


def test_a_key_that_may_not_list_applications_imports_as_before(tmp_path: Path) -> None:
    """One point read links code and id then; how much there is to find is not told."""
    options = SandboxOptions(people=PEOPLE, limits=None, faults=("applications:403",))
    with RunningSandbox(options) as running:
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        listed = project.run("import")
        ran = project.run(*IMPORT, "--format", "json")
        everything = len(ids(Sandbox(running.url)))

    assert (0, ["courier  -", "shop     -"]) == (listed.exit, listed.out.splitlines()), listed.err
    assert "403" in listed.err
    assert 0 == ran.exit, ran.err
    assert {"found": everything, "counted": None} == ran.json()["registrations"]
