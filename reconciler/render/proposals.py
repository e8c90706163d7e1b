"""Gone devices that may be back under a new id: what is proposed, in words."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.plan.definition import Proposal

from .escape import LABEL_LIMIT, name, prose, quoted


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One device: the old id, the new one (empty: several are possible), and how sure that is."""

    id: str
    label: str
    application: str
    source: str
    replacement: str
    why: str


def proposal_view(proposal: Proposal) -> ProposalView:
    """Make the view."""
    owner = name(proposal.owner)
    if proposal.replacement is None:
        many = "another gone device may be it too"
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
