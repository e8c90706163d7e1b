"""The words of a plan that a reader may want explained: its risks, warnings and guards."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from reconciler.core.safety import GONE, LEAVING

from .model import OTHERS_CHANGED_TOO, PATTERN, UNREADABLE, Risk

_RISK: Final = ("risk", "guard")
_WARNING: Final = ("warning",)
_GUARD: Final = ("guard",)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a plan. `kinds` are risk, warning and guard; `title` is what it says, `why` what is
    behind it, `fix` what to do if that is not meant."""

    name: str
    kinds: tuple[str, ...]
    title: str
    why: str
    fix: str


TERMS: Final = (
    Term(
        Risk.OWNER_CHANGE,
        _RISK,
        "The device moves from one person to another.",
        "The service detaches the device first and then gives it to the new owner. What no file "
        "declares of it may be lost on the way.",
        "See who is declared as owner, and since when.",
    ),
    Term(
        Risk.DETACH,
        _RISK,
        "The device is taken from its person and belongs to nobody.",
        "`owner: null` is declared, or the device left the files of a project with "
        "`onRemove: depersonalize`.",
        "Declare the owner, or put the entry back.",
    ),
    Term(
        Risk.PRIMARY_CHANGE,
        _RISK,
        "Which device of a person is primary changes.",
        "A person has one primary device, of all applications, so another one may stop being it.",
        "Declare isPrimary of all devices of the person: then nothing is left to the service.",
    ),
    Term(
        Risk.KEY_REMOVAL,
        _RISK,
        "A key of additionalData is removed with its value.",
        "It is declared as null, or it was applied from a file and stands in none any more.",
        "Declare the key with its value, and it stays.",
    ),
    Term(
        Risk.DISABLE,
        _RISK,
        "The device gets no push messages any more.",
        "`registrationEnabled: false` is declared, and the device gets messages now.",
        "Declare true, or delete the line: then it stays as it is.",
    ),
    Term(
        Risk.LEAD_PROMOTION,
        ("risk", "warning", "guard"),
        "A lead becomes a customer, which cannot be undone here.",
        "That is what the service does with a lead who gets a device, unless it is asked not to.",
        "Write `keepAsLead: true` beside the person's identity.",
    ),
    Term(
        LEAVING,
        _GUARD,
        "Many devices in the state left the files at once.",
        "A folder that was moved, or a glob that matches less than before, looks like this.",
        "See `manifests:` in the project file, and which files this commit deletes.",
    ),
    Term(
        GONE,
        _GUARD,
        "Many devices of an application are unknown to the service.",
        "An application code of another account or environment looks like this.",
        "Check `appCode` of the application and the account of the key: reconciler doctor",
    ),
    Term(
        PATTERN,
        _GUARD,
        "A glob of `manifests:` matches no file.",
        "Its devices would all count as gone from the files.",
        "Fix the glob, or delete the line if those manifests are gone for good.",
    ),
    Term(
        UNREADABLE,
        _WARNING,
        "What the service shows of a device cannot be understood, so nothing is done to it.",
        "A field that the file declares, or something of its owner, is of another type than the "
        "service documents, or the answer is none.",
        "Look at the device at the service, or take the field out of the file.",
    ),
    Term(
        "undeclared-data-may-be-lost",
        _WARNING,
        "Keys of additionalData that no file declares may be cleared.",
        "The owner changes, and nobody outside the vendor knows whether detaching keeps the data.",
        "Declare the keys that matter: they are set again after it. Once you know what your "
        "account does, pin it: api.assume.detach.",
    ),
    Term(
        "undeclared-primary-may-change",
        _WARNING,
        "The device is primary, no file says so, and its owner changes.",
        "Detaching may clear the flag; where it does not, the device brings it to its new owner.",
        "Declare isPrimary of this device.",
    ),
    Term(
        "sibling-loses-primary",
        _WARNING,
        "Another device of the same person stops being primary.",
        "A device of the person becomes primary, and no file declares the flag of this one.",
        "Declare isPrimary of both. Once you know what your account does, pin it: "
        "api.assume.promote.",
    ),
    Term(
        "key-handed-back",
        _WARNING,
        "A key of additionalData left the files, and stays as it is.",
        "Somebody else has changed its value since it was applied, so it is not ours to remove.",
        "Nothing, if it may stay. Declare it as null to have it removed.",
    ),
    Term(
        "stored-otherwise",
        _WARNING,
        "The service stores a value of additionalData in another form than the file declares it.",
        "It answered so when the value was applied: trimmed, as text, as a date with time. The "
        "state remembers both forms.",
        "Nothing, if that is right. Else declare the value in the form that the service stores.",
    ),
    Term(
        "attributes-differ",
        _WARNING,
        "The person has other attributes than the file declares.",
        "Attributes are sent along when a device changes its owner, and never else.",
        "Change them where your people are kept, or correct the file.",
    ),
    Term(
        OTHERS_CHANGED_TOO,
        _WARNING,
        "Others changed a field since the last apply, and the file changed it too.",
        "The plan sets what the file says now, and what they set is overwritten.",
        "Ask whoever changed it, or take over their value into the file.",
    ),
    Term(
        "identity-added",
        _WARNING,
        "The person gets one more identity: a phone number, an e-mail or an external id.",
        "The file names the person by several, and the service knows only some of them. They are "
        "sent together with the device, and not taken back by reconciler later.",
        "Name the person by the one identity that is known, best an externalId.",
    ),
    Term(
        "not-detached",
        _WARNING,
        "A device left the files and is forgotten, but not detached from its owner.",
        "Detaching was wanted by `onRemove: depersonalize`; its owner is no longer the one that "
        "was applied, or there is nothing to detach.",
        "Nothing, if that is right. Else declare the device with `owner: null`.",
    ),
)
BY_NAME: Final = MappingProxyType({term.name: term for term in TERMS})
