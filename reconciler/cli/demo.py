"""The story of the demo: each step is told, its command shown as a user would type it, and run.

The commands are processes of their own on the same terminal, so what they print is what they do.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.engine.files import replace_file
from reconciler.engine.starter_files import example_directory, name_local_schemas, schema_files
from reconciler.sandbox.account import SandboxOptions
from reconciler.sandbox.launch import count_named_people, decode_world, encode_world
from reconciler.sandbox.serve import RunningSandbox

from .exit_codes import ExitCode, Stop
from .settings import Options
from .streams import colored, result

WORLD: Final = "sandbox-world.json"
# What happens behind the files' back: a device is switched off in the app, and somebody else logs
# in on another one.
_ZORAS_PHONE: Final = "2f7441e5-c873-4115-954d-4cfe54ba8005"
_EMAS_TABLET: Final = "21cf54b4-907a-4ab5-b58f-1307e9db2d18"
_SOMEBODY_ELSE: Final = 1845
_CHANGES: Final[Mapping[str, Mapping[str, object]]] = {
    _ZORAS_PHONE: {"additionalData": {"shift": "night", "seen": True}},
    _EMAS_TABLET: {"owner": _SOMEBODY_ELSE, "registrationEnabled": False},
}


def tell_story(options: Options, directory: Path | None, *, keep: bool) -> int:
    """Tell it from the first line to the last; the directory goes with the end unless kept."""
    source = example_directory("courier-fleet")
    if directory is not None and os.path.lexists(directory):
        raise Stop(ExitCode.ERROR, f"{directory} exists already; name a new directory.")
    place = directory or Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
    kept = keep or directory is not None
    try:
        try:
            _settle(source, place)
        except OSError as error:
            reason = (error.strerror or "it cannot be written").lower()
            raise Stop(ExitCode.ERROR, f"{place} cannot be created: {reason}.") from None
        world = decode_world((place / WORLD).read_bytes())
        with RunningSandbox(SandboxOptions(world=world)) as sandbox:
            stage = _Stage(options, place.resolve(), sandbox.url)
            _tell(stage, sandbox)
            replace_file(place / WORLD, encode_world(sandbox.world()))
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)
    _go_on(stage, kept=kept)
    return ExitCode.DONE


def _settle(source: Path, place: Path) -> None:
    """Copy the example, with the schemas that its files name beside it. Raises OSError."""
    shutil.copytree(source, place, dirs_exist_ok=True)
    for file in place.rglob("*.yaml"):
        file.write_bytes(name_local_schemas(file.read_bytes()))
    for piece in schema_files():
        file = place / piece.path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(piece.data)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where the story is told, and where the service is in it."""

    options: Options
    place: Path
    url: str

    def say(self, text: str) -> None:
        result(text)

    def heading(self, text: str) -> None:
        bold = f"\x1b[1m{text}\x1b[0m" if colored(sys.stdout, self.options) else text
        result(f"\n{bold}")

    def command(self, text: str) -> None:
        shown = f"$ {text}"
        result(f"\x1b[36m{shown}\x1b[0m" if colored(sys.stdout, self.options) else shown)

    def run(self, *arguments: str, expected: ExitCode = ExitCode.DONE) -> None:
        """Show a command of ours, and run it; one that ends otherwise ends the story."""
        self.command(shlex.join(("reconciler", *arguments)))
        environment = {**os.environ, **self.settings()}
        # The same program, installed or not, whatever directory it is run in.
        ours = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(
            part for part in (ours, environment.get("PYTHONPATH", "")) if part
        )
        if not self.options.color:
            environment["NO_COLOR"] = "1"
        ended = subprocess.run(
            (sys.executable, "-m", "reconciler", *arguments),
            cwd=self.place,
            env=environment,
            check=False,
        )
        if ended.returncode != expected:
            raise Stop(
                ExitCode.ERROR,
                f"The demo ends here: that should have ended with {expected:d}, "
                f"and ended with {ended.returncode}. This is a bug in reconciler.",
            )

    def settings(self) -> Mapping[str, str]:
        return {
            "INFOBIP_BASE_URL": self.url,
            "INFOBIP_API_KEY": "any-key-will-do",
            "COURIER_APP_CODE": "courier-app-code",
            "DISPATCH_APP_CODE": "dispatch-app-code",
        }


def _tell(stage: _Stage, sandbox: RunningSandbox) -> None:
    world = sandbox.world()
    devices, people = len(world.registrations), count_named_people(world)
    stage.say(
        f"A courier company: {people} people, {devices} devices. The push service is simulated at\n"
        f"{stage.url}; nothing leaves this machine, and no account is needed."
    )

    stage.heading("1. The devices are declared in files, which the team keeps in Git")
    stage.command(f"cd {shlex.quote(str(stage.place))}")
    stage.command("cat devices/handover.yaml")
    stage.say((stage.place / "devices" / "handover.yaml").read_text("utf-8"))

    stage.heading("2. Are the files right? This needs no network and no secret")
    stage.run("validate")

    stage.heading("3. What would happen? The plan is saved for review; nothing is written yet")
    for name, value in stage.settings().items():
        stage.command(f"export {name}={value}")
    stage.run("plan", "-o", "plan.json")

    stage.heading("4. Make happen exactly what was reviewed")
    sandbox.forget_calls()
    stage.run("apply", "plan.json")

    stage.heading("5. Now everything is as declared: the next plan is empty")
    stage.run("plan")

    stage.heading("6. Meanwhile, in the app: Zora changes her shift, and somebody else logs in")
    stage.say("   on Ema's tablet and switches its messages off. The files did not move.")
    for device, change in _CHANGES.items():
        sandbox.change(device, change)
    stage.run("plan", "--detailed-exitcode", expected=ExitCode.CHANGES)
    stage.say(
        "\nWhat others changed is put back, but for owners: `onDrift: {owner: report}` in\n"
        "reconciler.yaml shows who logged in, and leaves it. `seen`, a key that no file declares,\n"
        "is not touched. Exit code 2 says that there are changes."
    )


def _go_on(stage: _Stage, *, kept: bool) -> None:
    stage.heading("Go on by hand")
    if not kept:
        stage.command("reconciler demo --directory courier-fleet")
        stage.say("keeps the directory of this story, and says how to go on in it.")
        return
    place = shlex.quote(str(stage.place))
    stage.say("In one terminal, the service as it is now:")
    stage.command(f"reconciler sandbox --port 8118 --world {place}/{WORLD}")
    stage.say("In another one:")
    stage.command(f"cd {place}")
    settings = {**stage.settings(), "INFOBIP_BASE_URL": "http://127.0.0.1:8118"}
    for name, value in settings.items():
        stage.command(f"export {name}={value}")
    stage.command("reconciler apply")
