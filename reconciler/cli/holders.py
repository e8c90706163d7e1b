"""Who runs this, and the page of another's run; a shim over engine.holder."""

from __future__ import annotations

import os

from reconciler.engine.holder import current_holder
from reconciler.state.lease import Holder


def holder() -> Holder:
    """Return who is running this, for those who find the record leased."""
    return current_holder(os.environ)


def their_run(holder: Holder) -> str:
    """Return a sentence with the page of a holder's CI run, if there is one."""
    return f" Its run: {holder.run_url}" if holder.run_url else ""
