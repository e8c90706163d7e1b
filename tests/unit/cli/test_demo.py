"""The demo as a newcomer sees it: real commands, real output, the promised end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
KEY: Final = "key-of-somebody-who-looks-around"


def test_the_demo_tells_the_whole_job(tmp_path: Path) -> None:
    """Plan, apply, an empty plan, drift; and a directory in which one can go on."""
    ended = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo", "--directory", "fleet"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "INFOBIP_API_KEY": KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    lines = ended.stdout.splitlines()

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [line for line in lines if line.startswith("$ reconciler")] == [
        "$ reconciler validate",
        "$ reconciler plan -o plan.json",
        "$ reconciler apply plan.json",
        "$ reconciler plan",
        "$ reconciler plan --detailed-exitcode",
        f"$ reconciler sandbox --port 8118 --world {tmp_path}/fleet/sandbox-world.json",
        "$ reconciler apply",
    ]
    assert "No changes. 35 devices are as declared. 1 gone." in lines
    assert (
        "Plan: 2 to change, 33 unchanged, 1 gone. 2 calls (2 update) and 2 reads (2 get), "
        "about 1 s. 1 drifted."
    ) in lines
    assert (tmp_path / "fleet" / "plan.json").is_file()
    assert KEY not in ended.stdout + ended.stderr
    # What is kept of it can be edited like any other.
    first = (tmp_path / "fleet/devices/handover.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/devices.schema.json"
    assert (tmp_path / "fleet/schemas/devices.schema.json").is_file()
