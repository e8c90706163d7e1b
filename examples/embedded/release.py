"""Release two fleets at the same time from a program of one's own; no terminal, no command line.

python release.py couriers shops    # reads what the project files name from the environment
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping

import reconciler

Listener = Callable[[object], None]


async def release(directory: str, environ: Mapping[str, str], listen: Listener) -> str:
    """Plan and apply one project; return what became of it, in a line."""
    project = await asyncio.to_thread(reconciler.open, directory, environ=environ)
    plan = await project.aplan(on_event=listen)
    if plan.refusals or plan.errors:
        return f"{directory}: not applied, the plan needs somebody to look at it"
    report = await project.aapply(plan, lock_timeout=60, on_event=listen)
    done = report.counts[reconciler.Outcome.APPLIED]
    return f"{directory}: {done} of {len(plan.calls)} calls applied"


async def release_in_time(
    directory: str, environ: Mapping[str, str], listen: Listener, seconds: float
) -> str:
    """The same, given up in the middle when its time is over: what was sent is finished first."""
    try:
        async with asyncio.timeout(seconds):
            return await release(directory, environ, listen)
    except TimeoutError:
        return f"{directory}: given up; the next release goes on from there"
    except reconciler.ReconcilerError as error:
        return f"{directory}: {error}"


def printer(directory: str) -> Listener:
    """Return a listener that prints how far a fleet is, and nothing else."""

    def listen(event: object) -> None:
        if isinstance(event, reconciler.Progress):
            print(f"{directory}: {event.work} {event.done} of {event.total}", file=sys.stderr)

    return listen


async def main(directories: list[str], environ: Mapping[str, str], seconds: float = 600) -> None:
    """Release all of them side by side."""
    runs = (release_in_time(one, environ, printer(one), seconds) for one in directories)
    for line in await asyncio.gather(*runs):
        print(line)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:], os.environ))
