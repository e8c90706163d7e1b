"""Azurite, Microsoft's emulator of Azure's blobs: one server for each process, gone with it."""

from __future__ import annotations

import atexit
import base64
import hashlib
import hmac
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from itertools import count
from typing import Final
from urllib.request import ProxyHandler, Request, build_opener

import pytest

PROGRAM: Final = shutil.which("azurite-blob")
# Every emulator has this account with this key.
ACCOUNT: Final = "devstoreaccount1"
KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_VERSION: Final = "2021-08-06"
_LISTENS: Final = re.compile(r"successfully listens on (http://127\.0\.0\.1:[0-9]+)")


class Azurite:
    """The server, with its blobs in memory."""

    def __init__(self, program: str) -> None:
        self._numbers = count(1)
        self._process = subprocess.Popen(
            [
                program,
                *("--blobHost", "127.0.0.1", "--blobPort", "0"),
                *("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"),
                "--silent",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        atexit.register(self._end)
        self._url = self._listening()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that make a program talk to this server."""
        return {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": self._url,
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            # A proxy of the machine has no part in it.
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def container(self) -> str:
        """Make an empty container; return its name."""
        name = f"container{next(self._numbers)}"
        path = f"/{ACCOUNT}/{name}"
        headers = {
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            "x-ms-version": _VERSION,
        }
        lines = ["PUT", *[""] * 11, *(f"{key}:{value}" for key, value in headers.items())]
        text = "\n".join((*lines, f"/{ACCOUNT}{path}", "restype:container"))
        signed = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}"
        request = Request(f"{self._url}{path}?restype=container", method="PUT", headers=headers)
        with build_opener(ProxyHandler({})).open(request, timeout=60):
            return name

    def _listening(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := _LISTENS.search(line):
                return found[1]
        raise RuntimeError(f"Azurite ended with {self._process.wait()}")

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()


@cache
def server() -> Azurite:
    """Return the server of this process, started if it is not yet; skip where there is none."""
    pytest.importorskip("obstore")
    if PROGRAM is None:
        pytest.skip("there is no azurite-blob here")
    return Azurite(PROGRAM)
