"""Styled lines on a stream: colored and wrapped on a terminal, plain everywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TextIO

from reconciler.cli.settings import Options
from reconciler.cli.streams import colored, write, write_text
from reconciler.render.formats import Rendered
from reconciler.render.spans import Line, Style, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES: Final[dict[Style, str]] = {
    "plain": "",
    "title": "bold",
    "dim": "dim",
    "add": "green",
    "remove": "red",
    "change": "yellow",
    "risk": "magenta",
    "warning": "yellow",
    "error": "bold red",
    "success": "green",
}


def paint(stream: TextIO, lines: Iterable[Line], options: Options) -> None:
    """Write lines; on a terminal a long one goes on below itself, a little further in."""
    if not stream.isatty():
        write(stream, plain(lines))
        return
    from rich.console import Console

    console = Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        no_color=not colored(stream, options),
        # The file is a terminal, whatever rich thinks of its name.
        force_terminal=colored(stream, options),
        color_system="standard" if colored(stream, options) else None,
    )
    with console.capture() as captured:
        for line in lines:
            for part in _wrapped(line, console):
                console.print(part, soft_wrap=True)
    write(stream, captured.get())


def write_rendered(stream: TextIO, rendered: Rendered, options: Options) -> None:
    """Write a rendered document: text and bytes as they are, ended by a newline; lines styled."""
    if isinstance(rendered, (str, bytes)):
        write_text(stream, rendered)
    else:
        paint(stream, rendered, options)


def _wrapped(line: Line, console: Console) -> Iterable[Text]:
    from rich.text import Text

    text = Text.assemble(*((span.text, _STYLES[span.style]) for span in line))
    if text.cell_len <= console.width:
        yield text
        return
    indent = len(text.plain) - len(text.plain.lstrip()) + 4
    # Half the width is always left to the text, however deep it stands.
    indent = min(indent, console.width // 2)
    first, *rest = text.wrap(console, console.width)
    yield first
    if rest:
        for part in rest:
            # A wrapped part keeps the blank it was broken at.
            part.rstrip()
        again = Text(" ").join(rest)
        for part in again.wrap(console, console.width - indent):
            yield Text(" " * indent) + part
