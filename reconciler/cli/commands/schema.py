"""`reconciler schema`: the JSON Schemas of the files people write, for editors and checks."""

from __future__ import annotations

import click

from reconciler.cli.streams import result
from reconciler.engine.shipped_files import schema_bytes, schema_names


@click.command(
    "schema",
    epilog="""
\b
Examples:
  reconciler schema devices > schemas/devices.schema.json
  and as the first line of a manifest:
  # yaml-language-server: $schema=../schemas/devices.schema.json
""",
)
@click.argument("name", type=click.Choice(schema_names()))
def command(name: str) -> None:
    """Print the JSON Schema (2020-12) of a file format: project, devices, people, consent,
    plan, drift or state.

    Editors complete and explain every field with it.
    """
    result(schema_bytes(name))
