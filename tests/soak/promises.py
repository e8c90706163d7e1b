"""The judge: every promise as a function from a story to what broke it, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from . import said, sent, stored, worldly
from .story import Story

Promise = Callable[[Story], Iterator[str]]

PROMISES: Final[tuple[Promise, ...]] = (
    worldly.the_declared_state_is_reached,
    worldly.nothing_undeclared_moves,
    sent.nothing_is_done_twice,
    sent.what_moved_is_left_alone,
    sent.writes_to_one_person_do_not_overlap,
    sent.a_plan_writes_nothing,
    sent.a_denial_stops_the_run,
    stored.intents_come_before_calls,
    stored.the_journal_tells_the_truth,
    stored.the_record_is_what_lives,
    stored.the_lock_is_given_back,
    said.rows_tell_the_truth,
    said.exit_codes_agree,
    said.counts_agree,
    said.nothing_private_is_shown,
    said.runs_end_in_order,
)


def broken(story: Story) -> list[str]:
    """Return every promise that a story breaks, in words; none if all is well."""
    return [
        f"{promise.__name__.replace('_', ' ')}: {what}"
        for promise in PROMISES
        for what in promise(story)
    ]
