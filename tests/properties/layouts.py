"""Manifests as people and other programs lay them out: any indentation, quotes and comments.

Every comment is `# c` and a number of its own, so that a lost one is seen.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

KEYS = [
    *("apiVersion", "application", "people", "defaults", "devices", "removed", "label", "owner"),
    *("isPrimary", "registrationEnabled", "additionalData", "lifecycle", "protect", "ignore"),
    *("externalId", "email", "attributes", "tags", "firstName", "žuto", "a b", "x-1", "y", "on"),
    *("8621824C-86B2-41F7-BF6F-20D3B1426005", "0123", "2027-03-31", "it's", "#", ": ", "[x", ""),
]
PLAIN = [
    *("night", "on", "0123", "12:30", "1", "1.0", "1e3", "-0.0", "true", "True", "null", "~"),
    *("2027-03-31", "Ana's", "http://a.b/c#d", "a  b", "x:y", "-1", "žuto", "courier-118"),
]
TEXTS = [
    *("night", "on", "0123", "+385911234567", "1", "true", "", " ", "2027-03-31", "it's", 'a "b"'),
    *("a: b", "a # b", "#", "žuto kombi", "Ana's phone", "a, b", "\\", "- x", "N", "end ", "`"),
]
ESCAPED = [r'"a\tb"', r'"\u017Duti kombi"', r'"a\u202eb"', r'"\\"', r'"a\nb"', r'"word\x20"']


class _Writer:
    """Draws a text line by line, and counts its comments."""

    def __init__(self, draw: DrawFn) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.count = 0
        self.anchors: list[str] = []

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def one(self, options: list[str]) -> str:
        return self.draw(st.sampled_from(options))

    def comment(self) -> str:
        self.count += 1
        return f"# c{self.count}" + self.one(["", "", " # more", ": x", " 'y", "  ", " }]"])

    def eol(self) -> str:
        return self.one([" ", "   ", "\t"]) + self.comment() if self.chance(25) else ""

    def between(self, *columns: int) -> None:
        """Blank lines and comments, at any of the columns."""
        for _ in range(self.draw(st.integers(0, 2))):
            if self.chance(40):
                self.lines.append(self.one(["", "", "   "]))
            if self.chance(50):
                column = self.draw(st.sampled_from(columns))
                self.lines.append(" " * column + self.comment())

    def anchor(self) -> str:
        if not self.chance(4):
            return ""
        self.anchors.append(f"a{len(self.anchors)}")
        return f"&{self.anchors[-1]} "

    def quoted(self, text: str) -> str:
        if self.chance(50):
            return "'" + text.replace("'", "''") + "'"
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def key(self, text: str) -> str:
        bare = text not in ("#", ": ", "[x", "")
        return text if bare and self.chance(70) else self.quoted(text)

    def explicit_key(self, text: str, column: int) -> str:
        """A key behind `?`, which may go over several lines."""
        if self.chance(50):
            return self.key(text)
        return self.quoted(f"{text} and\n{' ' * (column + self.draw(st.integers(1, 3)))}more")

    def scalar(self) -> str:
        if self.anchors and self.chance(5):
            return f"*{self.one(self.anchors)} "
        kind = self.draw(st.integers(0, 9))
        if kind < 5:
            return self.anchor() + self.one(PLAIN)
        return self.anchor() + (self.one(ESCAPED) if kind == 9 else self.quoted(self.one(TEXTS)))

    def broken_text(self, column: int) -> str:
        """A text over several lines; the first and last are not closed by a line end."""
        mark = self.one(["", '"', "'"])
        parts = [self.one(["some", "it is", "x"]) for _ in range(self.draw(st.integers(2, 3)))]
        joint = "\n" * self.draw(st.integers(1, 2)) + " " * (column + self.draw(st.integers(1, 3)))
        return self.anchor() + mark + joint.join(parts) + mark

    def text_block(self, column: int) -> str:
        """A text behind `|` or `>`, with its header."""
        more = self.draw(st.integers(1, 4))
        indent = " " * (column + more)
        odd = self.chance(20)
        header = self.one(["|", ">"]) + (str(more) if odd else "") + self.one(["", "-", "+"])
        lines = [("  " if odd else "") + self.one(["text", "# no comment", "a: b", "'x"])]
        lines += [
            self.one(["", "more", "  deeper", "- x"]) for _ in range(self.draw(st.integers(0, 3)))
        ]
        blanks = "\n" * self.draw(st.integers(0, 2))
        comment = self.eol()
        body = "\n".join(line and indent + line for line in lines)
        return f"{self.anchor()}{header}{comment}\n{body}{blanks}"

    def flow(self, depth: int, column: int, *, broken: bool) -> str:
        """A collection in brackets, in one line unless `broken`."""

        def gap() -> str:
            if not broken or self.chance(40):
                return self.one(["", " "])
            if self.chance(50):
                return "\n" + " " * (column + self.draw(st.integers(1, 4)))
            comment = " " + self.comment() + "\n" + self.one(["", "\n"])
            return comment + " " * (column + self.draw(st.integers(1, 4)))

        is_mapping = self.chance(60)
        entries = []
        for key in self.keys(0, 3):
            deeper = depth > 0 and self.chance(30)
            if deeper:
                value = self.flow(depth - 1, column, broken=broken and self.chance(50))
            else:
                value = self.scalar()
            if is_mapping:
                written = f"{self.key(key)}:{gap() or ' '}{value}" if self.chance(90) else "bare"
                if written == "bare" and "bare" in "".join(entries):
                    continue
                entries.append(written)
            else:
                entries.append(value if self.chance(90) else f"pair: {value}")
        inside = "".join(f"{gap()}{entry}{gap()}," for entry in entries)
        if not self.chance(20):
            inside = inside[:-1]
        return self.anchor() + ("{%s%s}" if is_mapping else "[%s%s]") % (inside, gap())

    def keys(self, least: int, most: int) -> list[str]:
        return self.draw(
            st.lists(st.sampled_from(KEYS), min_size=least, max_size=most, unique=True)
        )

    def value(self, start: str, column: int, depth: int, *, in_list: bool) -> None:
        """A value behind a key or a dash, in whatever form."""
        match self.draw(st.integers(0, 9)):
            case 0:
                self.lines.append(start + self.eol())
                if self.chance(30):
                    self.lines.append(" " * (column + 2) + self.comment())
            case 1:
                self.lines.append(f"{start} {self.broken_text(column)}{self.eol()}")
            case 2:
                self.lines += f"{start} {self.text_block(column)}".split("\n")
            case 3:
                text = self.flow(2, column, broken=False)
                self.lines.append(f"{start} {text}{self.eol()}")
            case 4:
                text = self.flow(2, column, broken=True)
                self.lines.append(f"{start} {text}{self.eol()}")
            case 5 if not in_list:
                self.lines.append(start + self.eol())
                self.between(column, column + 2, 0)
                self.lines.append(" " * (column + 1) + self.scalar() + self.eol())
            case 6 | 7 if depth:
                anchor = self.anchor()
                step = self.draw(st.integers(1, 4))
                if in_list and not anchor and self.chance(60):
                    self.mapping(column + 2, depth - 1, start + " ")
                    return
                self.lines.append(f"{start} {anchor}".rstrip(" ") + self.eol())
                self.mapping(column + step, depth - 1)
            case 8 if depth:
                anchor = self.anchor()
                step = self.draw(st.integers(0 if not in_list else 1, 3))
                if in_list and not anchor and self.chance(60):
                    self.list_(column + 2, depth - 1, start + " ")
                    return
                self.lines.append(f"{start} {anchor}".rstrip(" ") + self.eol())
                self.list_(column + step, depth - 1)
            case _:
                self.lines.append(f"{start} {self.scalar()}{self.eol()}")

    def mapping(self, column: int, depth: int, start: str = "") -> None:
        for number, key in enumerate(self.keys(1, 4)):
            if number or not start:
                self.between(column, 0, column + 2, max(0, column - 1))
            before = start if start and not number else " " * column
            if self.chance(8):
                self.lines.append(f"{before}? {self.explicit_key(key, column)}{self.eol()}")
                self.between(column, column + 1)
                before = " " * column
            else:
                before += self.key(key)
            self.value(f"{before}:", column, depth, in_list=False)
        if self.chance(30):
            self.between(column, column + 1, max(0, column - 2))

    def list_(self, column: int, depth: int, start: str = "") -> None:
        for number in range(self.draw(st.integers(1, 3))):
            if number or not start:
                self.between(column, 0, column + 2)
            before = start if start and not number else " " * column
            self.value(f"{before}-", column, depth, in_list=True)

    def document(self, *, is_first: bool) -> None:
        self.anchors = []
        if is_first and self.chance(50):
            self.lines.append("# yaml-language-server: $schema=devices.schema.json")
        if is_first:
            self.between(0, 2)
        if not is_first and self.chance(20):
            self.lines.append("..." + self.eol())
            self.between(0)
        if not is_first or self.chance(20):
            self.lines.append("---" + self.eol())
        self.between(0, 3)
        self.lines.append("kind: Devices" + self.eol())
        at = len(self.lines)
        self.mapping(0, 3)
        if self.chance(50):  # the kind somewhere below
            kind = self.lines.pop(at - 1)
            self.lines.append(kind)
        self.between(0, 2, 4)


@st.composite
def laid_out(draw: DrawFn) -> str:
    """One file of one or more documents."""
    writer = _Writer(draw)
    for number in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        writer.document(is_first=number == 0)
    ends = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    text = "\n".join(writer.lines) + draw(st.sampled_from(["", "\n", "\n\n\n"]))
    return text.replace("\n", ends)
