"""The conditions of both forges: `a == 'b' && !c()` of GitHub, `$A == "b" && $C` of GitLab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

Value = str | bool | None
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<sign>&&|\|\||==|!=|[!()])|(?P<name>\$?[\w.-]+))"""
)


def evaluate(
    expression: str, look_up: Callable[[str], Value], call: Callable[[str], bool] | None = None
) -> Value:
    """Return the value of an expression; what it does not understand is an AssertionError."""
    reader = _Reader(list(_tokens(expression)), look_up, call)
    value = reader.either()
    assert reader.at == len(reader.tokens), f"what follows is not understood: {expression}"
    return value


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    at, expression = 0, expression.strip()
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        assert found is not None, f"not understood: {expression[at:]}"
        assert found.lastgroup is not None
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Reader:
    def __init__(
        self,
        tokens: list[tuple[str, str]],
        look_up: Callable[[str], Value],
        call: Callable[[str], bool] | None,
    ) -> None:
        self.tokens = tokens
        self.at = 0
        self._look_up = look_up
        self._call = call

    def either(self) -> Value:
        value = self._both()
        while self._takes("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._takes("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Value:
        value = self._one()
        if self._takes("=="):
            return value == self._one()
        if self._takes("!="):
            return value != self._one()
        return value

    def _one(self) -> Value:
        if self._takes("!"):
            return not self._one()
        if self._takes("("):
            value = self.either()
            assert self._takes(")"), "a bracket is open"
            return value
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return text[1:-1]
        assert kind == "name", f"{text} where a value belongs"
        if self._takes("("):
            assert self._takes(")"), f"{text} with arguments"
            assert self._call is not None, f"{text}() is no function here"
            return self._call(text)
        return self._look_up(text)

    def _takes(self, sign: str) -> bool:
        if self.tokens[self.at : self.at + 1] == [("sign", sign)]:
            self.at += 1
            return True
        return False
