"""Every diagnostic code, in one place. A code is permanent: never renumbered, never reused.

E1xx YAML text · E2xx Devices manifests · E3xx the project file · E4xx the plan · E5xx the service ·
E6xx the record · E7xx apply · W as E, warnings.
"""

from __future__ import annotations

from typing import Final

from .diagnostics import Code, Severity

IDENTITY_CONFLICT: Final = Code(
    "E401",
    "identity-conflict",
    "One owner, two live people",
    Severity.ERROR,
    "The identity values declared for this owner belong to different people on the platform, "
    "and merging people cannot be undone.",
    "Decide which person is meant, and declare only values of that one; "
    "or merge the people on the platform by hand first.",
)
WRONG_APPLICATION: Final = Code(
    "E402",
    "wrong-application",
    "Registration of another application",
    Severity.ERROR,
    "The service knows this registration, but under another application of the project.",
    "Move the entry to a manifest of that application.",
)
TWO_LIVE_PRIMARIES: Final = Code(
    "E403",
    "two-live-primaries",
    "Two primary devices for one live person",
    Severity.ERROR,
    "Both registrations belong to one person after the plan, and a person has one primary device "
    "in an application.",
    "Declare isPrimary: true on one of them only.",
)
PROTECTED: Final = Code(
    "E404",
    "protected",
    "Protected registration",
    Severity.ERROR,
    "lifecycle.protect forbids detaching, changing the owner and removal.",
    "If it is meant, set lifecycle.protect to false, apply that, then make the change.",
)
PROOF_FAILED: Final = Code(
    "E405",
    "unproven",
    "No order of calls is proven to work",
    Severity.ERROR,
    "Replayed on the model of the service, these operations do not reach the declared state under "
    "every reading of what nobody knows about it.",
    "If you know how your account behaves, pin the reading under api.assume in the project file.",
)

CODES: Final[tuple[Code, ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Code)
)
