"""A project whose plan takes thirty calls: every kind of them, in chains, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from reconciler.state.local import LocalState
from tests.budgets import NO_BUDGETS

from .harness import Ran

Json = dict[str, Any]

RECORD: Final = ".reconciler/state.db"
APPLICATION: Final = "APPLICATION-ID-1"
PROJECT: Final = (
    NO_BUDGETS
    + """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 5000, update: 5000, personalize: 5000, depersonalize: 5000, persons: 5000}
  quotaShare: 1
applications:
  courier: {appCode: courier-app-code}
manifests: [devices.yaml]
"""
)


def registration(id_: str, owner: int | None = None, **more: Any) -> Json:
    found = {"registrationId": id_, "applicationId": APPLICATION, **more}
    return found if owner is None else {**found, "owner": owner}


def thirty() -> tuple[Json, Json]:
    """Return a world and a manifest that take thirty calls: every kind, and chains of them."""
    people = [
        {"id": n, "externalId": f"courier-{n}", "emails": [f"{n}@example.com"]}
        for n in range(1, 13)
    ]
    registrations: list[Json] = []
    devices: Json = {}
    for n in (1, 3, 5, 7):
        # From its owner to the next person, whose other phone was the primary one until now.
        registrations += [
            registration(
                f"handed-{n}", n, isPrimary=True, additionalData={"depot": n, "theme": "dark"}
            ),
            registration(f"other-{n}", n + 1, isPrimary=True),
        ]
        devices[f"handed-{n}"] = {
            "owner": f"p{n + 1}",
            "isPrimary": True,
            "additionalData": {"depot": n},
        }
        devices[f"other-{n}"] = {"isPrimary": False}
    for n in (9, 10):
        registrations.append(registration(f"found-{n}", additionalData={"theme": "dark"}))
        devices[f"found-{n}"] = {"owner": f"p{n}", "additionalData": {"shift": "night"}}
    for n in (9, 10, 11):
        registrations.append(registration(f"left-{n}", n))
        devices[f"left-{n}"] = {"owner": None}
    for n in (11, 12):
        registrations += [
            registration(f"first-{n}", n, isPrimary=True),
            registration(f"second-{n}", n),
        ]
        devices[f"first-{n}"] = {"owner": f"p{n}", "isPrimary": False}
        devices[f"second-{n}"] = {"owner": f"p{n}", "isPrimary": True}
    for n in range(7):
        registrations.append(registration(f"plain-{n}", additionalData={"depot": 0, "theme": n}))
        devices[f"plain-{n}"] = {
            "registrationEnabled": n % 2 == 0,
            "additionalData": {"depot": n + 1},
        }
    devices["as-it-is"] = {"registrationEnabled": True}
    registrations.append(registration("as-it-is"))
    world = {
        "applications": {"courier-app-code": APPLICATION},
        "people": people,
        "registrations": registrations,
    }
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "Devices",
        "application": "courier",
        "people": {f"p{n}": {"externalId": f"courier-{n}"} for n in range(1, 13)},
        "devices": devices,
    }
    return world, manifest


def entries(root: Path) -> Json:
    """Return what the state says of each device."""
    with LocalState.open(root / RECORD, create=False) as state:
        return dict(state.read().devices)


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"
