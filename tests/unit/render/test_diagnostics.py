"""Diagnostics hold the same facts in each form, and nothing hostile acts in any."""

from __future__ import annotations

import json as stdlib_json

import pytest

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic, Severity
from reconciler.core.source import Source
from reconciler.render.diagnostics import github, json, sarif, text

PRIMARIES = Diagnostic(
    codes.TWO_PRIMARIES,
    "Two primary devices for one person",
    Source("devices/zg.yaml", 14, 13),
    detail=("A and B",),
    related=((Source("devices/st.yaml", 3, 5), "the first one"),),
)
WARNING = Diagnostic(
    Code("W901", "careful", "Careful", Severity.WARNING, "It is.", "Do not."), "Careful", None
)
HOSTILE = Diagnostic(
    codes.UNKNOWN_FIELD,
    "Unknown: \x1b[31m\n::error::x\u202e",
    Source("a,b:c\n.yaml", 1, 1),
    fix="100% \r sure",
)


def test_text_says_place_what_why_and_last_the_fix() -> None:
    """One line that editors understand, the rest indented below."""
    expected = """\
devices/zg.yaml:14:13: error[E204]: Two primary devices for one person
  A and B
  the first one: devices/st.yaml:3:5
  why: A person has one primary device, of all applications.
  fix: Keep isPrimary: true on one of them, and declare isPrimary: false on the other.
warning[W901]: Careful
  why: It is.
  fix: Do not.
"""
    assert expected == text([PRIMARIES, WARNING])


def test_json_holds_all_of_it_and_the_counts() -> None:
    """Programs get the fields apart."""
    assert stdlib_json.loads(json([PRIMARIES, WARNING])) == {
        "formatVersion": "1.0",
        "summary": {"errors": 1, "warnings": 1},
        "diagnostics": [
            {
                "code": "E204",
                "slug": "two-primaries",
                "severity": "error",
                "title": "Two primary devices for one person",
                "message": "Two primary devices for one person",
                "file": "devices/zg.yaml",
                "line": 14,
                "column": 13,
                "detail": ["A and B"],
                "why": codes.TWO_PRIMARIES.why,
                "fix": codes.TWO_PRIMARIES.fix,
                "related": [
                    {
                        "message": "the first one",
                        "file": "devices/st.yaml",
                        "line": 3,
                        "column": 5,
                    }
                ],
            },
            {
                "code": "W901",
                "slug": "careful",
                "severity": "warning",
                "title": "Careful",
                "message": "Careful",
                "file": None,
                "line": None,
                "column": None,
                "detail": [],
                "why": "It is.",
                "fix": "Do not.",
                "related": [],
            },
        ],
    }


def test_github_gets_one_command_a_diagnostic() -> None:
    """Line ends are escaped, so that the rest shows in the annotation."""
    first, second = github([PRIMARIES, WARNING]).splitlines()
    assert first.startswith(
        "::error title=E204 Two primary devices for one person,file=devices/zg.yaml,line=14,col=13"
        "::Two primary devices for one person%0AA and B%0Athe first one: devices/st.yaml:3:5%0Awhy:"
    )
    assert second == "::warning title=W901 Careful::Careful%0Awhy: It is.%0Afix: Do not."


def test_sarif_has_rules_results_and_places() -> None:
    """What code scanning needs; a diagnostic without a place has no location."""
    document = stdlib_json.loads(sarif([PRIMARIES, WARNING, PRIMARIES]))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E204", "W901"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "devices/zg.yaml"},
        "region": {"startLine": 14, "startColumn": 13},
    }
    assert "locations" not in run["results"][1]


def test_strangers_write_no_lines_commands_or_escapes() -> None:
    """A hostile file name or key neither moves the cursor nor begins a line of its own."""
    lines = text([HOSTILE]).splitlines()
    assert [line[:2] for line in lines[1:]] == ["  ", "  "]
    assert "\x1b" not in text([HOSTILE])
    assert "\u202e" not in text([HOSTILE])
    (command,) = github([HOSTILE]).splitlines()
    assert "file=a%2Cb%3Ac%0A.yaml,line=1" in command
    assert "fix: 100%25" in command
    uri = stdlib_json.loads(sarif([HOSTILE]))["runs"][0]["results"][0]["locations"][0]
    assert uri["physicalLocation"]["artifactLocation"]["uri"] == "a%2Cb%3Ac%0A.yaml"


@pytest.mark.parametrize("form", [text, github])
def test_nothing_is_nothing(form: object) -> None:
    """Without diagnostics the forms for people are empty."""
    assert callable(form)
    assert form([]) == ""
