"""Many cases, a few at a time: they mostly wait. Each failure leaves a file to run it again."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from .cases import Case, case_of
from .promises import broken
from .run import tell
from .story import Story


@dataclass(frozen=True, slots=True)
class Ended:
    """A case with the promises it broke, and what happened in it, if it came so far."""

    case: Case
    broken: tuple[str, ...]
    story: Story | None = None


@dataclass(slots=True)
class Totals:
    """What a campaign has come to; `failures` are the files written."""

    first: int
    last: int = 0
    cases: int = 0
    runs: int = 0
    failures: list[Path] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        minutes = (time.monotonic() - self.began) / 60
        failures = len(self.failures)
        return (
            f"soak: {self.cases:,} cases, {self.runs:,} runs, seeds {self.first}-{self.last}, "
            f"{failures:,} failure{'' if failures == 1 else 's'}, {minutes:.0f} min"
        )


def judged(case: Case) -> Ended:
    """Run a case and judge it; an error of the fuzzer itself is a broken case too."""
    try:
        story = tell(case)
        return Ended(case, tuple(broken(story)), story)
    except Exception:  # noqa: BLE001 (a thread: told with the case that it belongs to)
        return Ended(case, (traceback.format_exc(),))


def written(ended: Ended, folder: Path) -> Path:
    """Write what is needed to run a case again, and all that was seen of it."""
    file = folder / f"seed-{ended.case.seed}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(ended), indent=1))
    return file


def read(file: Path) -> Case:
    """Return the case of a file that was written for a failure."""
    return msgspec.json.decode(file.read_bytes(), type=_Reproducer).case


@dataclass(frozen=True, slots=True)
class _Reproducer:
    case: Case


def run_all(
    seeds: Iterator[int],
    *,
    jobs: int,
    folder: Path,
    say: Callable[[str], None],
    seconds: float | None = None,
    every: float = 30.0,
) -> Totals:
    """Run the cases of these seeds, no new one after so many seconds; say how it goes."""
    totals: Totals | None = None
    began = told = time.monotonic()
    running: set[Future[Ended]] = set()
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            while len(running) < jobs and (seconds is None or time.monotonic() - began < seconds):
                seed = next(seeds, None)
                if seed is None:
                    break
                totals = totals or Totals(seed)
                totals.last = max(totals.last, seed)
                running.add(pool.submit(judged, case_of(seed)))
            if not running or totals is None:
                return totals or Totals(0)
            ready, running = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in ready:
                _take(future.result(), totals, folder, say)
            if time.monotonic() - told >= every:
                told = time.monotonic()
                say(str(totals))


def _take(ended: Ended, totals: Totals, folder: Path, say: Callable[[str], None]) -> None:
    totals.cases += 1
    totals.runs += 0 if ended.story is None else len(ended.story.runs)
    if ended.broken:
        file = written(ended, folder)
        totals.failures.append(file)
        say(f"seed {ended.case.seed}: {ended.broken[0].strip().splitlines()[-1]}")
        say(f"  {file}: python -m tests.soak.replay {file}")
