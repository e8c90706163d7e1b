"""A store in a bucket or in a directory: `state: {url: s3://…}`, gs://, az:// or file://.

Promises: every write carries the condition that the service itself checks; opening calls nobody;
keys come from the environment, and neither they nor a service's own text get into a message.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from reconciler.core.failures import StateError

from .directory import DirectoryStore
from .store import Overtaken, Part, Store, Stored, denied, out_of_reach, unusable

if TYPE_CHECKING:
    from obstore import PutMode, PutResult, UpdateVersion
    from obstore.store import AzureStore, ClientConfig, GCSStore, RetryConfig, S3Store

_KNOWN: Final = "s3://bucket/path, gs://bucket/path, az://container/path, file:///directory"
# What a service or a shell could read in two ways (%, \, .., //) is not let in.
_URL: Final = re.compile(
    r"(?P<scheme>s3|gs|az)://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]*)"
    r"(?P<path>(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._=+~-]+)*)/?"
)
# Where the environment may say that another service stands in, in the order that obstore reads it.
_ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
        "gs": ("GOOGLE_BASE_URL",),
        "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    }
)
_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "gs": "GOOGLE_APPLICATION_CREDENTIALS",
        "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    }
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_EMULATOR: Final = "http://127.0.0.1:10000"

_STATUS: Final = re.compile(r"status code: ([0-9]{3}( [A-Z][A-Za-z]+)*)")
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_CALL: Final = re.compile(
    r"Error performing (?P<method>[A-Z]+) https?://(?:[^/\s@]*@)?(?P<host>[\w.:\[\]-]+)\S* in "
)
_RETRIES: Final = re.compile(r"after ([0-9]+) retries")
_KIND: Final = re.compile(r"\bkind: (Connect|Timeout|Interrupted|Decode)\b")
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Connect": "no connection",
        "Timeout": "no answer in time",
        "Interrupted": "the connection broke off",
        "Decode": "the answer broke off",
    }
)
_SYSTEM: Final = re.compile(r'\bmessage: "([A-Z][A-Za-z ]{1,60})"')
_NO_BUCKET: Final = frozenset({"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"})
_ELSEWHERE: Final = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed"})
# Amazon says these with 400, a status that other mistakes have too.
_REFUSALS: Final = frozenset({"ExpiredToken", "InvalidToken", "TokenRefreshRequired"})
# Said with 400 as well, and nobody's mistake.
_PASSING: Final = frozenset({"RequestTimeout", "IncompleteBody", "BadDigest"})
# No version of anything.
_NEVER: Final[UpdateVersion] = {"e_tag": '"0"'}


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds: to be connected, for a request; how often and how long obstore tries again."""

    connect: float = 5.0
    request: float = 30.0
    retries: int = 3
    retrying: float = 15.0


class ObjectStore:
    """The parts as objects under a URL; threads may share it.

    Raises ValueError if the URL is none of s3, gs and az, StateError if the environment's settings
    do not do.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        matched = _URL.fullmatch(url)
        if matched is None:
            raise ValueError(_malformed(url))
        self._scheme: str = matched["scheme"]
        self.where = f"{matched['scheme']}://{matched['bucket']}{matched['path']}"
        self._endpoint = _endpoint(self._scheme)
        if self._endpoint is not None and not _trusted(self._endpoint):
            raise unusable(self.where, "the endpoint in the environment is not https://")
        self._objects = self._opened(
            matched["bucket"], matched["path"].strip("/") or None, patience or Patience()
        )

    def read(self, part: Part) -> Stored | None:
        with self._told(part):
            try:
                stored = self._objects.get(_name(part))
            except FileNotFoundError as error:
                if _code(str(error)) in _NO_BUCKET:
                    raise self._no_bucket() from None
                return None
            return Stored(
                stored.bytes().to_bytes(),
                _version(stored.meta["e_tag"], stored.meta["version"]),
            )

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        version = self._put(part, data, "create" if expected is None else _condition(expected))
        if expected is None:
            self._prove(part, data)
        return version

    def close(self) -> None:
        pass

    def _put(self, part: Part, data: bytes, mode: PutMode) -> str:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._told(part):
            try:
                # In one request: a condition holds for none of several parts.
                done: PutResult = self._objects.put(
                    _name(part), data, mode=mode, use_multipart=False
                )
            except (AlreadyExistsError, PreconditionError) as error:
                # obstore takes every 404 of a conditional write for a part that has gone.
                if _code(str(error)) in _NO_BUCKET:
                    raise self._no_bucket() from None
                raise Overtaken from None
            except FileNotFoundError:
                raise self._no_bucket() from None
        return _version(done["e_tag"], done["version"])

    def _prove(self, part: Part, data: bytes) -> None:
        """Refuse a service that speaks S3 and overlooks conditions: it would lose records.

        Only once for a part, when it has just been made and nobody has another version of it.
        """
        if self._scheme != "s3" or self._endpoint is None:
            return
        for mode in ("create", _NEVER):
            with suppress(Overtaken):
                self._put(part, data, mode)
                with suppress(Exception):
                    self._objects.delete(_name(part))
                raise unusable(
                    self.where,
                    f"{self._endpoint} overlooks conditions (If-Match, If-None-Match): of two "
                    "writers at once both would succeed",
                )

    def _opened(
        self, bucket: str, prefix: str | None, patience: Patience
    ) -> S3Store | GCSStore | AzureStore:
        from obstore.exceptions import BaseError
        from obstore.store import AzureStore, GCSStore, S3Store

        client: ClientConfig = {
            "connect_timeout": timedelta(seconds=patience.connect),
            "timeout": timedelta(seconds=patience.request),
            # Said in any case: obstore would listen to AWS_ALLOW_HTTP and the like.
            "allow_http": self._endpoint is not None and self._endpoint.startswith("http:"),
        }
        retry: RetryConfig = {
            "max_retries": patience.retries,
            "retry_timeout": timedelta(seconds=patience.retrying),
            "backoff": {
                "init_backoff": timedelta(seconds=0.1),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        }
        try:
            match self._scheme:
                case "s3":
                    # Without a region obstore takes us-east-1, as S3 itself does; one that is
                    # wrong is told by the service. The environment must not switch conditions off.
                    return S3Store(
                        bucket,
                        prefix=prefix,
                        config={"conditional_put": "etag"},
                        client_options=client,
                        retry_config=retry,
                    )
                case "gs":
                    return GCSStore(
                        bucket, prefix=prefix, client_options=client, retry_config=retry
                    )
                case _:
                    return AzureStore(
                        bucket, prefix=prefix, client_options=client, retry_config=retry
                    )
        except (BaseError, ValueError, TypeError):
            # Its text may repeat a piece of a key that it could not read.
            settings = _SETTINGS[self._scheme]
            reason = f"the settings in the environment are not enough, or wrong: {settings}"
            raise denied(self.where, reason) from None

    def _no_bucket(self) -> StateError:
        return unusable(
            self.where, "there is no such container" if self._scheme == "az" else "no such bucket"
        )

    @contextmanager
    def _told(self, part: Part) -> Iterator[None]:
        """Say in our words what obstore raises. Nothing of its own goes on with it."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise self._failure(str(error), part) from None

    def _failure(self, text: str, part: Part) -> StateError:
        shown, _, details = text.partition("\n\nDebug source")
        status, code, reason = _number(shown), _code(shown), _told_in_short(shown, details)
        first, _, _ = shown.partition("\n")
        if "Error performing" in first and _name(part) not in first.partition(" in ")[0]:
            # It was not our object that was asked for, but what opens the way to it.
            reason = f"no credentials: {reason}; set {_SETTINGS[self._scheme]}"
            return denied(self.where, reason)
        if status in (401, 403) or code in _REFUSALS:
            if self._scheme == "s3" and code == "AccessDenied" and "GET" in reason:
                reason += "; without s3:ListBucket, S3 says so of an object that is not there too"
            return denied(self.where, reason)
        if code in _ELSEWHERE or "redirect without LOCATION" in shown:
            return unusable(self.where, f"it is in another region: set AWS_REGION ({reason})")
        if status in (400, 405, 501) and code not in _PASSING:
            return unusable(self.where, reason)
        return out_of_reach(self.where, reason)


def open_object_store(url: str) -> Store:
    """Return the store of a URL, without looking whether it is there.

    Raises ValueError if the URL is not of a known form, StateError if the settings do not do.
    """
    if not url.startswith("file:"):
        return ObjectStore(url)
    try:
        parts = urlsplit(url)
        path = unquote(parts.path, errors="strict")
    except ValueError:
        raise ValueError(_malformed(url)) from None
    if (
        not url.startswith("file:///")
        or parts.query
        or parts.fragment
        or not path.isprintable()
        or {".", ".."} & set(path.split("/"))
        or not path.strip("/")
    ):
        raise ValueError(_malformed(url))
    # A second slash in front would have a meaning of its own.
    return DirectoryStore(Path("/" + path.strip("/")))


def _malformed(url: str) -> str:
    """Say what is wrong with a URL, of which nothing is shown but a scheme: it may hold a key."""
    scheme, colon, rest = url.partition(":")
    if scheme in ("s3", "gs", "az", "file") and colon:
        authority = rest.removeprefix("//").partition("/")[0]
        if "@" in authority or "?" in rest:
            return (
                "the URL of the state has a user, a password or a query; credentials are taken "
                f"from the environment, and the URL is one of: {_KNOWN}"
            )
        return f"the URL of the state is not of a known form: {_KNOWN}"
    shown = f" {scheme!r}" if colon and re.fullmatch("[a-z][a-z0-9+.-]{0,19}", scheme) else ""
    return f"the scheme{shown} of the state's URL is not known: {_KNOWN}"


def _endpoint(scheme: str) -> str | None:
    """Return scheme, host and port of the service that the environment says; no user of it."""
    given = next((os.environ[name] for name in _ENDPOINTS[scheme] if os.environ.get(name)), None)
    if given is None:
        emulated = os.environ.get("AZURE_STORAGE_USE_EMULATOR", "").lower() in ("1", "true")
        return _EMULATOR if scheme == "az" and emulated else None
    return re.sub(r"^([a-z]+://)?(?:[^/@]*@)?([^/?#]*).*$", r"\1\2", given, flags=re.DOTALL)


def _trusted(endpoint: str) -> bool:
    """Whether what is sent there cannot be overheard: encrypted, or to this very machine."""
    try:
        parts = urlsplit(endpoint)
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        return False


def _name(part: Part) -> str:
    return f"{part.value}.json"


def _version(e_tag: str | None, version: str | None) -> str:
    return json.dumps([e_tag, version])


def _condition(expected: str) -> UpdateVersion:
    """Return the condition of a version of ours; raise Overtaken if it can be none."""
    try:
        e_tag, version = json.loads(expected)
    except (ValueError, TypeError):
        raise Overtaken from None
    condition: UpdateVersion = {}
    # obstore takes no None for a value.
    if isinstance(e_tag, str):
        condition["e_tag"] = e_tag
    if isinstance(version, str):
        condition["version"] = version
    if not condition:
        raise Overtaken
    return condition


def _number(text: str) -> int | None:
    matched = _STATUS.search(text)
    return None if matched is None else int(matched[1][:3])


def _code(text: str) -> str | None:
    matched = _CODE.search(text.partition("\n\nDebug source")[0])
    return None if matched is None else matched[1]


def _told_in_short(shown: str, details: str) -> str:
    """Return what happened, put together from pieces that cannot hold a secret."""
    call, status, kind = _CALL.search(shown), _STATUS.search(shown), _KIND.search(details)
    pieces = [] if call is None else [f"{call['method']} at {call['host']}"]
    if status is not None:
        code = _code(shown)
        pieces.append(status[1] if code is None else f"{status[1]} ({code})")
    elif kind is not None:
        system = _SYSTEM.search(details)
        pieces.append(_KINDS[kind[1]] + ("" if system is None else f" ({system[1]})"))
    else:
        pieces.append("an answer that makes no sense")
    retries = _RETRIES.search(shown)
    after = "" if retries is None else f", after {retries[1]} retries"
    return ": ".join(pieces) + after
