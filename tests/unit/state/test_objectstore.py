"""The store in a bucket, against moto with faults before it: what breaks, what is said."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from reconciler.core import codes
from reconciler.core.diagnostics import Code
from reconciler.core.failures import StateError
from reconciler.state.directory import DirectoryStore
from reconciler.state.objectstore import ObjectStore, Patience, open_object_store
from reconciler.state.retrying_store import RetryingStore
from reconciler.state.store import OutOfReach, Overtaken, Part
from tests.stub.s3 import ACCESS_KEY, S3, SECRET_KEY, Fault, Kind, forget, reached, server

# obstore itself tries no second time, so that the tests see each request.
ONCE = Patience(connect=1.0, request=1.0, retries=0)


@pytest.fixture(name="s3")
def _s3() -> Iterator[S3]:
    """The server, up and sound again whatever the test did to it."""
    running = server()
    with reached(running):
        yield running
    running.break_next()
    running.start()


@pytest.fixture
def url(s3: S3) -> str:
    return f"s3://{s3.bucket()}/team/record"


def refused(do: Callable[[], object], code: Code) -> str:
    """Return the message of the error, which has the code, is one line, and keeps every secret."""
    with pytest.raises(StateError) as caught:
        do()
    shown = "".join(traceback.format_exception(caught.value))
    message = caught.value.diagnostic.message
    assert code == caught.value.diagnostic.code, message
    assert isinstance(caught.value, OutOfReach) == (code == codes.STORE_OUT_OF_REACH)
    assert message.isprintable()
    for piece in (SECRET_KEY, ACCESS_KEY, "hush", "Debug source", "<Error>", "Signature="):
        assert piece not in message
        assert piece not in shown
    assert len(message) < 400
    return message


def puts(s3: S3) -> int:
    return sum(call.startswith("PUT") for call in s3.front.calls)


def test_opening_calls_nobody(s3: S3, url: str) -> None:
    """Reading looks once, and makes nothing."""
    s3.break_next()
    store = open_object_store(url)
    opened = list(s3.front.calls)
    found = store.read(Part.RECORD)
    store.close()

    assert [] == opened
    assert found is None
    assert [f"GET /{url.removeprefix('s3://')}/record.json"] == s3.front.calls
    assert url == store.where


def test_a_lost_answer_is_found_to_be_ours(s3: S3, url: str) -> None:
    """The part is written once, whether it is the first one or a later, by 500 or a cut line."""
    store = RetryingStore(ObjectStore(url, ONCE), unit=0.001)
    version, written = None, []
    for number, kind in enumerate((Kind.LOST, Kind.CUT, Kind.LOST, Kind.CUT)):
        data = b'{"serial": %d}' % number
        s3.break_next(Fault(kind, "PUT"))
        version = store.write(Part.RECORD, data, version)
        written.append(puts(s3))
        found = store.read(Part.RECORD)
        assert found is not None
        assert (data, version) == (found.data, found.version)

    assert [1, 1, 1, 1] == written


def test_a_lost_answer_that_obstore_asks_for_again_is_ours(s3: S3, url: str) -> None:
    """Its second request finds the condition broken by its first one."""
    store = RetryingStore(ObjectStore(url), unit=0.001)
    first = store.write(Part.RECORD, b"1", None)
    s3.break_next(Fault(Kind.LOST, "PUT"))
    second = store.write(Part.RECORD, b"2", first)

    found = store.read(Part.RECORD)
    assert found is not None
    assert (b"2", second) == (found.data, found.version)
    assert puts(s3) == 2


def test_a_lost_answer_over_which_another_one_has_written_is_overtaken(s3: S3, url: str) -> None:
    """Only our very bytes are ours."""
    bare = ObjectStore(url, ONCE)
    first = bare.write(Part.RECORD, b"1", None)
    s3.break_next(Fault(Kind.ANSWER, "PUT"))
    with pytest.raises(OutOfReach):
        bare.write(Part.RECORD, b"2", first)
    ObjectStore(url).write(Part.RECORD, b"other", first)

    with pytest.raises(Overtaken):
        RetryingStore(bare, unit=0.001).write(Part.RECORD, b"2", first)


def test_a_condition_that_was_said_to_be_broken_is_believed(s3: S3, url: str) -> None:
    """A wrong 412, and the 409 of two at once: nothing was written, and nobody claims it."""
    store = RetryingStore(ObjectStore(url, ONCE), unit=0.001)
    first = store.write(Part.RECORD, b"1", None)
    for status, code in (
        ("412 Precondition Failed", "PreconditionFailed"),
        ("409 Conflict", "ConditionalRequestConflict"),
    ):
        s3.break_next(Fault(Kind.ANSWER, "PUT", status=status, code=code))
        with pytest.raises(Overtaken):
            store.write(Part.RECORD, b"2", first)

    found = store.read(Part.RECORD)
    assert found is not None
    assert (b"1", first) == (found.data, found.version)
    store.write(Part.RECORD, b"2", first)


def test_a_trouble_that_passes_is_none(s3: S3, url: str) -> None:
    """Three times 503 on every way: obstore's own tries, and ours where it has none."""
    store = RetryingStore(ObjectStore(url, ONCE), unit=0.001)
    s3.break_next(Fault(Kind.ANSWER, "PUT", times=3), Fault(Kind.ANSWER, "GET", times=1))
    version = store.write(Part.RECORD, b"1", None)
    s3.break_next(Fault(Kind.ANSWER, "GET", times=3))
    found = store.read(Part.RECORD)
    s3.break_next(Fault(Kind.ANSWER, "GET", times=3))
    again = ObjectStore(url).read(Part.RECORD)

    assert found == again
    assert found is not None
    assert (b"1", version) == (found.data, found.version)


def test_a_trouble_that_stays_is_told(s3: S3, url: str) -> None:
    """With the status, its code, and how often it was tried."""
    s3.break_next(Fault(Kind.ANSWER, "PUT", times=99), Fault(Kind.ANSWER, "GET", times=99))
    put = refused(
        lambda: ObjectStore(url, ONCE).write(Part.RECORD, b"1", None), codes.STORE_OUT_OF_REACH
    )
    get = refused(lambda: ObjectStore(url).read(Part.RECORD), codes.STORE_OUT_OF_REACH)

    host = s3.endpoint.removeprefix("http://")
    said = f"The state cannot be reached at {url}: "
    # An older obstore drops the body, thus the code, of such an answer.
    put, get = put.replace(" (SlowDown)", ""), get.replace(" (SlowDown)", "")
    assert put == f"{said}PUT at {host}: 503 Service Unavailable"
    assert get == f"{said}GET at {host}: 503 Service Unavailable, after 3 retries"


def test_a_torn_download_is_no_part(s3: S3, url: str) -> None:
    """It is asked for again, by obstore from where it broke off; and not taken as it is."""
    store = ObjectStore(url, ONCE)
    large = b"0123456789" * 100_000
    store.write(Part.RECORD, large, None)
    s3.break_next(Fault(Kind.TORN, "GET", times=1))
    message = refused(lambda: store.read(Part.RECORD), codes.STORE_OUT_OF_REACH)
    s3.break_next(Fault(Kind.TORN, "GET", times=2))
    found = RetryingStore(store, unit=0.001).read(Part.RECORD)
    s3.break_next(Fault(Kind.TORN, "GET", times=2))
    resumed = ObjectStore(url).read(Part.RECORD)

    assert message.startswith(f"The state cannot be reached at {url}: ")
    assert found is not None
    assert found.data == large
    assert found == resumed


def test_a_server_that_is_silent_is_given_up(s3: S3, url: str) -> None:
    """After the time that a request may take."""
    s3.break_next(Fault(Kind.SLOW, "GET", seconds=2.5))
    store = ObjectStore(url, Patience(request=0.3, retries=0))
    before = time.monotonic()
    message = refused(lambda: store.read(Part.RECORD), codes.STORE_OUT_OF_REACH)

    assert time.monotonic() - before < 2
    assert message.endswith(": no answer in time")


def test_a_write_that_was_too_slow_is_ours_all_the_same(s3: S3, url: str) -> None:
    """It was carried out after we had given up, before we looked."""
    store = RetryingStore(ObjectStore(url, Patience(request=0.4, retries=0)), unit=0.5)
    s3.break_next(Fault(Kind.SLOW, "PUT", seconds=0.7))
    version = store.write(Part.RECORD, b"1", None)

    found = store.read(Part.RECORD)
    assert found is not None
    assert (b"1", version) == (found.data, found.version)


def test_a_server_that_is_gone_and_back(s3: S3, url: str) -> None:
    """Between two writes of one store; while it is away, the message says that nobody listens."""
    store = ObjectStore(url, ONCE)
    first = store.write(Part.RECORD, b"1", None)
    s3.stop()
    message = refused(lambda: store.write(Part.RECORD, b"2", first), codes.STORE_OUT_OF_REACH)
    s3.start()
    second = store.write(Part.RECORD, b"2", first)

    assert first != second
    host = s3.endpoint.removeprefix("http://")
    assert message.endswith(f": PUT at {host}: no connection (Connection refused)")


def test_a_bucket_that_is_missing_is_told(s3: S3) -> None:
    """It is never taken for one without a state, nor for one that another run has changed."""
    del s3
    store = ObjectStore("s3://nothing-there/x", ONCE)
    said = "The state cannot be kept there at s3://nothing-there/x: no such bucket"

    assert said == refused(lambda: store.read(Part.RECORD), codes.STORE_UNUSABLE)
    for version in (None, '["\\"x\\"", null]'):
        write = partial(store.write, Part.RECORD, b"1", version)
        assert said == refused(write, codes.STORE_UNUSABLE)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("403 Forbidden", "SignatureDoesNotMatch", codes.STORE_DENIED),
        ("403 Forbidden", "AccessDenied", codes.STORE_DENIED),
        ("401 Unauthorized", "Unauthorized", codes.STORE_DENIED),
        ("400 Bad Request", "ExpiredToken", codes.STORE_DENIED),
        ("400 Bad Request", "AuthorizationHeaderMalformed", codes.STORE_UNUSABLE),
        ("400 Bad Request", "InvalidRequest", codes.STORE_UNUSABLE),
        ("400 Bad Request", "RequestTimeout", codes.STORE_OUT_OF_REACH),
        ("301 Moved Permanently", "PermanentRedirect", codes.STORE_UNUSABLE),
        ("501 Not Implemented", "NotImplemented", codes.STORE_UNUSABLE),
        ("429 Too Many Requests", "SlowDown", codes.STORE_OUT_OF_REACH),
        ("500 Internal Server Error", "InternalError", codes.STORE_OUT_OF_REACH),
    ],
)
def test_every_answer_has_its_error(
    s3: S3, url: str, status: str, code: str, expected: Code
) -> None:
    """For reading and for both ways of writing; what no second try heals is not tried again."""
    bare = ObjectStore(url, ONCE)
    version = bare.write(Part.RECORD, b"1", None)
    store = bare if expected == codes.STORE_OUT_OF_REACH else RetryingStore(bare, unit=0.001)
    for method, do in (
        ("GET", partial(store.read, Part.RECORD)),
        ("PUT", partial(store.write, Part.RUN, b"1", None)),
        ("PUT", partial(store.write, Part.RECORD, b"2", version)),
    ):
        s3.break_next(Fault(Kind.ANSWER, method, times=9, status=status, code=code))
        message = refused(do, expected)
        assert len(s3.front.calls) == 1
        assert f"{method} at 127.0.0.1:" in message
        assert "region" not in message or "AWS_REGION" in message


def test_a_missing_object_may_look_denied(s3: S3, url: str) -> None:
    """S3 tells nobody without s3:ListBucket that there is no object, so the message does."""
    s3.break_next(Fault(Kind.ANSWER, "GET", status="403 Forbidden", code="AccessDenied"))
    message = refused(lambda: ObjectStore(url, ONCE).read(Part.RECORD), codes.STORE_DENIED)

    assert "s3:ListBucket" in message


@pytest.mark.parametrize("sound", [0, 1])
def test_a_service_that_overlooks_conditions_is_refused(s3: S3, url: str, sound: int) -> None:
    """Before the first record rests on it, and that one does not stay there."""
    faults = [Fault(Kind.SLOW, "PUT", times=sound + 1), Fault(Kind.UNCONDITIONAL, "PUT", times=9)]
    s3.break_next(*faults)
    message = refused(
        lambda: ObjectStore(url, ONCE).write(Part.RECORD, b"1", None), codes.STORE_UNUSABLE
    )
    s3.break_next()

    assert "overlooks conditions" in message
    assert ObjectStore(url).read(Part.RECORD) is None


@pytest.mark.parametrize("version", ["", "x", "1", "{}", "[]", "[1, 2]", "[null, null]", "null"])
def test_a_version_of_another_store_is_none_of_ours(s3: S3, url: str, version: str) -> None:
    """It expects something that cannot be there."""
    store = ObjectStore(url, ONCE)
    store.write(Part.RECORD, b"1", None)
    s3.break_next()
    with pytest.raises(Overtaken):
        store.write(Part.RECORD, b"2", version)

    assert [] == s3.front.calls


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "s3:", "s3://", "s3:///x", "s3:b", "s3a://b/x", "gcs://b", "http://h/x"),
        *("s3://user:hush@b/x", "s3://b/x?hush=1", "s3://b/x#hush", "s3://b/a//b", "s3://b/../x"),
        *("s3://b/./x", "s3://b/%2e%2e/x", "s3://b/a b", "s3://b/x\n", "S3://b/x", "s3://b:80/x"),
        *("memory:///", "file:", "file:/x", "file://x", "file://host/x", "file:///", "file:////"),
        *("file:///a/../b", "file:///x?hush=1", "file:///x#hush", "file:///x%00y", "file:///%ff"),
        *("file://user:hush@h/x", "az://c/x?sig=hush", "postgres://u:hush@h/d"),
    ],
)
def test_a_url_of_no_known_form_is_refused(url: str) -> None:
    """The message says which there are, and repeats nothing that could be a key."""
    with pytest.raises(ValueError) as caught:
        open_object_store(url)

    message = str(caught.value)
    assert "hush" not in message
    assert message.isprintable()
    assert message.endswith(
        ": s3://bucket/path, gs://bucket/path, az://container/path, file:///directory"
    )


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://my.bucket-1/a/b.c/d=e/", "s3://my.bucket-1/a/b.c/d=e"),
        ("gs://bucket/a", "gs://bucket/a"),
        ("az://container/a", "az://container/a"),
        ("file:///a/b/", "file:///a/b"),
        ("file:////a/b%20c", "file:///a/b%20c"),
    ],
)
def test_a_url_of_a_known_form_is_opened(
    monkeypatch: pytest.MonkeyPatch, url: str, where: str
) -> None:
    """Without a call, and without credentials where the service needs none to be opened."""
    forget(monkeypatch)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    store = open_object_store(url)
    store.close()

    assert where == store.where
    assert isinstance(store, DirectoryStore) == url.startswith("file:")


def test_a_directory_is_written_where_the_url_says(tmp_path: Path) -> None:
    """Percent-encoded letters are those that they stand for."""
    place = tmp_path / "a b" / "ü"
    open_object_store(place.as_uri()).write(Part.RUN, b"{}", None)

    assert (place / "run.json").read_bytes() == b"{}"


def test_missing_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure has no account, Google a key file that is none; what stands in them is not shown."""
    forget(monkeypatch)
    azure = refused(lambda: open_object_store("az://c/x"), codes.STORE_DENIED)
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", '{"private_key": "hush", "client_email": 1}')
    google = refused(lambda: open_object_store("gs://b/x"), codes.STORE_DENIED)

    assert azure.endswith("AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY")
    assert google.endswith("GOOGLE_APPLICATION_CREDENTIALS")


def test_no_credentials_are_denied(s3: S3, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither the environment nor the machine gives any."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    s3.break_next()
    message = refused(lambda: ObjectStore(url, ONCE).read(Part.RECORD), codes.STORE_DENIED)

    assert ": no credentials: " in message
    assert message.endswith("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    assert [] == s3.front.calls


@pytest.mark.parametrize(
    "endpoint", ["http://hush:hush@192.0.2.1:9000", "http://127.0.0.1.example.test", "ftp://x", "["]
)
def test_plain_http_stays_on_this_machine(
    s3: S3, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    """Nobody is called, whatever AWS_ALLOW_HTTP says."""
    del s3
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    message = refused(lambda: ObjectStore("s3://b/x", ONCE).read(Part.RECORD), codes.STORE_UNUSABLE)

    assert message.endswith(": the endpoint in the environment is not https://")


def test_the_environment_is_as_before() -> None:
    """What points to the server is taken away again."""
    before = dict(os.environ)
    with reached(server()):
        assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET_KEY

    assert before == dict(os.environ)
