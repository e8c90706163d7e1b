"""`gh api` and `gh run download`, as far as the workflows use them; any other use is an error."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import jq

from tests.forge.server import REPOSITORY


def main(arguments: list[str]) -> int:
    """Do what is asked of gh."""
    match arguments:
        case ["api", *rest]:
            return _api(rest)
        case ["run", "download", run, "--name", name, *rest]:
            return _download(run, name, rest)
        case _:
            sys.exit(f"gh: not understood: {arguments}")


def _api(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("gh api", allow_abbrev=False)
    parser.add_argument("path")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--jq")
    parser.add_argument("-f", dest="texts", action="append", default=[])
    parser.add_argument("-F", dest="fields", action="append", default=[])
    asked = parser.parse_args(arguments)
    body = dict(field.split("=", 1) for field in asked.texts)
    for field in asked.fields:
        name, value = field.split("=", 1)
        body[name] = Path(value[1:]).read_text("utf-8") if value.startswith("@") else value
    answer = json.loads(_ask(asked.method, asked.path, json.dumps(body).encode() if body else None))
    if asked.jq:
        for value in jq.compile(asked.jq).input_value(answer).all():
            _say(value if isinstance(value, str) else json.dumps(value))
    elif not asked.silent:
        _say(json.dumps(answer))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _download(run: str, name: str, rest: list[str]) -> int:
    parser = argparse.ArgumentParser("gh run download", allow_abbrev=False)
    parser.add_argument("--dir", default=".")
    directory = parser.parse_args(rest).dir
    repository = os.environ["GH_REPO"]
    data = _ask("GET", f"repos/{repository}/actions/runs/{run}/artifacts/{name}/zip", None)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(directory)
    return 0


def _ask(method: str, path: str, body: bytes | None) -> bytes:
    assert path.startswith(f"repos/{REPOSITORY}/"), path
    request = urllib.request.Request(
        f"{os.environ['FORGE_URL']}/{path}",
        method=method,
        data=body,
        headers={"Authorization": f"Bearer {os.environ['GH_TOKEN']}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            data = answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"gh: {error.read().decode()} (HTTP {error.code})")
    assert isinstance(data, bytes)
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
