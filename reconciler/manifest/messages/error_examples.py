"""For each diagnostic the least text that provokes it, for people who ask `explain`.

Each is the part of a file that matters: of a manifest (E1, E2), without its first three lines, or
of the project file (E3). A test holds each of them to its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ID: Final = "8621824C-86B2-41F7-BF6F-20D3B1426005"
_PROJECT_AUTH: Final = (
    'api:\n  baseUrl: ${INFOBIP_BASE_URL}\n  auth: {apiKey: "${INFOBIP_API_KEY}"}\n'
)


def _device(*lines: str) -> str:
    return f"devices:\n  {_ID}:\n" + "".join(f"    {line}\n" for line in lines)


def _people(*lines: str) -> str:
    return "people:\n" + "".join(f"  {line}\n" for line in lines)


ERROR_EXAMPLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "E104": _device("additionalData: {shift: night"),
        "E105": f"devices:\n  {_ID}:\n\tisPrimary: true\n",
        "E106": _device("isPrimary: true", "isPrimary: false"),
        "E107": _device("label: !!str 5"),
        "E108": _device("additionalData: {temperature: .nan}"),
        "E109": _device("additionalData: {distance: 1e999}"),
        "E110": _device("additionalData: {contractEnds: 2027-02-31}"),
        "E112": _device("additionalData: &data", "  self: *data"),
        "E113": _device("label: *nobody"),
        "E115": _device("? [a, b]", ": c"),
        "E116": f"defaults: &d {{isPrimary: false}}\ndevices:\n  {_ID}:\n    <<: *d\n",
        "E151": _device("isPrimary: yes"),
        "E152": _device("isPrimry: true"),
        "E153": 'api: {auth: {apiKey: "${INFOBIP_API_KEY}"}}\n',
        "E154": _device("lifecycle: {onRemove: delete}"),
        "E156": (
            "apiVersion: reconciler/v1\nkind: Device\napplication: courier\n"
            + _device("label: Ana's")
        ),
        "E201": "devices: {}\n",
        "E202": _device("deviceModel: Fairphone FP5"),
        "E203": _people("ana: {phoneNumber: +385911234567}"),
        "E204": (
            _people("ana: {externalId: courier-118}")
            + f"devices:\n  {_ID}: {{owner: ana, isPrimary: true}}\n"
            "  11111111-2222-3333-4444-555555555555: {owner: ana, isPrimary: true}\n"
        ),
        "E205": _people('ana: {externalId: "null"}'),
        "E206": _people("ana: {attributes: {firstName: Ana}}"),
        "E207": f"devices:\n  {_ID}: {{}}\nremoved:\n  {_ID}: release\n",
        "E208": _people("ana: {externalId: courier-118}") + _device("owner: anna"),
        "E209": (
            "apiVersion: reconciler/v1\nkind: Devices\napplication: curier\n"
            + _device("label: Ana's")
        ),
        "E210": _people(
            "ana: {externalId: courier-118, email: ana@example.com}",
            "eva: {externalId: courier-118, email: eva@example.com}",
        ),
        "E211": _device("lifecycle: {ignore: [additionalData]}"),
        "E212": "devices:\n  the phone of Ana: {}\n",
        "E213": _people('ana: {phoneNumber: "091 123"}'),
        "E214": _people("ana: {email: ana.example.com}"),
        "E215": _people("ana@example.com: {email: ana@example.com}"),
        "E302": (
            "applications:\n"
            '  courier: {appCode: "${COURIER_APP_CODE}"}\n'
            '  rider: {appCode: "${COURIER_APP_CODE}"}\n'
        ),
        "E303": _PROJECT_AUTH + "  assume: {additional-data: merge}\n",
        "E304": _PROJECT_AUTH + "  assume: {additional-data-patch: merges}\n",
        "E305": (
            "api:\n  baseUrl: https://${HOST}.api.infobip.com\n"
            '  auth: {apiKey: "${INFOBIP_API_KEY}"}\n'
        ),
        "E306": 'manifests: ["${DIRECTORY}/*.yaml"]\n',
        "E309": (
            "api:\n  baseUrl: ${INFOBIP_BASE_URL}\n  auth:\n"
            '    apiKey: "${INFOBIP_API_KEY}"\n    ibsso: {token: "${INFOBIP_TOKEN}"}\n'
        ),
        "E310": _PROJECT_AUTH + "  limits: {get: 0}\n",
        "E311": "manifests: [../other/*.yaml]\n",
        "E312": 'applications:\n  "a b": {appCode: "${COURIER_APP_CODE}"}\n',
        "E313": "privacy: {hide: [label]}\n",
        "E314": "state: {backend: local, url: s3://acme/devices}\n",
    }
)
