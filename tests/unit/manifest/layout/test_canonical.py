"""`fmt`: each folder of canonical/ is a file and its canonical layout; and what is never done."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from reconciler.core.device import Owner
from reconciler.core.secret import Secret
from reconciler.manifest.documents import read_documents
from reconciler.manifest.import_entries import make_entries
from reconciler.manifest.layout import canonical as module
from reconciler.manifest.layout.canonical import MeaningChanged, format_file, is_ours
from reconciler.manifest.layout.key_order import Orders
from reconciler.manifest.layout.line_diff import unified_diff
from reconciler.manifest.layout.parser import read_pages
from reconciler.manifest.layout.redacted_diff import redacted_diff
from reconciler.manifest.layout.syntax_tree import all_comments
from reconciler.manifest.people import ATTRIBUTES
from reconciler.manifest.writing import ManifestDirectory, make_manifests
from reconciler.manifest.yaml_events import FASTEST, Opener, pure_events
from tests.fleet import desired, device, email, external, owner, person, phone, registration
from tests.unit.manifest.reading import ROOT
from tests.unit.manifest.test_writing import live

SCHEMAS = ROOT / "schemas"
ORDERS = Orders(
    (SCHEMAS / f"{name}.schema.json").read_bytes()
    for name in ("project", "devices", "people", "consent")
)
GOLDEN = Path(__file__).parent / "canonical"
CASES = sorted(path.name for path in GOLDEN.iterdir())
HOSTILE = sorted((ROOT / "tests" / "fixtures" / "hostile").glob("*/*.yaml"))
HEAD = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
OPENERS = [pytest.param(FASTEST, id="fastest"), pytest.param(pure_events, id="pure")]


def formatted(text: str | bytes, opener: Opener = FASTEST) -> str:
    data = text.encode() if isinstance(text, str) else text
    found = format_file("a.yaml", data, ORDERS, opener)
    assert found.value is not None, found.diagnostics
    return found.value.decode()


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("case", CASES)
def test_a_file_gets_its_canonical_layout(case: str, opener: Opener, update_golden: bool) -> None:
    """As written down, with either parser; what came out is left as it is."""
    text = formatted((GOLDEN / case / "before.yaml").read_bytes(), opener)
    golden = GOLDEN / case / "after.yaml"
    if update_golden:
        golden.write_text(text, "utf-8")

    assert golden.read_text("utf-8") == text
    assert text == formatted(text, opener)


def test_there_are_layouts() -> None:
    """Without folders the test above would pass."""
    assert len(CASES) >= 8


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.parent.name)
def test_a_hostile_file_is_told_or_means_the_same(file: Path) -> None:
    """Mistakes of syntax are those of the reader; whatever it reads is formatted."""
    data = file.read_bytes()
    read = read_documents(file.name, data)
    found = format_file(file.name, data, ORDERS)

    if read.diagnostics:
        assert found.value is None
        assert Counter(read.diagnostics) == Counter(found.diagnostics)
        return
    assert found.value is not None
    again = read_documents(file.name, found.value)
    assert json.dumps([one.tree for one in read.documents], sort_keys=True) == json.dumps(
        [one.tree for one in again.documents], sort_keys=True
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a: 1", "a: 1.0", id="number"),
        pytest.param("a: 1", 'a: "1"', id="text"),
        pytest.param("a: 1", "a: true", id="truth"),
        pytest.param("a: 0.0", "a: -0.0", id="zero"),
        pytest.param("a: [1, 2]", "a: [2, 1]", id="list"),
        pytest.param("a: null", "a: {}", id="nothing"),
        pytest.param("a: 1\nb: 2", "a: 1", id="key"),
        pytest.param("a: 1\n---\nb: 2", "a: 1", id="document"),
        pytest.param("a: 1", "a: {", id="syntax"),
        pytest.param("# one\na: 1  # two", "# one\na: 1", id="comment"),
        pytest.param("a: 1  # two", "a: 1  # too", id="comment-text"),
    ],
)
def test_another_meaning_is_never_written(
    before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a fault of the layout would make of a file, it is found out."""
    assert formatted(before)
    monkeypatch.setattr(module, "write_pages", lambda pages, orders: f"{after}\n")

    with pytest.raises(MeaningChanged):
        formatted(before)


def test_the_order_of_keys_is_no_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is not so strict that it would refuse what is wanted."""
    monkeypatch.setattr(module, "write_pages", lambda pages, orders: "b: 2\na: 1\n")

    assert formatted("a: 1\nb: 2\n") == "b: 2\na: 1\n"


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_lines_end_in_line_feeds(ends: str) -> None:
    """Windows' line ends and a byte order mark go, as gofmt has it; a text keeps its lines."""
    text = f"{HEAD}devices:\n  A:\n    label: |\n      one\n      two\n"

    assert text == formatted(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())


def test_the_last_line_ends() -> None:
    """Also of a text block that ends with the file, which has no line end in it then."""
    assert formatted("a: |\n  text") == "a: |-\n  text\n"
    assert formatted("a: 1") == "a: 1\n"


def test_a_long_line_stays_one() -> None:
    """Nothing is folded."""
    text = f"{HEAD}devices:\n  A: {{label: {'long ' * 100}x}}\n"

    assert text == formatted(text)


@pytest.mark.parametrize("length", [300, 1000, 1100])
def test_a_long_key_is_a_key_still(length: int) -> None:
    """It is marked as one where parsers give up on it, and only there."""
    before = (
        f"? {'k' * length} # one\n: # two\n  a: 1\nb:\n- ? {'m' * length}\n  : 2\n"
        f"c: {{d: 3, ? {'n' * length} : 4}}\n"
    )
    text = formatted(before)

    assert text.count("? ") == (3 if length > 1000 else 0)
    assert text == formatted(text)
    assert "# one" in text
    assert "# two" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(" --- # one\n", "  ---  # one\n", id="text"),
        pytest.param("---\n ---\n and more\n", "---\n  ---\n  and more\n", id="lines"),
        pytest.param(" ... a: 1\n", '"... a": 1\n', id="key"),
        pytest.param("----: ---\n", "----: ---\n", id="none"),
    ],
)
def test_what_looks_like_a_mark_between_documents_becomes_none(before: str, after: str) -> None:
    """A text that stood further right has to stay there, or be quoted."""
    assert formatted(before) == after
    assert formatted(after) == after


def test_keys_stay_where_an_alias_counts_on_it() -> None:
    """`owner` would come before the anchor that it names."""
    text = f"{HEAD}devices:\n  A: {{isPrimary: &yes true}}\n  B: {{isPrimary: *yes, label: x}}\n"

    assert text == formatted(text)


def test_what_import_writes_is_canonical() -> None:
    """People of other manifests too, whose values and attributes come in another order."""
    ana = owner(
        "ana",
        external("courier-118"),
        phone("385911234567"),
        email("ana@example.com"),
        attributes=Secret({"tags": ["x"], "customAttributes": {"b": 1, "a": 2}, "lastName": "A"}),
    )
    assert isinstance(ana, Owner)
    found = live(
        registration("B", is_primary=True, data={"on": "Žuti kombi", "x": "2027-03-31", "y": " "}),
        registration("A", enabled=False, data={"n": 1e16, "t": "a\u202eb", "u": "Žuti kombi"}),
        B=person(7, external("courier-118"), phone("385911234567"), email("ana@example.com")),
    )
    place = ManifestDirectory("devices", frozenset(), "../schemas/devices.schema.json", 256 * 1024)
    declared = desired(device("Z", owner=ana))
    [file] = make_manifests(make_entries(found, "courier", declared), "courier", place)

    assert "attributes: {lastName: A, customAttributes: {b: 1, a: 2}, tags: [x]}" in file.text
    assert file.text == formatted(file.text)


def test_attributes_are_in_the_order_of_the_schema() -> None:
    """`import` has the order from a list of its own."""
    schema = json.loads((SCHEMAS / "people.schema.json").read_bytes())

    assert list(schema["$defs"]["person"]["properties"]["attributes"]["properties"]) == list(
        ATTRIBUTES
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"apiVersion: reconciler/v1", True),
        (b'{"apiVersion": "reconciler/v1"', True),
        (b"---\n'apiVersion' : 'reconciler/v2'", True),
        (b"apiVersion: apps/v1\nkind: Deployment", False),
        (b"on: push", False),
        (b"# reconciler/v1", False),
        (b"kind: ConfigMap\ndata:\n  a.yaml: |\n    apiVersion: reconciler/v1\n", False),
        (b"# apiVersion: reconciler/v1\non: push", False),
        (b"a: !tag b\nrun: |\n  apiVersion: reconciler/v1\n", False),
        (b"a: 1\n---\n- 2\n---\nkind: Devices\napiVersion: reconciler/v1", True),
    ],
)
def test_whose_file_it_is(text: bytes, expected: bool) -> None:
    """By the apiVersion of a document, wherever that stands and however broken the rest is."""
    assert is_ours(text) is expected


def test_a_difference_shows_the_layout_and_no_value() -> None:
    """Identity values, attributes, data and secrets are veiled, wherever they stand."""
    before = (
        f"{HEAD}people:\n  ana:   {{phoneNumber: '+385911234567', externalId: courier-118}}\n"
        "  ivo: {attributes: {firstName: Secretname, customAttributes: {label: Secretlabel}}}\n"
        "devices:\n  A: {owner: {email: ana@example.com}, label:  'Pool'}\n"
        "  B: {additionalData: {label: private, note: |\n }}\n".replace("|\n ", "'over\n    lines'")
        + "---\nkind: Project\napi: {auth: {apiKey:  hunter2, token: '${TOKEN}'}}\n"
    )
    shown = redacted_diff("a.yaml", before.encode(), formatted(before).encode())

    for value in ("385", "courier-118", "Secret", "example.com", "private", "over", "hunter2"):
        assert value in before
        assert value not in shown
    assert (
        "-  ana:   {phoneNumber: '…', externalId: …}\n+  ana: {externalId: …, phoneNumber: \"…\"}"
        in (shown)
    )
    assert "label: Pool" in shown
    assert "${TOKEN}" in shown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("  '{}':\n    label: …\n\n", "  {}:\n    label: …\n\n", id="quotes"),
        pytest.param("  {}: {{a: …}}\n  b:\n", "  {}:  {{a: …}}\n  b:\n", id="blanks"),
    ],
)
def test_a_fleet_is_compared_in_no_time(before: str, after: str) -> None:
    """No line of an id is the same, and the others repeat themselves."""
    fleet = range(10_000, 20_000)
    old, new = ("".join(one.format(number) for number in fleet) for one in (before, after))
    lines = unified_diff("a.yaml", old, new).splitlines()

    assert [line for line in lines if line.startswith("-")] == [
        "--- a/a.yaml",
        *("-" + before.format(number).partition("\n")[0] for number in fleet),
    ]
    assert sum(line.startswith("+") for line in lines) == len(fleet) + 1


def test_lines_that_are_all_the_same_are_compared_in_no_time() -> None:
    """A list of a thousand veiled values, of which one lost a blank."""
    lines = ["- …\n"] * 5_000
    shown = unified_diff(
        "a.yaml", "".join([*lines, "-  …\n", *lines]), "".join([*lines, *lines[:1], *lines])
    )

    assert shown.splitlines()[2:] == [
        "@@ -4998,7 +4998,7 @@",
        *[" - …"] * 3,
        "--  …",
        "+- …",
        *[" - …"] * 3,
    ]


def test_every_comment_of_a_text_is_seen() -> None:
    """A `#` within a text is none."""
    text = "# one\na: 'b # no'  # two\n\nc: # three\n  - d#no # four\n  # five\n...\n# six\n"

    assert sorted(all_comments(read_pages(text))) == sorted(
        f"# {one}" for one in ("one", "two", "three", "four", "five", "six")
    )
