"""The connection: name, TCP, TLS, and whether who answers is the service; without a credential."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from reconciler.api.errors import Denied, NoAnswer, NotTheContract, RateLimited, ServerFailed
from reconciler.api.exchange import NoConnection
from reconciler.api.probe import Sounding
from reconciler.core.check_result import CheckResult, Verdict

from .answer import said, way_out

_CHECK: Final = "connection"
_FIXES: Final[dict[str, str]] = {
    NoConnection.NAME: "Check the host name in api.baseUrl, and the name server of this machine.",
    NoConnection.REFUSED: "Check host and port in api.baseUrl, and whether a firewall is between. "
    "A proxy of the environment is not used.",
    NoConnection.SLOW: "Check the network, and whether a firewall swallows what goes there. A "
    "proxy of the environment is not used.",
    NoConnection.CERTIFICATE: "Check that nothing stands between. If a proxy of your company "
    "shall, name its certificate in SSL_CERT_FILE.",
    NoConnection.TLS: "Check that the port speaks https, and that nothing stands between.",
}


def examine(url: str, greeting: Sounding) -> CheckResult:
    """Judge the answer to a read that carried no credential: a no is what the service says."""
    encrypted = "over TLS" if urlsplit(url).scheme == "https" else "without TLS"
    milliseconds = f"{greeting.seconds * 1000:.0f} ms"
    good = f"connected {encrypted}; the service answers in {milliseconds}"
    match greeting.error:
        case None | Denied() | RateLimited():
            return CheckResult(_CHECK, Verdict.OK, good)
        case NoAnswer(reason=reason):
            fix = _FIXES.get(reason or "", "Check the network, and whether the service is up.")
            return CheckResult(_CHECK, Verdict.FAILED, reason or "no answer", fix=fix)
        case ServerFailed() as error:
            message = f"connected {encrypted}; {said(error)}"
            return CheckResult(_CHECK, Verdict.WARNING, message, fix=way_out(error))
        case NotTheContract() as error:
            message = f"connected {encrypted}; who answers is not the service; {said(error)}"
            return CheckResult(_CHECK, Verdict.FAILED, message, fix=way_out(error))
        case error:
            message = f"{good}, in an unusual way; {said(error)}"
            return CheckResult(_CHECK, Verdict.WARNING, message)
