"""fault: what a spec says, and that a wrong one is told with what would be right."""

from __future__ import annotations

import pytest

from reconciler.sandbox.fault import CallSubject, Effect, Fault, Numbers, RetryAfter, Share
from reconciler.sandbox.spec import read_fault

GET = frozenset({"get"})
UPDATE = frozenset({"update"})
READS = frozenset({"get", "persons", "applications", "match"})
ANY = READS | {"update", "personalize", "depersonalize", "token"}


@pytest.mark.parametrize(
    ("spec", "operations", "effect", "more"),
    [
        ("get:503", GET, Effect.STATUS, {"status": 503}),
        ("get:503,html", GET, Effect.STATUS, {"status": 503, "html": True}),
        ("any:reset@1%", ANY, Effect.RESET, {"when": Share(0.01)}),
        ("reads:empty@0.5%", READS, Effect.EMPTY, {"when": Share(0.005)}),
        ("get:html@#7", GET, Effect.HTML, {"when": Numbers(7, 7)}),
        ("get:garbage@#7-9", GET, Effect.GARBAGE, {"when": Numbers(7, 9)}),
        ("get:wrong-type@#7+", GET, Effect.WRONG_TYPE, {"when": Numbers(7, None)}),
        (
            "writes:hang,after",
            frozenset({"update", "personalize", "depersonalize"}),
            Effect.HANG,
            {"after": True},
        ),
        (
            "update:429@#1,retry-after=2",
            UPDATE,
            Effect.STATUS,
            {"status": 429, "when": Numbers(1, 1), "retry_after": RetryAfter(2, as_date=False)},
        ),
        (
            "update:429,retry-after=date:2,after",
            UPDATE,
            Effect.STATUS,
            {"status": 429, "retry_after": RetryAfter(2, as_date=True), "after": True},
        ),
        ("get:drip,seconds=.5", GET, Effect.DRIP, {"seconds": 0.5}),
        ("get:delay,after,seconds=3", GET, Effect.DELAY, {"seconds": 3.0, "after": True}),
        ("persons:vanish@#2", frozenset({"persons"}), Effect.VANISH, {"when": Numbers(2, 2)}),
        ("token:truncate", frozenset({"token"}), Effect.TRUNCATE, {}),
        ("get:rival,device=a/b", GET, Effect.RIVAL, {"device": "a/b"}),
        (
            'get:rival,set={"additionalData": {"a": 1, "b": null}, "owner": 3},device=x=y',
            GET,
            Effect.RIVAL,
            {"device": "x=y", "merge": {"additionalData": {"a": 1, "b": None}, "owner": 3}},
        ),
    ],
)
def test_a_spec_is_read(
    spec: str, operations: frozenset[str], effect: Effect, more: dict[str, object]
) -> None:
    """Operation, effect, when and options, in that order; the options in any."""
    assert Fault(spec, operations, effect, **more) == read_fault(spec)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("", "OPERATION:EFFECT[@WHEN][,OPTION]..., such as get:503@5%"),
        ("get503", "OPERATION:EFFECT"),
        ("gte:503", "no operation 'gte'. Did you mean get?"),
        ("get:50", "from 300 to 599"),
        ("get:200", "empty, garbage, html or wrong-type"),
        ("get:hnag", "no effect 'hnag'. Did you mean hang?"),
        ("get:status", "a status such as 503"),
        ("get:503@", "nothing for always"),
        ("get:503@5", "5% of the calls"),
        ("get:503@0%", "5% of the calls"),
        ("get:503@101%", "5% of the calls"),
        ("get:503@#0", "#7 (the seventh)"),
        ("get:503@#3-2", "#7-9"),
        ("get:503,", "no option ''"),
        ("get:503,aftr", "no option 'aftr'. Did you mean after?"),
        ("get:503,after,after", "after stands twice"),
        ("get:503,after=1", "it is written alone"),
        ("get:rival,set", "set has a value"),
        ("get:rival,after", "the call is carried out anyway"),
        ("get:503,seconds=2", "it is for hang, drip, delay"),
        ("get:hang,html", "it is for a status"),
        ("get:hang,seconds=0", "above 0"),
        ("get:hang,seconds=nan", "above 0"),
        ("get:hang,seconds=soon", "above 0"),
        ("get:429,retry-after=1.5", "whole seconds"),
        ("get:429,retry-after=date:", "whole seconds"),
        ('get:rival,set={"isPrimary": 1', "is no JSON"),
        ('get:rival,set={"isPrimary": true}x', "a comma goes between"),
        ("get:rival,set=[]", "a JSON object"),
        ('get:rival,set={"isPrimary": 1}', "isPrimary cannot be changed to that"),
        ('get:rival,set={"primary": true}', "there is no 'primary' to change; isPrimary"),
        ("token:rival", "about none"),
        ("token:503,device=x", "about no registration"),
        ("get:vanish", "persons:vanish"),
        ("persons:appear,device=x", "about no registration"),
    ],
)
def test_a_wrong_spec_is_told(spec: str, told: str) -> None:
    """The error begins with the spec, and says what is allowed."""
    with pytest.raises(ValueError) as raised:
        read_fault(spec)
    assert str(raised.value).startswith(f"{spec}: ")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("spec", "subject", "expected"),
    [
        ("get:503", CallSubject("get", "x"), True),
        ("get:503", CallSubject("update", "x"), False),
        ("any:503", CallSubject("token"), True),
        ("any:503,device=x", CallSubject("get", "x"), True),
        ("any:503,device=x", CallSubject("get", "y"), False),
        ("any:503,device=x", CallSubject("token"), False),
        ("any:rival", CallSubject("persons", "x"), True),
        ("any:rival", CallSubject("persons"), False),
        ("reads:appear", CallSubject("persons", is_page=True), True),
        ("reads:appear", CallSubject("persons"), False),
        ("reads:appear", CallSubject("get", "x"), False),
    ],
)
def test_which_calls_a_fault_is_for(spec: str, subject: CallSubject, expected: bool) -> None:
    """The operation and the device decide; a rival needs a registration, a shift a page."""
    assert expected == read_fault(spec).matches(subject)
