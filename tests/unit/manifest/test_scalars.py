"""Plain scalars are those of YAML 1.2's core, as far as a manifest knows them."""

from __future__ import annotations

import pytest

from reconciler.core import codes
from reconciler.core.diagnostics import Code
from reconciler.manifest.scalars import PLAIN_STARTS, Refused, parse_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-17", -17),
        ("+385", 385),
        ("9223372036854775807", 9223372036854775807),
        ("-9223372036854775808", -9223372036854775808),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1e3", -1000.0),
        ("0.10", 0.1),
        ("2028-02-29", "2028-02-29"),
    ],
)
def test_what_is_not_a_string(text: str, value: object) -> None:
    """Null, booleans, decimal numbers and dates; a date stays its text."""
    assert (type(value), value) == (type(parse_plain(text)), parse_plain(text))
    assert text[:1] in PLAIN_STARTS


STRINGS = """
on no yes off True TRUE Null NULL y n 0123 00 12:30 1_000 0x1F 0o17 1e 1.2.3 -- - + .
2027-3-31 27-03-31 2027-03-31T10:00:00Z 2027-03-31x NaN inf nan .nanx ٣ 1٣ trueish nullable
1,000 +-1 e5 <<
"""


@pytest.mark.parametrize("text", STRINGS.split())
def test_what_is_a_string(text: str) -> None:
    """Everything else, above all what YAML 1.1 took for booleans, octals and clock times."""
    assert parse_plain(text) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (".nan", codes.NOT_A_NUMBER),
        (".NaN", codes.NOT_A_NUMBER),
        ("-.inf", codes.NOT_A_NUMBER),
        ("+.INF", codes.NOT_A_NUMBER),
        ("9223372036854775808", codes.NUMBER_OUT_OF_RANGE),
        ("-9223372036854775809", codes.NUMBER_OUT_OF_RANGE),
        ("9223372036854775808.0", codes.NUMBER_OUT_OF_RANGE),
        ("1e400", codes.NUMBER_OUT_OF_RANGE),
        ("-" + "9" * 10_000, codes.NUMBER_OUT_OF_RANGE),
        ("2027-02-29", codes.NO_SUCH_DAY),
        ("0000-01-01", codes.NO_SUCH_DAY),
    ],
)
def test_what_is_refused(text: str, code: Code) -> None:
    """Numbers that no service takes, and days that no calendar has."""
    with pytest.raises(Refused) as refused:
        parse_plain(text)
    assert code == refused.value.code
