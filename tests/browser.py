"""A headless Chromium, spoken to over a pipe: what a page does, says, asks for, and looks like."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
TIMEOUT: Final = 60
_ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
# The browser wants its two ends of the pipes to have the numbers 3 and 4.
_LAUNCH: Final = """
import os, sys
there, back, *command = sys.argv[1:]
os.dup2(int(there), 3)
os.dup2(int(back), 4)
os.execv(command[0], command)
"""
_KEYS: Final = {"Escape": 27, "Tab": 9, "Enter": 13, "ArrowDown": 40}


class Broken(Exception):
    """The page threw, or the browser went away."""


@dataclass(slots=True)
class Page:
    """One page in a browser. `requests` and `complaints` hold all since it was opened."""

    _writer: int
    _reader: int
    _session: str = ""
    _number: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _loaded: bool = False

    def attach(self) -> None:
        """Take the page that the browser came with."""
        (target, *_) = [
            one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page"
        ]
        answer = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = answer["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def end(self) -> None:
        """Have the browser end itself."""
        self._session = ""
        self.ask("Browser.close")

    def open(self, file: Path) -> None:
        """Load a file, to the end of its scripts."""
        self._loaded = False
        self.requests.clear()
        self.complaints.clear()
        self.ask("Page.navigate", url=file.as_uri())
        deadline = time.monotonic() + TIMEOUT
        while not self._loaded:
            self._hear(self._next(deadline))

    def look(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Be so wide, and light or dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str) -> Any:
        """Evaluate an expression, waiting for its promise; return its value."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise Broken(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key as a person does."""
        code = _KEYS.get(key, ord(key[0].upper()) if key.isalnum() else 0)
        text = {"text": key} if len(key) == 1 else {}
        self.ask(
            "Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text
        )
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        """Type a text, key by key."""
        for key in text:
            self.press(key)

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """Save what is to be seen."""
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))

    def ask(self, method: str, **parameters: object) -> Any:
        """Ask the browser and wait for its answer."""
        self._number += 1
        question: dict[str, object] = {
            "id": self._number,
            "method": method,
            "params": parameters,
        }
        if self._session:
            question["sessionId"] = self._session
        os.write(self._writer, json.dumps(question).encode() + b"\0")
        deadline = time.monotonic() + TIMEOUT
        while True:
            said = self._next(deadline)
            if said.get("id") == self._number:
                if "error" in said:
                    raise Broken(f"{method}: {said['error']}")
                return said["result"]
            self._hear(said)

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if time.monotonic() > deadline:
                raise Broken("the browser did not answer in time")
            try:
                data = os.read(self._reader, 1 << 16)
            except BlockingIOError:
                time.sleep(0.002)
                continue
            if not data:
                raise Broken("the browser ended")
            self._buffer += data
        message, _, rest = bytes(self._buffer).partition(b"\0")
        self._buffer = bytearray(rest)
        said: dict[str, Any] = json.loads(message)
        return said

    def _hear(self, said: dict[str, Any]) -> None:
        told = said.get("params", {})
        match said.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled":
                self.complaints.append(json.dumps(told))


@contextmanager
def browser(directory: Path) -> Iterator[Page]:
    """Start a browser with a profile of its own in a directory, and end it."""
    assert CHROMIUM is not None
    there, writer = os.pipe()
    reader, back = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-IS", "-c", _LAUNCH, str(there), str(back), CHROMIUM),
            *_ARGUMENTS,
            f"--user-data-dir={directory / 'profile'}",
            "about:blank",
        ],
        env={"HOME": str(directory), "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(there, back),
        start_new_session=True,
    )
    for one in (there, back):
        os.close(one)
    os.set_blocking(reader, False)
    page = Page(writer, reader)
    try:
        page.attach()
        yield page
    finally:
        # Asked, it takes its own processes with it.
        with suppress(Broken, OSError):
            page.end()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(writer)
        os.close(reader)
