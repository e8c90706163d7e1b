"""The schemas and projects that the tests of this room read with."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.device import Desired
from reconciler.core.project import Project
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, ParseResult
from reconciler.manifest.schema import Schemas

ROOT = Path(__file__).parents[3]
SCHEMAS = Schemas(
    {
        "project": (ROOT / "schemas" / "project.schema.json").read_bytes(),
        "devices": (ROOT / "schemas" / "devices.schema.json").read_bytes(),
    }
)
PROJECT_TEXT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${BASE_URL}
  auth: {apiKey: "${API_KEY}"}
applications:
  courier: {appCode: "${COURIER_APP_CODE}"}
  shop: {appCode: shop-code}
manifests: [devices/**/*.yaml]
"""
HEAD = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"


def project(text: str = PROJECT_TEXT) -> Project:
    """Return a project that must be right."""
    read = read_project("reconciler.yaml", text.encode(), SCHEMAS)
    assert read.value is not None, read.diagnostics
    return read.value


def manifests(**texts: str) -> ParseResult[Desired]:
    """Read manifests by the names of their files, without `.yaml`."""
    files = [ManifestFile(f"{name}.yaml", text.encode()) for name, text in texts.items()]
    return read_manifests(files, project(), SCHEMAS)


def desired(**texts: str) -> Desired:
    """Read manifests that must be right."""
    read = manifests(**texts)
    assert read.value is not None, read.diagnostics
    return read.value


def mistakes(read: ParseResult[Desired] | ParseResult[Project]) -> list[str]:
    """Return the diagnostics in short: place, code."""
    return [f"{one.source} {one.code.id}" for one in read.diagnostics]
