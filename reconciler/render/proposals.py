"""Gone devices that may be back under a new id: what is proposed, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.plan.model import Proposal

from .escape import LABEL_LIMIT, name, prose, quoted
from .people import NO_PEOPLE, People, identity
from .sentences import devices

HOW: Final = "reconciler plan --write-patch FILE"


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One device: the old id, the new one (empty: several are possible), and how sure that is."""

    id: str
    label: str
    application: str
    source: str
    replacement: str
    why: str


def proposal_views(
    proposals: Iterable[Proposal], people: People = NO_PEOPLE
) -> tuple[ProposalView, ...]:
    """Make the views of those that may be back."""
    return tuple(_view(proposal, people) for proposal in proposals if proposal.could_be)


def not_looked_for(proposals: Iterable[Proposal]) -> str:
    """Say how many may be back or not, as nobody looked; empty if there are none.

    They are counted only: with a wrong application code that is a whole fleet.
    """
    count = sum(not proposal.could_be for proposal in proposals)
    if not count:
        return ""
    return (
        f"Not looked for: {devices(count)} that may be back, as too many are gone or no other "
        "device of their application was read."
    )


def _view(proposal: Proposal, people: People) -> ProposalView:
    owner = name(proposal.owner) + identity(proposal.owner, people)
    if proposal.replacement is None:
        many = "another device that is gone, or that the plan leaves out, may be it too"
        if proposal.could_be > 1:
            many = f"{proposal.could_be:,} registrations of {owner} could be it"
        why = f"{many}; nothing is proposed"
    elif proposal.model is None:
        why = f"the only other registration of {owner} here; which model it was is not known"
    else:
        why = f"of {owner} too, and a {quoted(proposal.model, LABEL_LIMIT)} as well"
    return ProposalView(
        name(proposal.device),
        "" if proposal.label is None else quoted(proposal.label, LABEL_LIMIT),
        name(proposal.application),
        prose(proposal.source),
        "" if proposal.replacement is None else name(proposal.replacement),
        why,
    )
