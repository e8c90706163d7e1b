"""`--since`, `--select` and `--target`: which devices a plan is about, for plan and apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _parsed(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    selects: list[tuple[str, str]] = []
    for text in texts:
        key, sign, glob = text.partition("=")
        if not key or not sign:
            raise click.BadParameter(
                f"{text!r} is not KEY=GLOB, as in fleet=zagreb or label=Ana*.",
                ctx=ctx,
                param=option,
            )
        selects.append((key, glob))
    return tuple(selects)


def selection_options(command: F) -> F:
    """Add the options; the command gets `since`, `selects` and `targets` of a Selection."""
    options = (
        click.option(
            "--since",
            metavar="REF",
            help="Only devices whose declaration is not what it was at that commit, or, where HEAD "
            "has left it since, at the last one that both have (the merge base).",
        ),
        click.option(
            "--select",
            "selects",
            metavar="KEY=GLOB",
            multiple=True,
            callback=_parsed,
            help="Only devices that declare this: a key of additionalData, or label; repeatable, "
            "all must match.",
        ),
        click.option(
            "--target",
            "targets",
            metavar="ID",
            multiple=True,
            help="Only this registration, declared or left the files; repeatable.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
