"""The public names: documented, one tree of errors, and nothing done that was not asked for."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler
from reconciler.sandbox.embedded import sandbox
from tests.e2e.harness import ROOT, interpreter

# What is defined beside the public names: no underscore, and not ours to promise.
BESIDE = {"annotations", "import_module", "TYPE_CHECKING", "Final"}


def public() -> dict[str, object]:
    return {name: getattr(reconciler, name) for name in reconciler.__all__}


def test_the_public_names_are_the_promised_ones() -> None:
    """No name is left out, none is there twice, and nothing else can be seen from outside."""
    modules = {
        path.stem for path in (ROOT / "reconciler").iterdir() if not path.name.startswith("_")
    }
    seen = {name for name in dir(reconciler) if not name.startswith("_")}

    assert len(set(reconciler.__all__)) == len(reconciler.__all__)
    assert seen - modules - BESIDE <= set(reconciler.__all__)
    assert set(reconciler.__all__) - {"sandbox"} == set(reconciler._HOMES)
    with pytest.raises(AttributeError):
        reconciler.nothing_of_that_name  # type: ignore[attr-defined]  # noqa: B018


def test_every_public_name_is_documented() -> None:
    """The sandbox's room is a function too; what it does stands there."""
    for name, value in public().items():
        documented = sandbox if name == "sandbox" else value
        assert inspect.getdoc(documented), name


def test_methods_say_what_they_take_and_raise() -> None:
    """Of a project: each has a docstring that says what is raised; a twin has the same parameters,
    but for the one that it makes itself."""
    for name, method in inspect.getmembers(reconciler.Project, inspect.isfunction):
        if name.startswith("_"):
            continue
        text = inspect.getdoc(method) or ""
        twin = name[1:] if name.startswith("a") and hasattr(reconciler.Project, name[1:]) else None
        assert text, name
        if twin is None:
            assert "Raises" in text or "raises" in text, name
            continue
        own = set(inspect.signature(method).parameters)
        theirs = set(inspect.signature(getattr(reconciler.Project, twin)).parameters)
        assert own == theirs - {"cancellation"}, name


def test_there_is_one_tree_of_errors() -> None:
    """Whoever catches ReconcilerError has caught them all."""
    errors = [
        value
        for value in public().values()
        if isinstance(value, type) and issubclass(value, BaseException)
    ]

    assert len(errors) > 10
    assert all(issubclass(error, reconciler.ReconcilerError) for error in errors)


def test_importing_it_loads_next_to_nothing() -> None:
    """What costs time is loaded when it is used."""
    program = (
        "import sys; before = set(sys.modules); import reconciler; "
        "print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=interpreter(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert [name for name in loaded if name.startswith("reconciler")] == ["reconciler"]
    assert not {"asyncio", "msgspec", "yaml", "httpx", "aiohttp", "deepdiff"} & set(loaded)


WATCHED = """
import builtins, gc, os, signal, sys
from traceback import format_exception
from pathlib import Path
import reconciler
from reconciler.sandbox.embedded import sandbox

with sandbox(people=5) as service:
    environ, before = dict(service.environ), set(Path().rglob("*"))

    def traceback(error):
        return "".join(format_exception(error))

    def refuse(*arguments, **named):
        raise AssertionError(f"not asked for: {arguments} {named}")

    project = reconciler.open(".", environ=environ)
    project.plan()  # whatever is loaded on first use reads what it likes while it is loaded
    signal.signal = signal.set_wakeup_fd = builtins.print = builtins.input = refuse
    gc.disable = gc.freeze = gc.enable = refuse
    sys.stdout = sys.stderr = sys.stdin = None

    class Environment(type(os.environ)):
        # What modules of Python look up (the debug mode of asyncio) is not ours, and Git runs in
        # the environment of this process, as any other program does.

        def __getitem__(self, name):
            callers = (sys._getframe(1).f_code.co_filename, sys._getframe(2).f_code.co_filename)
            if any("/reconciler/" in one and "/git/" not in one for one in callers):
                refuse(name)
            return super().__getitem__(name)

    os.environ.__class__ = Environment
    sys.excepthook = lambda kind, error, trace: os.write(2, traceback(error).encode())
    project = reconciler.open(".", environ=environ)
    plan = project.plan()
    report = project.apply(reconciler.Plan.from_json(plan.to_json()))
    drift = project.drift()
    assert report.complete and report.counts, report
    made = {str(path) for path in set(Path().rglob("*")) - before}
    assert {name for name in made if not name.startswith(".reconciler")} == set(), made
os._exit(0)
"""


def test_nothing_is_done_that_was_not_asked_for(tmp_path: Path) -> None:
    """Nothing printed or read, no environment, no signal handler, no collector, no other file."""
    (tmp_path / "reconciler.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Project\n"
        "api: {baseUrl: '${INFOBIP_BASE_URL}', auth: {apiKey: '${INFOBIP_API_KEY}'}}\n"
        "applications: {courier: {appCode: '${COURIER_APP_CODE}'}}\nmanifests: [devices.yaml]\n",
        "utf-8",
    )
    from reconciler.sandbox.fleet import fleet

    device = min(fleet(5).registrations)
    (tmp_path / "devices.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
        f"devices:\n  {device}: {{additionalData: {{checked: true}}}}\n",
        "utf-8",
    )

    ran = subprocess.run(
        [sys.executable, "-P", "-c", WATCHED],
        cwd=tmp_path,
        env=interpreter(),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
