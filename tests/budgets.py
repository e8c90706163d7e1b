"""`safety:` of a project in which all devices may change; guards have tests of their own."""

from __future__ import annotations

from typing import Final

from reconciler.core.safety import DEFAULT_BUDGETS, GONE, LEAVING

_RISKS: Final = sorted(DEFAULT_BUDGETS.keys() - {LEAVING, GONE})
NO_BUDGETS: Final = f"safety: {{budgets: {{{', '.join(f'{risk}: 100%' for risk in _RISKS)}}}}}\n"
