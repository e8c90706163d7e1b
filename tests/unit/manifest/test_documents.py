"""Documents keep the place of every key and value, whatever parser reads them."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.source import Source
from reconciler.manifest import yaml_events as events
from reconciler.manifest.documents import Document, read_documents
from reconciler.manifest.tree import Tree
from reconciler.manifest.yaml_events import FASTEST, Opener, pure_events

PARSERS = pytest.mark.parametrize("opener", [FASTEST, pure_events], ids=["libyaml", "pure"])
TEXT = """\
# a comment
a: 1
"b c":
  - x
  - {y: [2, 'three']}
č: &anchor {d: ~}
e: *anchor
---
second
"""


def only(text: str, opener: Opener = FASTEST) -> Document:
    found = read_documents("f.yaml", text.encode(), opener)
    assert found.diagnostics == []
    (document,) = found.documents
    return document


@PARSERS
def test_values_and_places_of_all_documents(opener: Opener) -> None:
    """Each key and each value is found by its path; an alias leads to where it was written."""
    found = read_documents("f.yaml", TEXT.encode(), opener)
    assert found.diagnostics == []
    first, second = found.documents
    assert first.tree == {
        "a": 1,
        "b c": ["x", {"y": [2, "three"]}],
        "č": {"d": None},
        "e": {"d": None},
    }
    assert (second.tree, second.number) == ("second", 2)
    assert second.places.value(()) == Source("f.yaml", 9, 1)
    places = first.places
    assert places.value(()) == Source("f.yaml", 2, 1)
    assert places.key(["b c"]) == Source("f.yaml", 3, 1)
    assert places.value(["b c"]) == Source("f.yaml", 4, 3)
    assert places.value(["b c", 1, "y", 1]) == Source("f.yaml", 5, 13)
    assert places.key(["č", "d"]) == Source("f.yaml", 6, 13)
    assert places.value(["e"]) == Source("f.yaml", 7, 4)
    assert places.key(["e", "d"]) == Source("f.yaml", 6, 13)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@PARSERS
def test_places_count_every_kind_of_line_end(end: str, opener: Opener) -> None:
    """Lines are what editors show as lines."""
    document = only(TEXT.split("---")[0].replace("\n", end), opener)
    assert document.places.key(["e"]) == Source("f.yaml", 7, 1)


@PARSERS
@pytest.mark.parametrize("marks", [1, 2])
def test_a_byte_order_mark_takes_no_column(opener: Opener, marks: int) -> None:
    """The mark that some editors write is no part of the text; joined files have several."""
    found = read_documents("f.yaml", b"\xef\xbb\xbf" * marks + b"a: 1\n", opener)
    assert found.documents[0].places.key(["a"]) == Source("f.yaml", 1, 1)


json_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text("aé\n\"\\ '🙂#:", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
Steps = tuple[str | int, ...]


def paths(tree: Tree, path: Steps = ()) -> Iterator[tuple[Steps, Tree]]:
    """Yield every value of a tree with its path."""
    yield path, tree
    match tree:
        case dict():
            for key, value in tree.items():
                yield from paths(value, (*path, key))
        case list():
            for number, item in enumerate(tree):
                yield from paths(item, (*path, number))


@given(tree=json_trees.filter(lambda tree: tree is not None), indent=st.sampled_from([None, 2]))
def test_json_is_read_as_json_and_every_place_is_right(tree: Tree, indent: int | None) -> None:
    """Any JSON gives its values, with both parsers, and each value begins at its place."""
    text = json.dumps(tree, ensure_ascii=False, indent=indent)
    lines = text.split("\n")
    for opener in (FASTEST, pure_events):
        document = only(text, opener)
        assert document.tree == tree
        for path, value in paths(tree):
            place = document.places.value(path)
            rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
            decoded, _ = json.JSONDecoder().raw_decode(rest)
            assert decoded == value


YAMLISH = st.text("[]{}:,-&*a \n\t'\"!?|>%#~1.", max_size=40)


@given(data=st.binary(max_size=60) | YAMLISH.map(str.encode))
def test_no_bytes_break_it(data: bytes) -> None:
    """Any bytes give documents or diagnostics, never an exception, with both parsers."""
    for opener in (FASTEST, pure_events):
        found = read_documents("f.yaml", data, opener)
        assert found.documents or found.diagnostics


@PARSERS
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        pytest.param("".join(f"{' ' * n}a:\n" for n in range(1_200)), 65, 65, id="block"),
        pytest.param("a: 1\n---\n" + "[" * 1_200, 3, 65, id="flow"),
        pytest.param("[" * 64 + "{a: " * 1_200, 1, 65, id="mixed"),
    ],
)
def test_nesting_is_too_deep_at_the_same_place(
    opener: Opener, text: str, line: int, column: int
) -> None:
    """Also where libyaml itself gives up before its events get there (0.2.6: over 1,000 levels)."""
    *_, found = read_documents("f.yaml", text.encode(), opener).diagnostics
    assert ("E114", Source("f.yaml", line, column)) == (found.code.id, found.source)


def test_documents_before_a_break_are_kept() -> None:
    """What was read whole before the text breaks is checked too."""
    found = read_documents("f.yaml", b"a: 1\n---\nb: [\n")
    assert [document.tree for document in found.documents] == [{"a": 1}]
    assert [str(one.source) for one in found.diagnostics] == ["f.yaml:4:1"]


@PARSERS
def test_escapes_of_no_character_are_errors(opener: Opener) -> None:
    """Half a surrogate pair and numbers beyond Unicode cannot be sent to anybody."""
    for escape in ("\\ud800", "\\UFFFFFFFF", "\\UF0000000"):
        found = read_documents("f.yaml", f'a: "{escape}"\n'.encode(), opener)
        assert [one.code.id for one in found.diagnostics] == ["E104"]


def test_anchors_end_with_their_document() -> None:
    """An alias does not reach into another document."""
    found = read_documents("f.yaml", b"a: &x 1\n---\nb: *x\n")
    assert [one.code.id for one in found.diagnostics] == ["E113"]


def test_modest_aliases_are_welcome() -> None:
    """A value that a thousand devices share is no bomb."""
    shared = "a: &a {x: 1, y: 2, z: 3}\n" + "".join(f"k{n}: *a\n" for n in range(1000))
    tree = only(shared).tree
    assert isinstance(tree, dict)
    assert len(tree) == 1001


def test_a_key_named_like_a_marker_is_an_ordinary_key() -> None:
    """The builder's own marks cannot be forged by a file."""
    assert only('{"\\0item": 1, "\\0drop": [2]}').tree == {"\0item": 1, "\0drop": [2]}


def test_many_duplicate_keys_are_all_told_quickly() -> None:
    """Ten thousand duplicates cost no square of that."""
    text = "".join(f"k{n}: 1\n" for n in range(10_000)) * 2
    assert len(read_documents("f.yaml", text.encode()).diagnostics) == 10_000


def test_without_libyaml_the_pure_parser_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML built without libyaml has no CParser, and that is no error."""
    genuine = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "yaml._yaml":
            raise ImportError(name)
        return cast(object, genuine(name, *rest))  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "yaml._yaml", raising=False)
    assert events.fastest_parser() is pure_events
