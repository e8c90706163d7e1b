"""What the engine says on the way, in words on stderr; progress is drawn where it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, assert_never

from reconciler.cli.progress.lines import progress, shows_bars
from reconciler.cli.settings import Options
from reconciler.cli.streams import say, write
from reconciler.core import events as core_events
from reconciler.core.counting import counted
from reconciler.core.events import nobody_listens
from reconciler.engine import events
from reconciler.render.escape import name, prose
from reconciler.render.sentences import format_moment

from .state import write_state_created

if TYPE_CHECKING:
    from reconciler.state.lease import Holder

_READS_NOW: Final = "this plan reads what is true now"
_LONGEST: Final = 100
_FETCH_ALL: Final = (
    "Fetch the whole history: fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 on GitLab."
)


def link_to_run(holder: Holder) -> str:
    """Return a sentence with the page of a holder's CI run, if there is one."""
    return f" Its run: {holder.run_url}" if holder.run_url else ""


class EventView:
    """A listener of the engine for one command.

    `reader` is what reads while somebody applies, `unfinished` how this run copes with one that did
    not finish: a clause.
    """

    def __init__(
        self, options: Options, *, reader: str = "this plan", unfinished: str = _READS_NOW
    ) -> None:
        self._options = options
        self._reader = reader
        self._unfinished = unfinished
        self._draw: core_events.Listener = nobody_listens

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show how far the work is for as long as the block lasts."""
        with progress(self._options) as draw:
            self._draw = draw
            try:
                yield
            finally:
                self._draw = nobody_listens

    def __call__(self, event: events.Event) -> None:
        match event:
            case (
                core_events.Progress()
                | core_events.Settled()
                | core_events.Intended()
                | core_events.Pausing()
                | core_events.Weighed()
                | core_events.MatchRefused()
            ):
                self._draw(event)
            case events.StateCreated(path):
                write_state_created(self._options, path)
            case events.LocalStateInPipeline():
                self._warn(
                    "The state is a local file, and a CI runner forgets it.",
                    "Share it: reconciler state migrate --to URL (s3://, gs://, az://, https://, "
                    "postgres://).",
                )
            case events.ApplyRunning(holder):
                self._info(
                    f"{holder.who} on {holder.host} is applying since "
                    f"{format_moment(holder.since)}; what {self._reader} reads may still change.",
                    event="running",
                    who=holder.who,
                    host=holder.host,
                )
            case events.EarlierRunUnfinished():
                self._say_unfinished(event)
            case events.EventsRead():
                self._say_events(event)
            case events.PlanResumed():
                self._say_resumed(event)
            case events.PlanResumedElsewhere(plan, started):
                self._info(
                    "Going on with this plan, which was begun on another machine at "
                    f"{format_moment(started)}: each device is read first, for what was done there "
                    "is not known here.",
                    event="going-on",
                    plan=plan,
                    elsewhere=True,
                )
            case events.AlreadyApplied(_, finished):
                self._info(
                    f"This plan was applied at {format_moment(finished)}; there is nothing left to "
                    "do."
                )
            case events.LockAwaited(holder):
                self._info(
                    f"Waiting for the lock: {holder.who} on {holder.host} (process {holder.pid}) "
                    f"has it since {format_moment(holder.since)}.{link_to_run(holder)}"
                )
            case events.ComparedWithCommit():
                self._say_compared(event)
            case events.NoProjectThen(file, ref, commit):
                self._info(
                    f"There was no {file} at {prose(ref, _LONGEST)} ({commit[:10]}): every device "
                    "is new since then."
                )
            case events.ApplicationUnknown(application, devices):
                self._warn(
                    f"The project has no application {name(application)} any more: "
                    f"{counted(devices, 'device')} of it in the state cannot be compared."
                )
            case events.StoppingSoon():
                if sys.stderr.isatty() and not shows_bars(self._options):
                    # Not behind the ^C that the terminal shows.
                    write(sys.stderr, "\n")
                say(
                    self._options,
                    "warning",
                    "Interrupted: finishing the calls that are on their way; a second Ctrl-C stops "
                    "now.",
                    event="interrupted",
                )
            case events.StoppedAtOnce():
                self._warn("Stopped now, without waiting for the calls on their way.")
            case events.StateNotWritten():
                self._say_not_written(event)
            case _:
                assert_never(event)

    def _info(self, message: str, **fields: object) -> None:
        say(self._options, "info", message, **fields)

    def _warn(self, message: str, fix: str = "") -> None:
        say(self._options, "warning", message, fix=fix)

    def _say_unfinished(self, run: events.EarlierRunUnfinished) -> None:
        came = [f"{counted(run.applied, 'call')} {_were(run.applied)} applied"]
        if run.unsettled:
            have = "has" if run.unsettled == 1 else "have"
            came.append(f"{run.unsettled:,} {have} an unknown outcome")
        self._info(
            f"A run that began at {format_moment(run.started)} did not finish: {', '.join(came)}; "
            f"{self._unfinished}.",
            event="unfinished",
            plan=run.plan,
            started=run.started.isoformat(),
            applied=run.applied,
            unsettled=run.unsettled,
        )

    def _say_resumed(self, event: events.PlanResumed) -> None:
        parts = [
            f"{event.applied:,} of {event.total:,} calls {_were(event.applied)} applied by an "
            "earlier run"
        ]
        if event.unsettled:
            is_one = event.unsettled == 1
            its = "its outcome is" if is_one else "their outcomes are"
            parts.append(
                f"{event.unsettled:,} {'is' if is_one else 'are'} read first because {its} unknown"
            )
        self._info(
            f"Going on with this plan: {', '.join(parts)}.",
            event="going-on",
            plan=event.plan,
            applied=event.applied,
            unsettled=event.unsettled,
            total=event.total,
        )

    def _say_compared(self, event: events.ComparedWithCommit) -> None:
        ref, commit = prose(event.ref, _LONGEST), event.commit[:10]
        if event.is_common and event.is_named:
            self._info(f"Comparing with {ref} ({commit}).")
        elif event.is_common:
            self._info(f"Comparing with {commit}, where HEAD and {ref} part.")
        elif event.is_shallow:
            self._warn(
                f"Comparing with {ref} itself ({commit}): this clone is shallow and does not show "
                "where HEAD left it, so what changed there since may count too.",
                _FETCH_ALL,
            )
        else:
            self._info(
                f"Comparing with {ref} itself ({commit}): it has nothing in common with HEAD."
            )

    def _say_events(self, event: events.EventsRead) -> None:
        unknown = f"; {event.of_nobody} of them of no such device" if event.of_nobody else ""
        self._info(
            f"Read {counted(event.events, 'event')} of {counted(event.devices, 'device')} that the "
            f"state knows{unknown}. Only what they name is compared."
        )
        if event.unreadable_lines:
            first, count = event.unreadable_lines[0], len(event.unreadable_lines)
            self._warn(
                f"{counted(count, 'line')} of the events cannot be understood and "
                f"{_were(count)} passed over; the first is line {first}."
            )

    def _say_not_written(self, event: events.StateNotWritten) -> None:
        if event.saved_to is None:
            say(
                self._options,
                "error",
                f"The state could not be written to {event.where}, and {event.reason}",
                fix="Nothing is lost: the next apply finds the devices as declared, and adopts "
                "them.",
            )
            return
        shown = os.path.relpath(event.saved_to, self._options.origin)
        say(
            self._options,
            "warning",
            f"The state could not be written to {event.where}. It was saved to {shown}.",
            fix=f"When the place can be reached again: reconciler state push {shown}",
            event="unwritten",
            file=shown,
        )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
