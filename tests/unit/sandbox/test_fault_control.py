"""Faults set while it runs, over HTTP and from a test; latency and jitter; the command."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from random import Random

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.commands.sandbox import command
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

from .wired import PUSH, WORLD, ask, get, logged, meeting


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(world=WORLD, limits=None)) as running:
        yield running


def test_faults_are_set_shown_and_cleared(sandbox: RunningSandbox) -> None:
    """PUT replaces them and begins their counts, GET shows them, DELETE takes them away."""
    with meeting(sandbox):
        put = ask(sandbox, "PUT", "/_sandbox/faults", {"seed": 7, "faults": ["get:503@#2"]})
        fresh = {"seed": 7, "faults": [{"spec": "get:503@#2", "met": 0, "hit": 0}]}
        assert (200, fresh) == (put.status, put.json())
        assert [200, 503, 200] == [get(sandbox).status for _ in range(3)]
        shown = ask(sandbox, "GET", "/_sandbox/faults").json()
        assert {"seed": 7, "faults": [{"spec": "get:503@#2", "met": 3, "hit": 1}]} == shown
        put = ask(sandbox, "PUT", "/_sandbox/faults", {"faults": ["get:404"]})
        assert (200, 0) == (put.status, put.json()["seed"])
        assert 404 == get(sandbox).status
        assert 204 == ask(sandbox, "DELETE", "/_sandbox/faults").status
        assert {"seed": 0, "faults": []} == ask(sandbox, "GET", "/_sandbox/faults").json()
        assert 200 == get(sandbox).status
        assert [None, "get:503@#2", None, "get:404", None] == [
            one["fault"] for one in logged(sandbox, 5)
        ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"faults": ["gte:503", "get:hnag"]}, "gte:503: there is no operation"),
        ({"faults": ["gte:503", "get:hnag"]}, "Did you mean hang?"),
        ({"faults": "get:503"}, "faults"),
        ({"fault": []}, "fault"),
        ({"faults": [], "seed": "x"}, "seed"),
        ("{", "truncated"),
        ("", "truncated"),
    ],
)
def test_bad_faults_are_a_400_and_change_nothing(
    sandbox: RunningSandbox, body: object, told: str
) -> None:
    """The error says what is wrong with which spec; the faults before stay in force."""
    with meeting(sandbox, "get:503"):
        seen = ask(sandbox, "PUT", "/_sandbox/faults", body)
        assert 400 == seen.status
        assert told in seen.json()["error"]
        assert 503 == get(sandbox).status


def test_a_seed_gives_the_same_calls_again(sandbox: RunningSandbox) -> None:
    """The same faults with the same seed hit the same calls, over HTTP too."""

    def hits(seed: int) -> list[int]:
        with meeting(sandbox, "get:503@40%", seed=seed):
            return [get(sandbox).status for _ in range(30)]

    assert hits(3) == hits(3) != hits(4)
    assert {200, 503} == set(hits(3))


def test_wrong_specs_are_refused_from_the_start(sandbox: RunningSandbox) -> None:
    """As options and later, a wrong spec is a ValueError."""
    with pytest.raises(ValueError, match="gte:503"):
        RunningSandbox(SandboxOptions(faults=("gte:503",)))
    with pytest.raises(ValueError, match="gte:503"):
        sandbox.set_faults(["gte:503"])
    assert () == sandbox.faults()


def test_calls_take_their_time() -> None:
    """The latency, and on each of both ways what the seed adds."""
    options = SandboxOptions(world=WORLD, latency=0.02, jitter=0.05, fault_seed=5)
    chance = Random("5/jitter")
    with RunningSandbox(options) as slow:
        for number in (1, 2):
            assert 200 == get(slow).status
            call = logged(slow, number)[-1]
            expected = 0.02 + chance.uniform(0, 0.05) + chance.uniform(0, 0.05)
            # The clock of the event loop has whole milliseconds.
            assert expected - 0.005 <= call["end"] - call["start"]


def test_a_client_that_has_gone_was_answered_nothing() -> None:
    """Without any fault too: the write is done, and its status is 0."""
    with RunningSandbox(SandboxOptions(world=WORLD, latency=0.4)) as slow:
        body = {"additionalData": {"k": 1}}
        path = f"{PUSH}r1"
        assert "TimeoutError" == ask(slow, "PATCH", path, body, timeout=0.05).broken
        (call,) = logged(slow)
        assert (0, True, None) == (call["status"], call["done"], call["fault"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--fault", "get:hnag"],
            "--fault get:hnag: there is no effect 'hnag'. Did you mean hang?",
        ),
        (["--fault", "get503"], "OPERATION:EFFECT[@WHEN][,OPTION]..."),
        (["--fault", "get:503", "--fault", "get:503@x"], "#7 (the seventh)"),
    ],
)
def test_a_wrong_fault_is_wrong_usage(arguments: list[str], told: str) -> None:
    """The message teaches the grammar."""
    with pytest.raises(click.UsageError) as raised:
        command.main(arguments, standalone_mode=False)
    assert told in raised.value.message


def test_the_help_explains_faults() -> None:
    """Every effect, option and form of a time stands in it."""
    text = CliRunner().invoke(command, ["--help"]).output
    for word in (
        *("OPERATION:EFFECT[@WHEN][,OPTION]...", "token", "reads", "writes", "any"),
        *("hang", "reset", "truncate", "empty", "garbage", "html", "wrong-type", "drip", "delay"),
        *("rival", "appear", "vanish", "@5%", "@#7-9", "@#7+", "after", "retry-after=date:2"),
        *("seconds=S", "device=ID", "set=JSON", "/_sandbox/faults"),
    ):
        assert word in text


def test_the_command_serves_faults() -> None:
    """`--fault` and its neighbours reach the wire, and a hanging call does not keep Ctrl-C from
    working."""
    options = ["--fault", "any:418@#2", "--fault", "any:hang@#3", "--fault-seed", "3"]
    arguments = ["sandbox", "--people", "3", *options, "--latency", "1", "--jitter", "1"]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "reconciler", "--quiet", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()

        def status(timeout: float) -> int:
            headers = {"Authorization": "App key"}
            request = urllib.request.Request(f"{url}/people/2/persons", headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    found: int = answer.status
                    return found
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        assert [200, 418] == [status(10), status(10)]
        with pytest.raises(TimeoutError):
            status(0.05)
        process.send_signal(signal.SIGINT)
        assert (0, "") == (process.wait(10), process.stderr.read())
