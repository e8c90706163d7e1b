"""An answer that was no good, in few words: which it was, and what to do."""

from __future__ import annotations

from reconciler.api.errors import ApiError, NotTheContract


def said(error: ApiError) -> str:
    """Return what came back, without the call, which somebody who runs checks did not make."""
    answered = "no answer" if error.status is None else f"answered {error.status}"
    why = "; ".join(text for text in (error.reason, error.service_text) if text)
    return f"{answered}: {why}" if why else answered


def way_out(error: ApiError) -> str:
    """Return what to do about it."""
    if isinstance(error, NotTheContract):
        return "Check that api.baseUrl is the account's own base URL, with nothing between."
    return "Try again later."
