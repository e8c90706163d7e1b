"""Environment references `${NAME}` of the project file, and the base URL that keys may go to.

Only whole values are references, and they are resolved only when a command needs them. Neither a
value from the environment nor a literal one ever stands in a diagnostic, but for a host name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.setting import Setting

ALLOWED_HOSTS: Final = "RECONCILER_ALLOWED_HOSTS"
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\}", re.DOTALL | re.ASCII)
# Stricter than any URL parser, so that no two of them can take one text for two hosts.
_BASE_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9._~-]+)*/?",
    re.ASCII,
)


class Unresolved(Exception):
    """A setting that the environment does not give."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def is_partial(text: str) -> bool:
    """Whether a text holds a reference and is not one as a whole."""
    return "${" in text and not _is_reference(text)


def _is_reference(text: str) -> bool:
    matched = _REFERENCE.fullmatch(text)
    return matched is not None and "${" not in (matched[2] or "")


def referenced_variable(setting: Setting) -> str | None:
    """Return the name of the environment variable that a setting refers to; None for a literal."""
    matched = _REFERENCE.fullmatch(setting.text)
    return None if matched is None else str(matched[1])


def resolve_setting(setting: Setting, environ: Mapping[str, str]) -> str:
    """Return the value of a setting. Raise Unresolved if its variable is not set, or empty."""
    matched = _REFERENCE.fullmatch(setting.text)
    if matched is None:
        return setting.text
    name, default = matched.groups()
    value = environ.get(name) or default
    if value:
        return value
    state = "empty" if name in environ else "not set"
    raise Unresolved(
        Diagnostic(
            codes.UNSET_VARIABLE,
            f"{setting.path} needs the environment variable {name}, which is {state}",
            setting.source,
            fix=f"Set it, or give a default: ${{{name}:-default}}",
        )
    )


def check_base_url(url: str, environ: Mapping[str, str], setting: Setting) -> Diagnostic | None:
    """Refuse a base URL to which a key must not be sent.

    It is https under .infobip.com, or on loopback, or its host stands in RECONCILER_ALLOWED_HOSTS:
    hosts, or host:port, separated by commas or spaces. An entry allows https; only an entry that
    begins with http:// allows that, since plain HTTP shows the key to everybody on the way.
    """
    matched = _BASE_URL.fullmatch(url)
    if matched is None:
        return Diagnostic(
            codes.BASE_URL,
            "The base URL is no plain https://host[:port]",
            setting.source,
            fix="Write it as the account shows it: https://xxxxx.api.infobip.com",
        )
    scheme, port = matched["scheme"], matched["port"]
    host = matched["host"].lower()
    if _is_loopback(host.strip("[]")):
        return None
    if scheme == "https" and host.endswith(".infobip.com"):
        return None
    allowed = environ.get(ALLOWED_HOSTS, "").lower().replace(",", " ").split()
    prefix = "" if scheme == "https" else "http://"
    names = {f"{prefix}{host}"} | ({f"{prefix}{host}:{port}"} if port else set())
    if scheme == "https":
        names |= {f"https://{name}" for name in names}
    if names.intersection(host.rstrip("/") for host in allowed):
        return None
    if scheme == "http":
        message = f"Plain http to {host}, which anybody on the way can read"
        fix = (
            f"Write https; or, if you trust the whole way, name http://{host} in {ALLOWED_HOSTS} "
            "of the machine that runs this."
        )
        return Diagnostic(codes.BASE_URL, message, setting.source, fix=fix)
    return Diagnostic(codes.BASE_URL, f"Keys are not sent to {host}", setting.source)


def may_be_sent_to(host: str, environ: Mapping[str, str]) -> bool:
    """Whether secrets may go to a host: loopback, or one that RECONCILER_ALLOWED_HOSTS names."""
    allowed = environ.get(ALLOWED_HOSTS, "").lower().replace(",", " ").split()
    names = {host.partition("://")[2] or host for host in allowed}
    return _is_loopback(host) or host.lower() in {name.rstrip("/") for name in names}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
