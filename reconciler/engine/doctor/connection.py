"""The base URL, the connection, and the clock: what can be told without a credential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from reconciler.api.errors import Denied, NoAnswer, NotTheContract, RateLimited, ServerFailed
from reconciler.api.exchange import NoConnection
from reconciler.api.probe import ProbeResult
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.project import Project
from reconciler.manifest.interpolation import check_base_url, resolve_setting
from reconciler.render.sentences import duration

from .project import has_value
from .results import describe_answer, failed_by, skipped, suggest_fix

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
# Locks of a shared state allow for a minute.
_MOST_SECONDS_APART: Final = 60.0
# A Date has no fractions, so it is half a second early on average.
_HALF_SECOND: Final = 0.5


def check_address(project: Project, environ: Mapping[str, str]) -> tuple[CheckResult, str | None]:
    """Return whether a base URL is given and keys may be sent there; and the URL, if so."""
    setting = project.api.base_url
    if not has_value(setting, environ):
        (result,) = skipped("environment", "base-url")
        return result, None
    url = resolve_setting(setting, environ)
    refused = check_base_url(url, environ, setting)
    if refused is not None:
        return failed_by("base-url", (refused,)), None
    return CheckResult("base-url", Verdict.OK, f"keys may be sent to {urlsplit(url).hostname}"), url


def check_connection(url: str, greeting: ProbeResult) -> CheckResult:
    """Judge the answer to a read that carried no credential: a no is what the service says."""
    check = "connection"
    encrypted = "over TLS" if urlsplit(url).scheme == "https" else "without TLS"
    milliseconds = f"{greeting.seconds * 1000:.0f} ms"
    good = f"connected {encrypted}; the service answers in {milliseconds}"
    match greeting.error:
        case None | Denied() | RateLimited():
            return CheckResult(check, Verdict.OK, good)
        case NoAnswer(reason=reason):
            fix = _FIXES.get(reason or "", "Check the network, and whether the service is up.")
            return CheckResult(check, Verdict.FAILED, reason or "no answer", fix=fix)
        case ServerFailed() as error:
            message = f"connected {encrypted}; {describe_answer(error)}"
            return CheckResult(check, Verdict.WARNING, message, fix=suggest_fix(error))
        case NotTheContract() as error:
            answer = describe_answer(error)
            message = f"connected {encrypted}; who answers is not the service; {answer}"
            return CheckResult(check, Verdict.FAILED, message, fix=suggest_fix(error))
        case error:
            message = f"{good}, in an unusual way; {describe_answer(error)}"
            return CheckResult(check, Verdict.WARNING, message)


def check_clock(greeting: ProbeResult) -> CheckResult:
    """Compare our clock with the Date of an answer; more than a minute apart is a warning."""
    if greeting.date is None:
        return CheckResult("clock", Verdict.SKIPPED, "the answer of the service has no Date")
    ahead = greeting.at - (greeting.date + _HALF_SECOND)
    if abs(ahead) <= _MOST_SECONDS_APART:
        within = duration(max(abs(ahead), 1.0))
        return CheckResult("clock", Verdict.OK, f"agrees with the service within {within}")
    side = "ahead of" if ahead > 0 else "behind"
    return CheckResult(
        "clock",
        Verdict.WARNING,
        f"this machine is {duration(abs(ahead))} {side} the service",
        ("Locks of a shared state take clocks of machines to agree within a minute.",),
        "Let this machine set its clock by the network (NTP).",
    )
