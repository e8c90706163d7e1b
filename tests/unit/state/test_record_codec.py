"""The document of a state: what goes in comes out, in few bytes; what is not ours is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.device import OnRemove
from reconciler.core.failures import StateError
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.secret import Secret
from reconciler.engine.shipped_files import schema_bytes
from reconciler.state.encryption import NO_KEYS, Key, Keys, NoKey
from reconciler.state.envelope import looks_like_one, seal
from reconciler.state.record_codec import decode, encode
from reconciler.state.store import Part
from tests.changed import replace

KEY = Key.parse("00" * 32)
OTHER = Key.parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
HERE = "s3://bucket/path"
SCHEMA = json.loads(schema_bytes("state"))
DOCUMENT = Draft202012Validator(SCHEMA)
CONTENT = Draft202012Validator({**SCHEMA["$defs"]["record"], "$schema": SCHEMA["$schema"]})

digests = st.text("0123456789abcdef", min_size=1, max_size=32)
fields = st.dictionaries(
    st.sampled_from(["owner", "isPrimary", "registrationEnabled"])
    | st.text(min_size=1, max_size=20).map(lambda key: f"additionalData.{key}"),
    st.lists(digests, max_size=3).map(tuple),
    max_size=4,
)
devices = st.builds(
    RecordedDevice,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.sampled_from(["courier", "shop", "ü x"]),
    fields,
    st.sampled_from([None, OnRemove.RELEASE, OnRemove.DEPERSONALIZE]),
    st.booleans(),
    st.sampled_from([None, "Fairphone FP5", "ü"]),
)
records = st.builds(
    lambda found, serial, ids: Record(
        "6a3cf3e1-8c9f-4b47-9b52-6f5d0f6f8a10",
        serial,
        Secret(bytes(range(32))),
        {device.id: device for device in sorted(found, key=lambda device: device.id)},
        dict(sorted(ids.items())),
    ),
    st.lists(devices, max_size=12, unique_by=lambda device: device.id),
    st.integers(0, 2**53),
    st.dictionaries(st.sampled_from(["courier", "shop"]), st.text("0123456789AB", min_size=1)),
)
SMALL = Record(
    "6a3cf3e1-8c9f-4b47-9b52-6f5d0f6f8a10",
    7,
    Secret(bytes(range(32))),
    {"a": RecordedDevice("a", "courier", {"owner": ("11", "22"), "isPrimary": ("33",)})},
    {"courier": "0A1"},
)


@given(records, st.sampled_from([Keys(), Keys(KEY)]))
def test_what_goes_in_comes_out(record: Record, keys: Keys) -> None:
    """Encrypted or not; and the document is what the schema says."""
    document = encode(record, keys)

    found = decode(document, HERE, keys)
    assert record == found
    # What a device was makes no two entries differ, so equality says nothing of it.
    assert [one.model for one in record.devices.values()] == [
        one.model for one in found.devices.values()
    ]
    DOCUMENT.validate(json.loads(document))
    assert looks_like_one(document)


@given(records)
def test_the_content_is_what_the_schema_says(record: Record) -> None:
    """And equal states have equal bytes, in whatever order their devices came."""
    document = json.loads(encode(record))
    content = json.loads(zstandard.decompress(base64.b64decode(document["content"])))
    backwards = replace(record, devices=dict(reversed(record.devices.items())))

    CONTENT.validate(content)
    assert encode(record) == encode(backwards)


def outcome(document: bytes, keys: Keys) -> str:
    """Decode; return the code of what is wrong, "the same" or "another state"."""
    try:
        return "the same" if decode(document, HERE, keys) == SMALL else "another state"
    except StateError as error:
        return error.diagnostic.code.id


@given(st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    """Cut anywhere or with one byte changed, a document is refused, or is the same state."""
    keys = data.draw(st.sampled_from([Keys(), Keys(KEY)]))
    whole = encode(SMALL, keys)
    at = data.draw(st.integers(0, len(whole) - 2))
    cut = data.draw(st.booleans())
    harmed = (
        whole[:at]
        if cut
        else whole[:at] + data.draw(st.binary(min_size=1, max_size=1)) + whole[at + 1 :]
    )
    assert outcome(harmed, keys) in ("the same", "E603", "E604", "E605", "E611")


def failure(document: bytes, keys: Keys = NO_KEYS) -> tuple[str, str]:
    with pytest.raises(StateError) as raised:
        decode(document, HERE, keys)
    return raised.value.diagnostic.code.id, str(raised.value)


def changed(**more: Any) -> bytes:
    return json.dumps({**json.loads(encode(SMALL)), **more}).encode()


@pytest.mark.parametrize(
    ("document", "code", "what"),
    [
        (b"", "E603", "empty"),
        (b"<html>Sign in</html>", "E603", "not a document of ours"),
        (b"[]", "E603", "not a document of ours"),
        (b'{"version": 4, "terraform_version": "1.11.0"}', "E603", "not a document of ours"),
        (encode(SMALL)[:90], "E605", "cut off or garbled"),
        (changed(formatVersion="2.0"), "E604", "format 2.0, this reconciler knows 1.0"),
        (changed(formatVersion="x"), "E605", "no format version"),
        (changed(serial=8), "E605", "not whole, or was changed"),
        (changed(lineage="another"), "E605", "not whole, or was changed"),
        (changed(serial="8"), "E605", "serial"),
        (changed(part="run"), "E603", "the part record is needed"),
        (seal(Part.RECORD, "l", 1, b"{}"), "E605", "key"),
        (seal(Part.RECORD, "l", 1, b'{"key":"","applications":{},"groups":[]}'), "E605", "lineage"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_not_a_record_is_told(document: bytes, code: str, what: str) -> None:
    """With the place, and what is wrong."""
    found, message = failure(document)

    assert code == found
    assert HERE in message
    assert what in message


def test_a_newer_minor_version_is_read() -> None:
    """What it says beside what we know is ignored."""
    document = encode(SMALL)

    assert SMALL == decode(document[:-2] + b',"since":"1.1"}\n', HERE)


@pytest.mark.parametrize(
    ("written", "read", "what"),
    [
        (Keys(KEY), Keys(OTHER), f"it was written with the key {KEY.id}"),
        (Keys(KEY), Keys(), "it is encrypted, and the project file has no state.encryption"),
        (Keys(), Keys(KEY), "it is not encrypted, and the project file has a key"),
    ],
    ids=["wrong", "none", "needless"],
)
def test_a_wrong_key_says_so(written: Keys, read: Keys, what: str) -> None:
    """Keys are told apart before they are tried, and none of them is shown."""
    code, message = failure(encode(SMALL, written), read)

    assert "E611" == code
    assert what in message
    assert "00000000" not in message


def test_the_previous_key_still_reads() -> None:
    """And what is written then is written with the current one."""
    keys = Keys(OTHER, KEY)

    assert SMALL == decode(encode(SMALL, Keys(KEY)), HERE, keys)
    assert SMALL == decode(encode(SMALL, keys), HERE, Keys(OTHER))


def test_the_header_is_bound_to_what_is_encrypted() -> None:
    """Who has not the key cannot give an old content a new serial."""
    document = json.loads(encode(SMALL, Keys(KEY)))
    other = json.loads(encode(replace(SMALL, serial=8), Keys(KEY)))
    forged = {**other, "content": document["content"], "encryption": document["encryption"]}
    # The digest is no secret: whoever changes a document can make it anew.
    forged["sha256"] = _digest_of(forged)

    assert "E605" == failure(json.dumps(forged).encode(), Keys(KEY))[0]


def _digest_of(document: dict[str, Any]) -> str:
    from reconciler.state import envelope

    header = envelope._header(
        document["formatVersion"],
        document["part"],
        document["lineage"],
        document["serial"],
        document["encryption"]["keyId"],
    )
    return envelope.hashlib.sha256(header + base64.b64decode(document["content"])).hexdigest()


@pytest.mark.parametrize("text", ["", "short", "0" * 63, "é" * 32, "A" * 42, "AAAA====", " "])
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    """A key is 32 bytes; the message says how to make one."""
    with pytest.raises(NoKey) as raised:
        Key.parse(text)

    assert "openssl rand -base64 32" in str(raised.value)
    assert not text.strip() or text not in str(raised.value)


def test_a_key_is_read_in_each_of_its_spellings() -> None:
    """Both alphabets of base64, with and without padding, hexadecimal, with a newline."""
    secret = bytes([255, 254]) * 16
    spellings: list[Callable[[bytes], str]] = [
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
        lambda data: data.hex(),
        lambda data: base64.b64encode(data).decode() + "\n",
    ]

    assert {Key.parse(spell(secret)).id for spell in spellings} == {Key.parse(secret.hex()).id}


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content that grows beyond all records is not unpacked to its end."""
    from reconciler.state import envelope

    monkeypatch.setattr(envelope, "_LARGEST", 100_000)
    code, message = failure(seal(Part.RECORD, "l", 1, b" " * 200_000))

    assert ("E605", True) == (code, "no size that a state can have" in message)


def test_a_hundred_thousand_devices_fit_in_eight_megabytes() -> None:
    """With an owner and a key of its own for each, and two values that all share."""
    import hashlib

    def digest(text: str) -> tuple[str, ...]:
        return (hashlib.sha256(text.encode()).hexdigest()[:32],)

    def id_(number: int) -> str:
        text = digest(f"id {number}")[0].upper()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    found = {
        device: RecordedDevice(
            device,
            "courier",
            {
                "owner": digest(f"owner {number}"),
                "isPrimary": digest(str(number % 2)),
                "additionalData.fleet": digest(f"fleet {number % 40}"),
                "additionalData.name": digest(f"name {number}"),
            },
        )
        for number, device in ((number, id_(number)) for number in range(100_000))
    }
    document = encode(replace(SMALL, devices=dict(sorted(found.items()))))

    assert len(document) < 8_000_000
    assert len(decode(document, HERE).devices) == 100_000
