"""What `init` wrote, in an editor: offline, by the schema that the first line of each file names.

Needs yaml-language-server (npm install yaml-language-server) on PATH; `.ci/run` brings it along.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.engine.shipped_files import schema_bytes

from .editor import Editor, Message
from .harness import ROOT, Project

PROGRAM: Final = "yaml-language-server"
MANIFEST: Final = "devices/first.yaml"
PROJECT: Final = "reconciler.yaml"

pytestmark = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not on PATH")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository as `init` begins it."""
    project = Project(tmp_path_factory.mktemp("repository"))
    ran = project.run("init")
    assert ran.exit == 0, ran.err
    return project


def opened(project: Project, root: Path) -> Editor:
    program = shutil.which(PROGRAM)
    assert program is not None
    # Whatever it would fetch from the web, it cannot.
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    return Editor([program], root, {**project.environment(), **nowhere})


@pytest.fixture(scope="module")
def editor(project: Project) -> Iterator[Editor]:
    with opened(project, project.root) as editor:
        yield editor


def text_of(project: Project, path: str) -> str:
    return (project.root / path).read_text("utf-8")


def place(text: str, sought: str) -> tuple[int, int]:
    """Return line and character, from 0, of the one place where a text stands."""
    assert text.count(sought) == 1, sought
    before = text[: text.index(sought)]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)


def below(text: str, line: str, *more: str) -> tuple[str, int, int]:
    """Return the text with more lines below the one that holds `line`, and the last one's end."""
    lines = text.splitlines()
    at, _ = place(text, line)
    lines[at + 1 : at + 1] = more
    return "\n".join(lines) + "\n", at + len(more), len(more[-1])


def errors(marks: list[Message]) -> list[tuple[int, str]]:
    """Return the line of each mark, from 1, and what it says."""
    return [(mark["range"]["start"]["line"] + 1, mark["message"]) for mark in marks]


def test_what_init_wrote_is_right(editor: Editor, project: Project) -> None:
    """Nothing is marked in either file."""
    assert {path: editor.show(path, text_of(project, path)) for path in (MANIFEST, PROJECT)} == {
        MANIFEST: [],
        PROJECT: [],
    }


def test_the_fields_of_a_device_are_offered(editor: Editor, project: Project) -> None:
    """Those that the device has not yet, and no others."""
    written = ("label", "owner", "isPrimary", "additionalData")
    fields = properties("devices", "$defs", "device").keys()
    text, line, end = below(text_of(project, MANIFEST), "shift: day", "    ")
    editor.show(MANIFEST, text)

    assert editor.complete(MANIFEST, line, end) == fields - {*written} != set()


def test_the_fields_of_a_document_are_offered(editor: Editor, project: Project) -> None:
    """At the margin of the manifest."""
    text, line, end = below(text_of(project, MANIFEST), "application: courier\n", "")
    editor.show(MANIFEST, text)

    assert editor.complete(MANIFEST, line, end) == {"defaults", "removed"}


VALUES: Final = [
    pytest.param(("    registrationEnabled: ",), {"true", "false"}, id="boolean"),
    pytest.param(
        ("    lifecycle:", "      onRemove: "), {"release", "depersonalize"}, id="enumeration"
    ),
]


@pytest.mark.parametrize(("lines", "expected"), VALUES)
def test_the_values_of_a_field_are_offered(
    editor: Editor, project: Project, lines: tuple[str, ...], expected: set[str]
) -> None:
    """Where a field takes one of a few, all of them."""
    text, line, end = below(text_of(project, MANIFEST), "shift: day", *lines)
    editor.show(MANIFEST, text)

    assert editor.complete(MANIFEST, line, end) == expected


EXPLAINED: Final = [
    pytest.param(MANIFEST, "isPrimary: true", ("$defs", "isPrimary"), id="device"),
    pytest.param(MANIFEST, "externalId", ("$defs", "person", "externalId"), id="person"),
    pytest.param(MANIFEST, "application: ", ("application",), id="document"),
    pytest.param(PROJECT, "baseUrl", ("api", "baseUrl"), id="project"),
    pytest.param(PROJECT, "onRemove", ("onRemove",), id="setting"),
]


@pytest.mark.parametrize(("path", "word", "field"), EXPLAINED)
def test_a_field_is_explained(
    editor: Editor, project: Project, path: str, word: str, field: tuple[str, ...]
) -> None:
    """By its title and description in the schema, which lies in the repository."""
    name = "devices" if path == MANIFEST else "project"
    *above, last = field
    inner = properties(name, *above)[last]
    text = text_of(project, path)
    editor.show(path, text)
    shown = editor.hover(path, *place(text, word))

    assert plain(inner["title"]) in plain(shown)
    assert plain(inner["description"]) in plain(shown)
    assert (project.root / f"schemas/{name}.schema.json").as_uri() in shown


def properties(name: str, *path: str) -> Mapping[str, Any]:
    """Return the properties (or definitions) of a schema that lie at a path."""
    node: Mapping[str, Any] = json.loads(schema_bytes(name))
    for step in path:
        node = node["$defs"] if step == "$defs" else node.get("properties", node)[step]
    return node.get("properties", node)


def plain(text: str) -> str:
    """Return a text without what Markdown escapes or marks in it."""
    return re.sub(r"[\\`*&#\s]|nbsp;", "", text)


def test_a_wrong_field_is_marked_where_validate_names_it(
    editor: Editor, project: Project, tmp_path: Path
) -> None:
    """The same line, and nothing else."""
    wrong = text_of(project, MANIFEST).replace("isPrimary: true", "isPrimry: true")
    line = place(wrong, "isPrimry")[0] + 1
    marks = errors(editor.show(MANIFEST, wrong))
    elsewhere = Project(tmp_path)
    assert elsewhere.run("init").exit == 0
    elsewhere.write(MANIFEST, wrong)
    said = elsewhere.run("validate").err.splitlines()[0]

    assert marks == [(line, "Property isPrimry is not allowed.")]
    assert said.startswith(f"{MANIFEST}:{line}:5: error[E152]")


def test_a_wrong_value_of_the_project_is_marked(editor: Editor, project: Project) -> None:
    """The project file names its schema too."""
    wrong = text_of(project, PROJECT).replace("onRemove: release", "onRemove: forget!")
    ((line, said),) = errors(editor.show(PROJECT, wrong))

    assert line == place(wrong, "forget!")[0] + 1
    assert "depersonalize" in said


def test_it_is_the_first_line_that_does_it(editor: Editor, project: Project) -> None:
    """Without it a wrong field passes: nothing of the above came from anywhere else."""
    wrong = text_of(project, MANIFEST).replace("isPrimary: true", "isPrimry: true")
    _, _, rest = wrong.partition("\n")

    assert wrong.startswith("# yaml-language-server: $schema=../schemas/devices.schema.json\n")
    assert editor.show(MANIFEST, rest) == []
    assert editor.show(MANIFEST, wrong) != []


@pytest.mark.parametrize("name", ["courier-fleet", "minimal"])
def test_the_examples_are_explained_where_they_are(project: Project, name: str) -> None:
    """In the checkout the schemas lie beside the examples."""
    root = ROOT / "examples" / name
    paths = ["reconciler.yaml", *(f"devices/{one.name}" for one in (root / "devices").iterdir())]
    with opened(project, root) as editor:
        for path in paths:
            text = (root / path).read_text("utf-8")
            assert editor.show(path, text) == [], path
            line = text.splitlines().index("apiVersion: reconciler/v1")
            assert "Version of the format" in editor.hover(path, line, 0)
