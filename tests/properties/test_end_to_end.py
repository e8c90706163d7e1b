"""What must hold for every world, every manifest and every reading of what nobody knows.

The real command line, the real client, real HTTP, and a sandbox without limits.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from reconciler.platform.operations import Operation
from reconciler.sandbox.calls import LoggedCall, overlapping_writes
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.e2e.harness import Project, Ran, Sandbox

from .command import command
from .fleets import CODES, PROJECT, Declared, Fleet, drifts, fleets, readings, values_of, worlds
from .verdict import broken

Json = dict[str, Any]


class Sandboxes:
    """Sandboxes by the readings in force, each started when first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[tuple[tuple[str, str], ...], RunningSandbox] = {}

    def under(self, assume: dict[str, str]) -> RunningSandbox:
        key = tuple(sorted(assume.items()))
        if key not in self._running:
            # Without latency two calls in flight at once would hardly ever be seen to overlap.
            options = SandboxOptions(assume=assume, limits=None, latency=0.004)
            self._running[key] = self._stack.enter_context(RunningSandbox(options))
        return self._running[key]


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    with ExitStack() as stack:
        yield Sandboxes(stack)


def write(root: Path, fleet: Fleet, more: str = "") -> None:
    """Write the project, with more settings, and a fleet's manifests in place of the old."""
    (root / "devices").mkdir(exist_ok=True)
    for old in (root / "devices").iterdir():
        old.unlink()
    (root / "reconciler.yaml").write_text(PROJECT + more, "utf-8")
    for path, text in fleet.files().items():
        (root / path).write_text(text, "utf-8")


def say(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


def leaks(texts: list[str], world: Json, fleet: Fleet) -> list[str]:
    """Return what an output shows and must not."""
    whole = "\n".join(texts)
    return sorted({value for value in values_of(world, fleet) if value in whole})


def apply_and_judge(
    root: Path, running: RunningSandbox, world: Json, fleet: Fleet, more: str = ""
) -> Json:
    """Plan, apply, plan again; hold all of it against the promises; return the world after."""
    sandbox = Sandbox(running.url)
    write(root, fleet, more)
    if not fleet.devices:
        return world
    shown = command(root, running.url, "plan", "--detailed-exitcode", "-o", "plan.json")
    assert shown.exit in (0, 2), say(shown)
    document = (root / "plan.json").read_text("utf-8")
    plan = json.loads(document)
    note(document)
    assert sandbox.world() == world, "a plan wrote"
    assert (shown.exit == 2) is bool(plan["calls"] or plan_releases(plan)), say(shown)

    running.forget_calls()
    applied = command(root, running.url, "apply", "plan.json", "--yes")
    assert applied.exit == 0, say(applied)
    after = sandbox.world()
    assert broken(world, after, fleet, plan) == [], say(applied)
    assert overlapping_writes(person_writes(running, plan)) == []
    writes = [(call.operation, call.path) for call in running.calls() if call.is_write]
    assert len(writes) == len(set(writes)) == len(plan["calls"]), say(applied)

    again = command(root, running.url, "plan", "--detailed-exitcode", "--format", "json")
    assert again.exit == 0, say(again)
    assert again.json()["changes"] == []
    assert again.json()["drift"] == []
    markdown = command(root, running.url, "show", "plan.json", "--format", "markdown")
    assert markdown.exit == 0, say(markdown)

    outputs = [
        document,
        *(text for ran in (shown, applied, again, markdown) for text in (ran.out, ran.err)),
    ]
    outputs += [file.read_bytes().decode("latin-1") for file in (root / ".reconciler").iterdir()]
    assert leaks(outputs, world, fleet) == []
    return after


def person_writes(running: RunningSandbox, plan: Json) -> list[LoggedCall]:
    """Return the calls made that touch a person; an update without isPrimary touches none."""
    flagless = {
        call["path"]
        for call in plan["calls"]
        if call["operation"] == "update" and "isPrimary" not in call["body"]
    }
    return [
        call
        for call in running.calls()
        if call.operation is not Operation.UPDATE or call.path not in flagless
    ]


def plan_releases(plan: Json) -> bool:
    return any("release" in change["actions"] for change in plan["changes"])


@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data(), assume=readings())
def test_apply_reaches_what_is_declared_and_moves_nothing_else(
    data: st.DataObject, assume: dict[str, str], sandboxes: Sandboxes
) -> None:
    """Twice in a row: first on a world that we never saw, then after the manifests changed."""
    running = sandboxes.under(assume)
    Sandbox(running.url).put_world(data.draw(worlds()))
    world = Sandbox(running.url).world()
    first = data.draw(fleets(world))
    with TemporaryDirectory() as directory:
        root = Path(directory)
        world = apply_and_judge(root, running, world, first)
        second = data.draw(fleets(world, first))
        on_remove = data.draw(st.sampled_from(["release", "depersonalize"]))
        apply_and_judge(root, running, world, second, f"onRemove: {on_remove}\n")


def some_fleet(seed: int) -> tuple[Json, Fleet]:
    """Return a larger world and manifests with every kind of change, by a seed."""
    chance = random.Random(seed)
    people = [
        {"id": number, "externalId": f"Identity-of-{number}", "phoneNumbers": [f"38591{number:07}"]}
        for number in range(1, 41)
    ]
    registrations = [
        {
            "registrationId": f"{chance.getrandbits(64):016x}",
            "applicationId": "APPLICATION-ID-1",
            "owner": number,
            "isPrimary": second == 0,
            "additionalData": {key: chance.randrange(9) for key in ("depot", "route", "shift")},
        }
        for number in range(1, 41)
        for second in range(2)
    ]
    world = {"applications": CODES, "people": people, "registrations": registrations}
    declared = {
        f"p{number}": {"externalId": f"Identity-of-{number}", "phoneNumber": f"+38591{number:07}"}
        for number in range(1, 41)
    }
    devices = []
    for index, registration in enumerate(registrations):
        fields: Json = {"additionalData": {"depot": chance.randrange(9), "shift": None}}
        if index % 2 == 0:
            fields["owner"] = chance.choice([None, *declared])
        fields["registrationEnabled"] = chance.random() < 0.8
        devices.append(Declared(registration["registrationId"], "courier", 1 + index % 5, fields))
    return world, Fleet(tuple(devices), declared)


def stable(document: str) -> Json:
    """Return a plan without what says when and which it is, and how long answers took just now."""
    plan = json.loads(document)
    assert plan.pop("id")
    assert plan.pop("createdAt")
    assert plan["summary"].pop("forecastSeconds")
    assert plan["forecast"].pop("seconds")
    assert plan["forecast"].pop("latencySeconds")
    return plan


@pytest.mark.parametrize("seed", [1, 2])
def test_hash_seed_and_file_order_change_no_byte(
    seed: int, tmp_path: Path, sandboxes: Sandboxes
) -> None:
    """The same inputs give the same bytes, whatever Python's hashes and the directory's order."""
    running = sandboxes.under({})
    world, fleet = some_fleet(seed)
    Sandbox(running.url).put_world(world)
    project = Project(tmp_path, running.url)
    write(tmp_path, fleet)
    documents, texts = [], []
    for hash_seed in ("0", "1", "4242"):
        ran = project.start("plan", "-o", "plan.json", PYTHONHASHSEED=hash_seed)
        assert ran.exit == 0, say(ran)
        documents.append((tmp_path / "plan.json").read_text("utf-8"))
        texts.append(ran.out)
        # Written again in the opposite order, and named in the opposite order.
        for path, text in sorted(fleet.files().items(), reverse=True):
            (tmp_path / path).unlink()
            (tmp_path / path).write_text(text, "utf-8")
        patterns = ", ".join(sorted(fleet.files(), reverse=hash_seed == "0"))
        (tmp_path / "reconciler.yaml").write_text(
            PROJECT.replace("devices/*.yaml", patterns), "utf-8"
        )

    lines = [json.dumps(stable(document)) for document in documents]
    assert lines == lines[:1] * 3
    assert json.loads(documents[0])["calls"]


def test_a_lagging_read_delays_and_never_deceives(tmp_path: Path, sandboxes: Sandboxes) -> None:
    """Where reads lag by two seconds, apply still reaches the declared state or says what not."""
    running = sandboxes.under({"read-after-write": "lags"})
    people = [{"id": number, "externalId": f"Identity-of-{number}"} for number in (1, 2)]
    registrations = [
        {
            "registrationId": f"device-{number}",
            "applicationId": "APPLICATION-ID-1",
            "owner": number,
            "isPrimary": True,
            "additionalData": {"depot": number},
        }
        for number in (1, 2)
    ]
    Sandbox(running.url).put_world(
        {"applications": CODES, "people": people, "registrations": registrations}
    )
    fleet = Fleet(
        (
            Declared("device-1", "courier", 1, {"owner": "p2", "isPrimary": True}),
            Declared("device-2", "courier", 1, {"owner": "p1", "isPrimary": True}),
        ),
        {"p1": {"externalId": "Identity-of-1"}, "p2": {"externalId": "Identity-of-2"}},
    )
    before = Sandbox(running.url).world()
    write(tmp_path, fleet)
    planned = command(tmp_path, running.url, "plan", "-o", "plan.json")
    assert planned.exit == 0, say(planned)
    applied = command(tmp_path, running.url, "apply", "plan.json", "--yes")
    assert applied.exit == 0, say(applied)
    after = Sandbox(running.url).world()
    plan = json.loads((tmp_path / "plan.json").read_text("utf-8"))

    assert broken(before, after, fleet, plan) == []


@settings(suppress_health_check=list(HealthCheck), max_examples=25)
@given(data=st.data(), assume=readings())
def test_what_others_move_is_mended_and_nothing_else(
    data: st.DataObject, assume: dict[str, str], sandboxes: Sandboxes
) -> None:
    """After an apply the app changes fields of registrations: what is declared is set again."""
    running = sandboxes.under(assume)
    sandbox = Sandbox(running.url)
    sandbox.put_world(data.draw(worlds()))
    fleet = data.draw(fleets(sandbox.world()))
    with TemporaryDirectory() as directory:
        world = apply_and_judge(Path(directory), running, sandbox.world(), fleet)
        for registration in world["registrations"]:
            if data.draw(st.booleans()):
                running.change(registration["registrationId"], data.draw(drifts()))
        apply_and_judge(Path(directory), running, sandbox.world(), fleet)
