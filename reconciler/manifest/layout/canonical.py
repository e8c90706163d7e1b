"""Canonical layout of a file, which means what it meant.

That is not trusted but read: the new text with our own reader, which must give equal trees, and
every comment must be there still.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from reconciler.manifest.documents import Documents, decode, read_documents
from reconciler.manifest.result import ParseResult, Unreadable, make_result
from reconciler.manifest.tree import Tree
from reconciler.manifest.yaml_events import FASTEST, Opener

from .key_order import Orders
from .parser import read_pages
from .syntax_tree import all_comments
from .writer import write_pages

_OUR_API_VERSION: Final = re.compile(rb"""\bapiVersion["']?\s*:\s*["']?reconciler/""")


class MeaningChanged(Exception):
    """In canonical layout the file would mean something else, or miss a comment."""


def is_ours(data: bytes) -> bool:
    """Whether a file is in one of this program's formats, its mistakes aside.

    One that holds such a text, say a ConfigMap, is not. What cannot be read is, if it looks so.
    """
    if _OUR_API_VERSION.search(data) is None:
        return False
    roots = [document.tree for document in read_documents("", data).documents]
    return not roots or any(map(_has_our_api_version, roots))


def _has_our_api_version(root: Tree) -> bool:
    return isinstance(root, dict) and str(root.get("apiVersion")).startswith("reconciler/")


def format_file(
    file: str, data: bytes | Unreadable, orders: Orders, opener: Opener = FASTEST
) -> ParseResult[bytes]:
    """Return the file in canonical layout, or what is wrong with its text. Raise Changed."""
    before = read_documents(file, data, opener)
    if before.diagnostics:
        return make_result(None, before.diagnostics)
    text = decode(file, data).replace("\r\n", "\n").replace("\r", "\n")
    pages = read_pages(text, opener)
    formatted = write_pages(pages, orders)
    new = formatted.encode()
    if new != data:
        after = read_documents(file, new, opener)
        if not _have_equal_trees(before, after):
            raise MeaningChanged
        if Counter(all_comments(pages)) != Counter(all_comments(read_pages(formatted, opener))):
            raise MeaningChanged
    return ParseResult(new)


def _have_equal_trees(first: Documents, second: Documents) -> bool:
    return (
        not second.diagnostics
        and len(first.documents) == len(second.documents)
        and all(
            before.number == after.number and _equal_trees(before.tree, after.tree)
            for before, after in zip(first.documents, second.documents, strict=True)
        )
    )


def _equal_trees(first: Tree, second: Tree) -> bool:
    """Whether two trees are the same: of the same types too, the order of keys aside."""
    match first, second:
        case [dict(), dict()]:
            return first.keys() == second.keys() and all(
                _equal_trees(value, second[key]) for key, value in first.items()
            )
        case [list(), list()]:
            return len(first) == len(second) and all(map(_equal_trees, first, second))
        case _:
            # 0.0 and -0.0 are equal, and are sent as different texts.
            return type(first) is type(second) and repr(first) == repr(second)
