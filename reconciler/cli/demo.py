"""The demo: each step is told, its command shown as a user would type it, and run.

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


def run_demo(options: Options, directory: Path | None, *, keep: bool) -> int:
    """Run the demo; its directory is removed at the end unless it is kept."""
    source = example_directory("courier-fleet")
    if directory is not None and os.path.lexists(directory):
        raise Stop(ExitCode.ERROR, f"{directory} exists already; name a new directory.")
    target = directory or Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
    is_kept = keep or directory is not None
    try:
        try:
            _copy_example(source, target)
        except OSError as error:
            reason = (error.strerror or "it cannot be written").lower()
            raise Stop(ExitCode.ERROR, f"{target} cannot be created: {reason}.") from None
        world = decode_world((target / WORLD).read_bytes())
        with RunningSandbox(SandboxOptions(world=world)) as sandbox:
            demo = _Demo(options, target.resolve(), sandbox.environ)
            _run_steps(demo, sandbox)
            replace_file(target / WORLD, encode_world(sandbox.world()))
    finally:
        if not is_kept:
            shutil.rmtree(target, ignore_errors=True)
    _show_next_steps(demo, is_kept=is_kept)
    return ExitCode.DONE


def _copy_example(source: Path, target: Path) -> None:
    """Copy the example, with the schemas that its files name beside it. Raises OSError."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for file in target.rglob("*.yaml"):
        file.write_bytes(name_local_schemas(file.read_bytes()))
    for schema in schema_files():
        file = target / schema.path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(schema.data)


@dataclass(frozen=True, slots=True)
class _Demo:
    """Where the demo runs, and the environment variables that lead to its simulated service."""

    options: Options
    directory: Path
    settings: Mapping[str, str]

    def say(self, text: str) -> None:
        result(text)

    def heading(self, text: str) -> None:
        bold = f"\x1b[1m{text}\x1b[0m" if colored(sys.stdout, self.options) else text
        result(f"\n{bold}")

    def command(self, text: str) -> None:
        line = f"$ {text}"
        result(f"\x1b[36m{line}\x1b[0m" if colored(sys.stdout, self.options) else line)

    def run(self, *arguments: str, expected: ExitCode = ExitCode.DONE) -> None:
        """Show a command of ours, and run it; one that ends otherwise ends the story."""
        self.command(shlex.join(("reconciler", *arguments)))
        environment = {**os.environ, **self.settings}
        # The same program, installed or not, whatever directory it is run in.
        package_root = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(
            path for path in (package_root, environment.get("PYTHONPATH", "")) if path
        )
        if not self.options.color:
            environment["NO_COLOR"] = "1"
        process = subprocess.run(
            (sys.executable, "-m", "reconciler", *arguments),
            cwd=self.directory,
            env=environment,
            check=False,
        )
        if process.returncode != expected:
            raise Stop(
                ExitCode.ERROR,
                f"The demo ends here: that should have ended with {expected:d}, "
                f"and ended with {process.returncode}. This is a bug in reconciler.",
            )


def _run_steps(demo: _Demo, sandbox: RunningSandbox) -> None:
    world = sandbox.world()
    devices, people = len(world.registrations), count_named_people(world)
    demo.say(
        f"A courier company: {people} people, {devices} devices. The push service is simulated at\n"
        f"{sandbox.url}; nothing leaves this machine, and no account is needed."
    )

    demo.heading("1. The devices are declared in files, which the team keeps in Git")
    demo.command(f"cd {shlex.quote(str(demo.directory))}")
    demo.command("cat devices/handover.yaml")
    demo.say((demo.directory / "devices" / "handover.yaml").read_text("utf-8"))

    demo.heading("2. Are the files right? This needs no network and no secret")
    demo.run("validate")

    demo.heading("3. What would happen? The plan is saved for review; nothing is written yet")
    for name, value in demo.settings.items():
        demo.command(f"export {name}={value}")
    demo.run("plan", "-o", "plan.json")

    demo.heading("4. Make happen exactly what was reviewed")
    sandbox.forget_calls()
    demo.run("apply", "plan.json")

    demo.heading("5. Now everything is as declared: the next plan is empty")
    demo.run("plan")

    demo.heading("6. Meanwhile, in the app: Zora changes her shift, and somebody else logs in")
    demo.say("   on Ema's tablet and switches its messages off. The files did not move.")
    for device, change in _CHANGES.items():
        sandbox.change(device, change)
    demo.run("plan", "--detailed-exitcode", expected=ExitCode.CHANGES)
    demo.say(
        "\nWhat others changed is put back, but for owners: `onDrift: {owner: report}` in\n"
        "reconciler.yaml shows who logged in, and leaves it. `seen`, a key that no file declares,\n"
        "is not touched. Exit code 2 says that there are changes."
    )


def _show_next_steps(demo: _Demo, *, is_kept: bool) -> None:
    demo.heading("Go on by hand")
    if not is_kept:
        demo.command("reconciler demo --directory courier-fleet")
        demo.say("keeps the directory of this story, and says how to go on in it.")
        return
    quoted = shlex.quote(str(demo.directory))
    demo.say("In one terminal, the service as it is now:")
    demo.command(f"reconciler sandbox --port 8118 --world {quoted}/{WORLD}")
    demo.say("In another one:")
    demo.command(f"cd {quoted}")
    settings = {**demo.settings, "INFOBIP_BASE_URL": "http://127.0.0.1:8118"}
    for name, value in settings.items():
        demo.command(f"export {name}={value}")
    demo.command("reconciler apply")
