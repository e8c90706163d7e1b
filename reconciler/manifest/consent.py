"""Consents to plans: `Consent` documents to values, and back to the file that `plan` writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from reconciler.core.consent import Consent
from reconciler.core.diagnostics import Diagnostic

from .messages.schema_errors import read_valid_documents
from .result import ManifestFile, ParseResult, make_result
from .schema import Shape


def read_consents(files: Iterable[ManifestFile], schema: bytes) -> ParseResult[tuple[Consent, ...]]:
    """Read the files that consent to plans; all their mistakes at once."""
    shape = Shape(schema)
    consents: list[Consent] = []
    diagnostics: list[Diagnostic] = []
    for file in files:
        for document in read_valid_documents(file, shape, diagnostics):
            tree = cast("Mapping[str, object]", document.tree)
            accept = {name: int(n) for name, n in cast("dict[str, int]", tree["accept"]).items()}
            consents.append(Consent(str(tree["changes"]), accept))
    return make_result(tuple(consents), diagnostics)


def format_consent(consent: Consent, sentences: Iterable[str]) -> str:
    """Return the file of a consent. `what` are the sentences of the guards, for who reviews it."""
    lines = [
        "# Consent to one plan, and to no other: when what it would do changes, this is void.",
        *(f"# {' '.join(sentence.split())}" for sentence in sentences),
        "apiVersion: reconciler/v1",
        "kind: Consent",
        f"changes: {consent.changes}",
        "accept:",
        *(f"  {guard}: {count}" for guard, count in consent.accept.items()),
    ]
    return "".join(f"{line}\n" for line in lines)
