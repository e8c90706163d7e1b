"""An editor, as a language server sees it: files that are opened, and questions about places.

The protocol is JSON-RPC over stdio, each message after a header with its length. A thread reads;
every wait has its limit.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

TIMEOUT: Final = 60.0
Message = dict[str, Any]
_SETTINGS_ASKED: Final = "workspace/configuration"
# What the server asks its editor for. The store is a list of schemas on the web.
_SETTINGS: Final[Mapping[str, Any]] = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},
    },
    "http": {},
    "[yaml]": {},
    "editor": {},
    "files": {},
}


class Editor:
    """A directory that is open in an editor with this language server."""

    def __init__(self, command: Sequence[str], root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._server = subprocess.Popen(
            [*command, "--stdio"],
            cwd=root,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._arrived: queue.Queue[Message | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._asked = 0
        self._shown: set[str] = set()
        self._marked: dict[str, list[Message]] = {}
        self._version = 0
        self._is_configured = False

    def __enter__(self) -> Editor:
        self._ask(
            "initialize",
            {
                "processId": None,
                "rootUri": self._root.as_uri(),
                "workspaceFolders": [{"uri": self._root.as_uri(), "name": "root"}],
                "capabilities": {
                    "workspace": {"configuration": True},
                    "textDocument": {
                        "completion": {"completionItem": {"snippetSupport": False}},
                        "hover": {"contentFormat": ["plaintext"]},
                        "publishDiagnostics": {},
                    },
                },
            },
        )
        self._tell("initialized", {})
        # A file that is shown before would be judged twice: before the settings, and with them.
        deadline = time.monotonic() + TIMEOUT
        while not self._is_configured:
            self._take(deadline)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.kill()
        self._server.wait(TIMEOUT)
        for pipe in (self._server.stdin, self._server.stdout):
            if pipe is not None:
                pipe.close()

    def show(self, path: str, text: str) -> list[Message]:
        """Show a file with this text, saved or not, and return what the server marks in it."""
        uri = (self._root / path).as_uri()
        self._version += 1
        document = {"uri": uri, "version": self._version}
        if uri in self._shown:
            # Not closed and opened again: the server clears the marks of a file that is closed.
            changes = {"textDocument": document, "contentChanges": [{"text": text}]}
            self._tell("textDocument/didChange", changes)
        else:
            opened = {"textDocument": {**document, "languageId": "yaml", "text": text}}
            self._tell("textDocument/didOpen", opened)
        self._shown.add(uri)
        self._marked.pop(uri, None)
        deadline = time.monotonic() + TIMEOUT
        while uri not in self._marked:
            self._take(deadline)
        return self._marked[uri]

    def complete(self, path: str, line: int, character: int) -> set[str]:
        """Return the labels that are offered at a place; lines and characters begin at 0."""
        found = self._ask("textDocument/completion", self._place(path, line, character))
        return {str(item["label"]) for item in found["items"]}

    def hover(self, path: str, line: int, character: int) -> str:
        """Return what is shown about a place."""
        found = self._ask("textDocument/hover", self._place(path, line, character))
        contents = (found or {}).get("contents", "")
        return str(contents["value"] if isinstance(contents, dict) else contents)

    def _place(self, path: str, line: int, character: int) -> Message:
        return {
            "textDocument": {"uri": (self._root / path).as_uri()},
            "position": {"line": line, "character": character},
        }

    def _ask(self, method: str, parameters: Message) -> Any:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": parameters})
        deadline = time.monotonic() + TIMEOUT
        while True:
            message = self._take(deadline)
            if message.get("id") == self._asked and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _tell(self, method: str, parameters: Message) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: Message) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._server.stdin.flush()

    def _take(self, deadline: float) -> Message:
        """Return the next message, after answering what the server asks and noting its marks."""
        message = self._arrived.get(timeout=max(0.0, deadline - time.monotonic()))
        assert message is not None, "the language server has ended"
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": _answer(message)})
            self._is_configured |= message["method"] == _SETTINGS_ASKED
        elif message.get("method") == "textDocument/publishDiagnostics":
            marked = message["params"]
            self._marked[marked["uri"]] = marked["diagnostics"]
        return message

    def _listen(self) -> None:
        assert self._server.stdout is not None
        try:
            while (message := _read(self._server.stdout)) is not None:
                self._arrived.put(message)
        finally:
            self._arrived.put(None)


def _read(stream: IO[bytes]) -> Message | None:
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length) if length else b""
    return json.loads(body) if body else None


def _answer(message: Message) -> Any:
    if message["method"] == _SETTINGS_ASKED:
        return [_SETTINGS.get(item.get("section", "")) for item in message["params"]["items"]]
    return None
