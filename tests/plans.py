"""Hand-made plans, for tests that need a plan and not the making of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote

from reconciler.core.fields import OWNER, Reason, Scalar, data_path
from reconciler.plan.model import (
    FORMAT_VERSION,
    NOBODY,
    Action,
    CallCounts,
    Change,
    Coverage,
    Drift,
    FieldChange,
    Forecast,
    ForecastCalls,
    Inputs,
    Plan,
    PlanError,
    PlannedCall,
    PlanWarning,
    Proposal,
    ReadCounts,
    Reads,
    Refusal,
    Risk,
    StateRef,
    Summary,
)

PERSON = "devices/zg.yaml#people."


def field(
    path: str, before: Scalar | None, after: Scalar | None, reason: Reason = Reason.DECLARED
) -> FieldChange:
    """One field; a key of additionalData by its path."""
    return FieldChange(path, before, after, reason)


def change(
    device: str,
    *fields: FieldChange,
    label: str | None = None,
    application: str = "courier",
    source: str | None = "devices/zg.yaml:14:3",
    actions: Sequence[Action] = (Action.UPDATE,),
    risks: Sequence[Risk] = (),
    declared: bool = True,
) -> Change:
    """One change; `declared` is False for a device that left the files."""
    return Change(
        device=device,
        application=application,
        label=label,
        source=source,
        declaration="d" * 32 if declared else None,
        before="b" * 32,
        actions=tuple(actions),
        fields=fields,
        risks=tuple(risks),
    )


def drift(device: str, *fields: FieldChange, label: str | None = None) -> Drift:
    """Drift that is only reported."""
    return Drift(device, "courier", label, "devices/zg.yaml:30:3", fields)


def proposal(
    device: str,
    replacement: str | None = None,
    *,
    label: str | None = None,
    model: str | None = "Fairphone FP5",
    could_be: int = 1,
) -> Proposal:
    """A gone device that may be back."""
    return Proposal(
        device,
        "courier",
        label,
        "devices/zg.yaml:50:3",
        f"{PERSON}ana",
        replacement,
        model,
        could_be,
    )


def calls_for(changes: Iterable[Change]) -> tuple[PlannedCall, ...]:
    """Plain calls for the actions of changes, each needing the one before it on its device."""
    found: list[PlannedCall] = []
    for item in changes:
        before: tuple[str, ...] = ()
        for action in item.actions:
            if action in (Action.ADOPT, Action.RELEASE, Action.GONE):
                continue
            path = "/people/2/contactInformation/push/" + quote(
                item.device, safe="", errors="replace"
            )
            body: dict[str, object] | None = None
            query: dict[str, str] = {}
            method = "POST"
            if action is Action.UPDATE:
                method = "PATCH"
                body = {one.path: one.after for one in item.fields if one.path != OWNER}
            else:
                path += f"/{action.value}"
            if action is Action.PERSONALIZE:
                owner = next(one for one in item.fields if one.path == OWNER)
                body = {"identity": {"$person": owner.after}}
                query = {} if owner.before == NOBODY else {"forceDepersonalize": "true"}
            found.append(
                PlannedCall(
                    id=f"{action.value}/{item.device}",
                    operation=action.value,
                    device=item.device,
                    method=method,
                    path=path,
                    query=query,
                    body=body,
                    after=before,
                    needs=before,
                    carry_undeclared=action is Action.UPDATE,
                )
            )
            before = (found[-1].id,)
    return tuple(found)


def reads_for(kinds: Sequence[str]) -> ForecastCalls:
    """The calls of these kinds with the reads before them."""
    attached, detached = kinds.count("personalize"), kinds.count("depersonalize")
    updated = kinds.count("update")
    return ForecastCalls(len(kinds), 2 * attached + detached, updated, attached, detached)


def plan(
    *changes: Change,
    drift: Sequence[Drift] = (),
    proposals: Sequence[Proposal] = (),
    warnings: Sequence[PlanWarning] = (),
    errors: Sequence[PlanError] = (),
    refusals: Sequence[Refusal] = (),
    devices: int = 100,
) -> Plan:
    """A whole plan with calls and a summary that fit its changes."""
    calls = calls_for(changes)
    kinds = [call.operation for call in calls]
    called = {call.device for call in calls}
    gone = sum(Action.GONE in item.actions for item in changes)
    withheld = len({device for error in errors for device in error.devices})
    declared = {item.device for item in changes if item.declaration is not None}
    return Plan(
        format_version=FORMAT_VERSION,
        id="01J9ZQ4M8T",
        created_at="2026-03-31T09:30:00Z",
        inputs=Inputs(StateRef("6c1f0d5e", 7), "4f2a9c1e77"),
        summary=Summary(
            devices=devices,
            unchanged=devices - len(called & declared) - gone - withheld,
            changed=len(called),
            adopt=sum(Action.ADOPT in item.actions for item in changes),
            gone=gone,
            released=sum(Action.RELEASE in item.actions for item in changes),
            withheld=withheld,
            calls=CallCounts(
                kinds.count("update"), kinds.count("personalize"), kinds.count("depersonalize")
            ),
            forecast_seconds=len(calls) / 40,
        ),
        reads=Reads("points", ReadCounts(devices, 0)),
        coverage=Coverage(chosen=devices),
        forecast=Forecast(len(calls) / 40, reads_for(kinds)),
        changes=changes,
        proposals=tuple(proposals),
        drift=tuple(drift),
        calls=calls,
        warnings=tuple(warnings),
        errors=tuple(errors),
        refusals=tuple(refusals),
        digest="9e107d9d372bb6826bd81d3542a419d6",
    )


def empty() -> Plan:
    """A plan of a hundred devices that are as declared."""
    return plan()


def everything() -> Plan:
    """A plan that has something in every section."""
    ana, ivo = f"{PERSON}ana", f"{PERSON}ivo"
    fleet = [
        change(
            f"F{number:07d}-0000-4000-8000-000000000000",
            field(data_path("tier"), "a", "b"),
            source=f"devices/{'zg' if number % 3 else 'st'}.yaml:{20 + number}:3",
        )
        for number in range(12)
    ]
    return plan(
        change(
            "8621824C-86B2-41F7-BF6F-20D3B1426005",
            field(OWNER, "person 1844", ana),
            field("isPrimary", False, True),
            field("registrationEnabled", True, False, Reason.DRIFT),
            field(data_path("contractEnds"), None, "2027-03-31"),
            field(data_path("oldKey"), "x", None, Reason.REMOVED),
            field(data_path("shift"), "day", "night"),
            label="Ana's phone",
            actions=(Action.PERSONALIZE, Action.UPDATE),
            risks=(Risk.OWNER_CHANGE, Risk.PRIMARY_CHANGE, Risk.KEY_REMOVAL, Risk.DISABLE),
        ),
        change(
            "9A000000-0000-4000-8000-000000000001",
            field(OWNER, ivo, NOBODY),
            label="Spare",
            source="devices/zg.yaml:26:3",
            actions=(Action.DEPERSONALIZE,),
            risks=(Risk.DETACH,),
        ),
        change(
            "9A000000-0000-4000-8000-000000000002",
            field(OWNER, ivo, NOBODY, Reason.REMOVED),
            source=None,
            actions=(Action.DEPERSONALIZE,),
            risks=(Risk.DETACH,),
            declared=False,
        ),
        change(
            "9B000000-0000-4000-8000-000000000003",
            field(OWNER, NOBODY, ivo),
            field(data_path("distance"), 12, 12.5),
            label="Ivo's tablet",
            source="devices/zg.yaml:34:3",
            actions=(Action.PERSONALIZE, Action.UPDATE),
        ),
        *fleet,
        change("AD000000-0000-4000-8000-000000000004", label="Van 3", actions=(Action.ADOPT,)),
        change("AD000000-0000-4000-8000-000000000005", actions=(Action.ADOPT,)),
        change(
            "BE000000-0000-4000-8000-000000000006",
            source="devices/removed.yaml:4:3",
            actions=(Action.RELEASE,),
            declared=False,
        ),
        change("C0000000-0000-4000-8000-000000000007", label="Lost", actions=(Action.GONE,)),
        proposals=[
            proposal("C1", "C1000000-0000-4000-8000-00000000000B", label="Ana's old"),
            proposal("C2", "C2000000-0000-4000-8000-00000000000C", model=None),
            proposal("C3", could_be=2),
            proposal("C4"),
            proposal("C5", could_be=0),
            proposal("C6", could_be=0),
        ],
        drift=[
            drift(
                "D0000000-0000-4000-8000-000000000008",
                field(OWNER, "person 1990", ivo, Reason.DRIFT),
                label="Depot",
            )
        ],
        warnings=[
            PlanWarning(
                "sibling-loses-primary",
                "E0000000-0000-4000-8000-000000000009",
                "E0000000-0000-4000-8000-000000000009 loses isPrimary: "
                "8621824C-86B2-41F7-BF6F-20D3B1426005 of the same person becomes primary",
                ("isPrimary",),
                "devices/zg.yaml:14:3",
            )
        ],
        errors=[
            PlanError(
                "E403",
                "two-live-primaries",
                "EA000000-0000-4000-8000-00000000000A and EB000000-0000-4000-8000-00000000000B "
                "are declared primary, and belong to one person",
                ("EA000000-0000-4000-8000-00000000000A", "EB000000-0000-4000-8000-00000000000B"),
                "devices/zg.yaml:61:3",
                ("EB000000-0000-4000-8000-00000000000B at devices/zg.yaml:70:3",),
                "Declare isPrimary: true on one of them only.",
            )
        ],
        refusals=[
            Refusal(
                "leaving",
                "40 of 100 devices in the state left the files",
                "40 devices (40%)",
                "10% of the devices in the state, or 3",
                "if it is meant: --accept leaving=40",
            )
        ],
    )


HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "line one\nPlan: 0 to change.\r\n",
    "abc\u202egnp.exe\u2066",
    "in\u200bvis\u2060ible\ufeff\u00ad\u3164",
    "\x9b31mred\x7f",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "--><h1>x</h1><!-- @octocat #1 https://evil.example/ www.evil.example",
    "`rm -rf` | **bold** | [a](javascript:alert(1)) \\| \\",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "a" * 4096,
    "\u0300" * 50 + "z\u0301\u0302\u0303\u0304\u0305\u0306",
    "\ud800 lone",
    "\U000e0041\U000e0042 tags",
    "",
    " ",
)


def hostile(texts: Sequence[str] = HOSTILE) -> Plan:
    """A plan in which every place a stranger can write to holds something vile."""
    changes: list[Change] = []
    for index, text in enumerate(texts):
        other = texts[index - 1]
        changes.append(
            change(
                f"{index}{text}",
                field(OWNER, f"{PERSON}{text}", f"{other}#people.x"),
                field(data_path(text), text, other),
                field(data_path(f"{text}2"), None, text),
                field(data_path(f"{text}3"), text, None),
                label=text,
                source=f"devices/{text}.yaml:1:1",
                actions=(Action.PERSONALIZE, Action.UPDATE),
                risks=tuple(Risk),
            )
        )
        for action in (Action.ADOPT, Action.RELEASE, Action.GONE):
            changes.append(change(f"{action}{text}", label=text, source=text, actions=(action,)))
    return plan(
        *changes,
        proposals=[
            Proposal(text, text, text, text, text, new, text, 1)
            for text in texts
            for new in (text, None)
        ],
        drift=[drift(text, field(data_path(text), text, None), label=text) for text in texts],
        warnings=[PlanWarning("note", text, f"{text}: {text}", (text,), text) for text in texts],
        errors=[
            PlanError("E401", "x", text, (text, f"{text}2"), text, (text,), text) for text in texts
        ],
        refusals=[Refusal("guard", text, text, text, text) for text in texts],
    )


@lru_cache(maxsize=4)
def large(count: int, *, alike: bool = False) -> Plan:
    """A plan of so many changes; all different, or all the same; made once."""
    return plan(
        *(
            change(
                f"{number:08X}-86B2-41F7-BF6F-20D3B1426005",
                field(data_path("tier"), "a", "b" if alike else f"b{number}"),
                field(data_path("shift"), "day", "night", Reason.DRIFT),
                field("registrationEnabled", True, False),
                label=f"Phone {number}",
                source=f"devices/{number % 10}.yaml:{number + 10}:3",
                risks=(Risk.DISABLE,),
            )
            for number in range(count)
        ),
        devices=count,
    )
