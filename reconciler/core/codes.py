"""Every diagnostic code, in one place. A code is permanent: never renumbered, never reused.

E1xx YAML text (E15x: the shape of documents) · E2xx Devices manifests · E3xx the project file ·
E4xx the plan · E5xx the service · E6xx the state · E7xx apply · W as E, warnings.
"""

from __future__ import annotations

from typing import Final

from .diagnostics import Code, Severity
from .fields import WRITABLE_PATHS
from .state_backends import BACKENDS
from .value_limits import PHONE_DIGITS, VALUE

UNREADABLE: Final = Code(
    "E101",
    "unreadable",
    "A file that cannot be read",
    Severity.ERROR,
    "A file that is named or matched by a pattern has to be readable, or part of the declared "
    "state would be missing.",
    "Make it a readable file, or take it out of the list that names it.",
)
NOT_UTF8: Final = Code(
    "E102",
    "not-utf-8",
    "Text that is not UTF-8",
    Severity.ERROR,
    "Project files and manifests are UTF-8, so that every machine reads the same text.",
    "Save the file as UTF-8.",
)
CONTROL_CHARACTER: Final = Code(
    "E103",
    "control-character",
    "A control character",
    Severity.ERROR,
    "YAML text holds no control characters but tab and line ends; this may be a binary file.",
    "Remove the character, or write it as an escape in a double-quoted text.",
)
YAML_SYNTAX: Final = Code(
    "E104",
    "yaml-syntax",
    "Text that is not YAML",
    Severity.ERROR,
    "The rest of the file cannot be read from here on.",
    "Correct this place, then validate again.",
)
TAB: Final = Code(
    "E105",
    "tab",
    "A tab in the indentation",
    Severity.ERROR,
    "YAML indents with spaces only.",
    "Replace the tab by spaces.",
)
DUPLICATE_KEY: Final = Code(
    "E106",
    "duplicate-key",
    "The same key twice",
    Severity.ERROR,
    "One of the two would be lost without a word.",
    "Keep one of them.",
)
TAG: Final = Code(
    "E107",
    "tag",
    "A tag",
    Severity.ERROR,
    "Values here are plain: text, numbers, booleans, dates, lists and mappings. A tag (`!…`) can "
    "ask a program to build other things.",
    "Remove the tag; quote the value if it shall be text.",
)
NOT_A_NUMBER: Final = Code(
    "E108",
    "not-a-number",
    "NaN or an infinity",
    Severity.ERROR,
    "The service takes finite numbers only.",
    "Write a number, or quote the value if it shall be text.",
)
NUMBER_OUT_OF_RANGE: Final = Code(
    "E109",
    "number-out-of-range",
    "A number beyond what the service takes",
    Severity.ERROR,
    f"Numbers go from {VALUE.smallest} to {VALUE.largest}.",
    "Write a smaller number, or quote the value if it shall be text.",
)
NO_SUCH_DAY: Final = Code(
    "E110",
    "no-such-day",
    "A date that is no day of the calendar",
    Severity.ERROR,
    "An unquoted YYYY-MM-DD is a date.",
    "Correct the date, or quote the value if it shall be text.",
)
ALIAS_BOMB: Final = Code(
    "E111",
    "alias-bomb",
    "Aliases that multiply",
    Severity.ERROR,
    "Written out, the aliases up to this one would be many times the size of the file.",
    "Use `defaults` for what devices share.",
)
ALIAS_CYCLE: Final = Code(
    "E112",
    "alias-cycle",
    "An alias inside of what it names",
    Severity.ERROR,
    "A value cannot contain itself.",
    "Write the value out.",
)
ALIAS_UNKNOWN: Final = Code(
    "E113",
    "alias-unknown",
    "An alias that names nothing",
    Severity.ERROR,
    "An alias (`*name`) repeats a value that was marked with `&name` above it in its document.",
    "Correct the name, or quote the value if it shall be text.",
)
TOO_DEEP: Final = Code(
    "E114",
    "too-deep",
    "Nesting that is too deep",
    Severity.ERROR,
    "Nothing in a manifest needs more than 5 levels, and 64 are read.",
    "Look for brackets that are never closed.",
)
KEY_NOT_TEXT: Final = Code(
    "E115",
    "key-not-text",
    "A key that is not text",
    Severity.ERROR,
    "Keys are names; a list, a mapping or an alias cannot be one.",
    "Write the key as text. A value that begins with `{`, `[` or `*` needs quotes.",
)
MERGE_KEY: Final = Code(
    "E116",
    "merge-key",
    "A merge key",
    Severity.ERROR,
    "`<<` belongs to YAML 1.1; YAML 1.2 has no merging.",
    "Use `defaults` for what devices share.",
)
WRONG_TYPE: Final = Code(
    "E151",
    "wrong-type",
    "A value of the wrong type",
    Severity.ERROR,
    "The field takes another type of value.",
    "Write a value of that type.",
)
UNKNOWN_FIELD: Final = Code(
    "E152",
    "unknown-field",
    "An unknown field",
    Severity.ERROR,
    "A misspelt field would be silently without effect.",
    "Correct or remove it.",
)
MISSING_FIELD: Final = Code(
    "E153",
    "missing-field",
    "A missing field",
    Severity.ERROR,
    "The field is required here.",
    "Add it.",
)
WRONG_VALUE: Final = Code(
    "E154",
    "wrong-value",
    "A value that is not allowed",
    Severity.ERROR,
    "The field takes certain values only.",
    "Write one of them.",
)
TOO_LONG: Final = Code(
    "E155",
    "too-long",
    "A text that is too long",
    Severity.ERROR,
    "The service takes no more.",
    "Shorten it.",
)
WRONG_DOCUMENT: Final = Code(
    "E156",
    "wrong-document",
    "A document of another kind",
    Severity.ERROR,
    "`apiVersion` and `kind` say how a document is read, and this is not what stands here.",
    "Correct it, or take the file out of the list that names it.",
)
EMPTY_FILE: Final = Code(
    "E157",
    "empty-file",
    "An empty file",
    Severity.ERROR,
    "A file without a document declares nothing, which is more often a mistake than meant.",
    "Fill it, or delete the file.",
)
EMPTY_MANIFEST: Final = Code(
    "E201",
    "empty-manifest",
    "A manifest without devices",
    Severity.ERROR,
    "A document that declares no device and removes none is more often a mistake than meant.",
    "Add an entry to `devices` or `removed`, or delete the document.",
)
READ_ONLY_FIELD: Final = Code(
    "E202",
    "read-only-field",
    "A field that cannot be written",
    Severity.ERROR,
    "The service shows this field and takes no value for it: the app on the device reports it.",
    "Remove it.",
)
UNQUOTED_PHONE_NUMBER: Final = Code(
    "E203",
    "unquoted-phone-number",
    "A phone number without quotes",
    Severity.ERROR,
    "YAML reads unquoted digits as a number, which drops the + and takes it for an amount.",
    'Put it in double quotes: phoneNumber: "+…"',
)
TWO_PRIMARIES: Final = Code(
    "E204",
    "two-primaries",
    "Two primary devices for one person",
    Severity.ERROR,
    "A person has one primary device, of all applications.",
    "Keep isPrimary: true on one of them, and declare isPrimary: false on the other.",
)
NULL_EXTERNAL_ID: Final = Code(
    "E205",
    "null-external-id",
    "An external id that the service takes for null",
    Severity.ERROR,
    "The texts null, Null and NULL count as no external id.",
    "Write the id of the person, or remove the field.",
)
NO_IDENTITY: Final = Code(
    "E206",
    "no-identity",
    "A person without an identity",
    Severity.ERROR,
    "Only externalId, phoneNumber and email tell the service who is meant.",
    "Add at least one of them; for nobody write owner: null.",
)
REGISTERED_TWICE: Final = Code(
    "E207",
    "registered-twice",
    "One registration in two places",
    Severity.ERROR,
    "A registration stands in one place only, or the two would contradict each other some day.",
    "Keep one of the two.",
)
UNKNOWN_PERSON: Final = Code(
    "E208",
    "unknown-person",
    "An owner that `people` does not have",
    Severity.ERROR,
    "A text under `owner` is a name from `people` of the same document, or of a file under "
    "peopleFrom.",
    "Correct the name, add the person to `people`, or write the identity in place: "
    "owner: {externalId: …}",
)
UNKNOWN_APPLICATION: Final = Code(
    "E209",
    "unknown-application",
    "An application that the project does not have",
    Severity.ERROR,
    "`application` is a name from `applications` of the project file.",
    "Correct the name, or add the application to the project file.",
)
PEOPLE_CONFLICT: Final = Code(
    "E210",
    "people-conflict",
    "One identity value, two different people",
    Severity.ERROR,
    "An identity value names one person; two entries that share one and differ elsewhere would "
    "take turns, or join two people, which cannot be undone.",
    "Make the entries the same, or declare the person once and use the name.",
)
IGNORE_PATH: Final = Code(
    "E211",
    "ignore-path",
    "lifecycle.ignore names no field",
    Severity.ERROR,
    f"It takes {', '.join(WRITABLE_PATHS[:-1])} and {WRITABLE_PATHS[-1]}.",
    "Correct the path.",
)
REGISTRATION_ID: Final = Code(
    "E212",
    "registration-id",
    "A text that cannot be a registration id",
    Severity.ERROR,
    "The key of a device is its push registration id: 1 to 256 printable ASCII characters without "
    "spaces.",
    "Copy the id as the service shows it.",
)
PHONE_NUMBER: Final = Code(
    "E213",
    "phone-number",
    "A phone number that is not in E.164 form",
    Severity.ERROR,
    "The service knows numbers by country code and digits, which do not begin with 0.",
    f"Write a +, the country code and the number, {PHONE_DIGITS.shortest} to "
    f"{PHONE_DIGITS.longest} digits without (0): "
    '"+385911234567"',
)
EMAIL: Final = Code(
    "E214",
    "email",
    "A text that is no e-mail address",
    Severity.ERROR,
    "An address has one @ and no spaces.",
    "Correct the address.",
)
PERSON_NAME: Final = Code(
    "E215",
    "person-name",
    "The name of a person that tells who it is",
    Severity.ERROR,
    "The names under `people` stand in plans and logs, where identity values must never stand.",
    "Choose another name: a nickname, a role, a staff number that is not the externalId.",
)
PERSON_TWICE: Final = Code(
    "E216",
    "person-twice",
    "One name, two people",
    Severity.ERROR,
    "The names of files under peopleFrom are names in every manifest, so `owner` could mean either "
    "of the two.",
    "Give one of them another name, or remove it.",
)
SEVERAL_DOCUMENTS: Final = Code(
    "E301",
    "several-documents",
    "More than one document in the project file",
    Severity.ERROR,
    "A project is one document.",
    "Remove the others; manifests stand in files of their own.",
)
SAME_APP_CODE: Final = Code(
    "E302",
    "same-app-code",
    "Two applications with one application code",
    Severity.ERROR,
    "They would be one application under two names, and a registration could stand in both.",
    "Remove one, or correct its code.",
)
UNKNOWN_ASSUMPTION: Final = Code(
    "E303",
    "unknown-assumption",
    "An assumption that does not exist",
    Severity.ERROR,
    "api.assume pins how the service behaves where its contract is silent.",
    "Correct the name, or remove it.",
)
UNKNOWN_READING: Final = Code(
    "E304",
    "unknown-reading",
    "A reading that the assumption does not have",
    Severity.ERROR,
    "api.assume pins one of the readings of an assumption.",
    "Write one of its readings.",
)
PARTIAL_REFERENCE: Final = Code(
    "E305",
    "partial-reference",
    "A reference to the environment that is not the whole value",
    Severity.ERROR,
    "Only ${NAME} or ${NAME:-default} as a whole value is read from the environment; NAME is made "
    "of letters, digits and _.",
    "Put the whole value into the variable.",
)
MISPLACED_REFERENCE: Final = Code(
    "E306",
    "misplaced-reference",
    "A reference to the environment where none is read",
    Severity.ERROR,
    "References are read for api.baseUrl, api.auth, the codes of applications and state only.",
    "Write the value itself.",
)
UNSET_VARIABLE: Final = Code(
    "E307",
    "unset-variable",
    "An environment variable that is not set",
    Severity.ERROR,
    "The project file takes this value from the environment, and this command needs it.",
    "Set the variable, or give a default: ${NAME:-default}",
)
BASE_URL: Final = Code(
    "E308",
    "base-url",
    "A base URL that keys are not sent to",
    Severity.ERROR,
    "A change of the project file must not be able to send a key elsewhere: the base URL is https "
    "under .infobip.com, or on loopback, or its host stands in RECONCILER_ALLOWED_HOSTS.",
    "Correct the base URL; or, if you trust the host, name it in RECONCILER_ALLOWED_HOSTS of the "
    "machine that runs this.",
)
AUTH: Final = Code(
    "E309",
    "auth",
    "Not exactly one way to authenticate",
    Severity.ERROR,
    "A project uses one of apiKey, basic, oauth2 and ibsso.",
    'Keep one: auth: {apiKey: "${INFOBIP_API_KEY}"}',
)
LIMIT: Final = Code(
    "E310",
    "limit",
    "A limit that leaves nothing",
    Severity.ERROR,
    "Limits are requests a second, more than 0; quotaShare is the share of them that is used, "
    "more than 0 and at most 1.",
    "Write a number in that range.",
)
PATTERN: Final = Code(
    "E311",
    "pattern-outside",
    "A pattern that leaves the project",
    Severity.ERROR,
    "Patterns are relative to the project file and stay below its directory.",
    "Write a pattern like devices/**/*.yaml",
)
APPLICATION_NAME: Final = Code(
    "E312",
    "application-name",
    "A text that cannot be the name of an application",
    Severity.ERROR,
    "Names of applications are letters, digits, `.`, `_` and `-`.",
    "Choose another name.",
)
HIDE_PATH: Final = Code(
    "E313",
    "hide-path",
    "privacy.hide names what cannot be hidden",
    Severity.ERROR,
    "Only keys of additionalData can be hidden; all else is what a plan is about.",
    "Write additionalData.KEY, or additionalData.* for all of them.",
)
STATE_SETTING: Final = Code(
    "E314",
    "state-setting",
    "Settings of the state that do not fit its backend",
    Severity.ERROR,
    "Each backend has settings of its own: "
    f"{'; '.join(f'{backend.name} {backend.summary}' for backend in BACKENDS.values())}.",
    "Correct the section state.",
)
STATE_ADDRESS: Final = Code(
    "E315",
    "state-address",
    "An address of the state that credentials are not sent to",
    Severity.ERROR,
    "A pull request must not be able to send the state or its credentials elsewhere.",
    "Give the whole address from the environment, or name its host in RECONCILER_ALLOWED_HOSTS of "
    "the machine that runs this.",
)
PEOPLE_FILE: Final = Code(
    "E316",
    "people-file",
    "A file of people that is not there",
    Severity.ERROR,
    "peopleFrom names files that are not kept in Git. Without one nobody knows who its people are, "
    "and no device may be left with a part of its declaration.",
    "The pipeline has to put it there before this command, decrypted; on your own machine do it "
    "by hand. If nobody needs it any more, remove it from peopleFrom.",
)
EMPTY_PATTERN: Final = Code(
    "W301",
    "empty-pattern",
    "A pattern that matches no file",
    Severity.WARNING,
    "A plan is refused then: devices of files that are not found would count as removed.",
    "Correct the pattern, or remove it.",
)
HIDES_NOTHING: Final = Code(
    "W302",
    "hides-nothing",
    "A hidden field that no manifest declares",
    Severity.WARNING,
    "A misspelt field would be shown. One that has just left the files is rightly hidden until "
    "that is applied.",
    "Correct the name; or remove it from privacy.hide once nothing has it any more.",
)
PEOPLE_NOT_READ: Final = Code(
    "W303",
    "people-not-read",
    "A file of people that is not there",
    Severity.WARNING,
    "peopleFrom names files that are not kept in Git. validate does without: it does not check the "
    "owners that no manifest declares. plan and apply do not.",
    "Nothing, where the file is not meant to be, as in the pipeline of a fork. Elsewhere the "
    "pipeline has to put it there.",
)
IDENTITY_CONFLICT: Final = Code(
    "E401",
    "identity-conflict",
    "One owner, two live people",
    Severity.ERROR,
    "The identity values declared for this owner belong to different people on the platform, "
    "and merging people cannot be undone.",
    "Decide which person is meant, and declare only values of that one; "
    "or merge the people on the platform by hand first.",
)
WRONG_APPLICATION: Final = Code(
    "E402",
    "wrong-application",
    "Registration of another application",
    Severity.ERROR,
    "The service knows this registration, but under another application of the project.",
    "Move the entry to a manifest of that application.",
)
TWO_LIVE_PRIMARIES: Final = Code(
    "E403",
    "two-live-primaries",
    "Two primary devices for one live person",
    Severity.ERROR,
    "Both registrations belong to one person after the plan, and a person has one primary device, "
    "of all applications.",
    "Declare isPrimary: true on one of them only.",
)
PROTECTED: Final = Code(
    "E404",
    "protected",
    "Protected registration",
    Severity.ERROR,
    "lifecycle.protect forbids detaching, changing the owner and removal.",
    "If it is meant, set lifecycle.protect to false, apply that, then make the change.",
)
PROOF_FAILED: Final = Code(
    "E405",
    "unproven",
    "No order of calls is proven to work",
    Severity.ERROR,
    "Replayed on the model of the service, these operations do not reach the declared state under "
    "every reading of what nobody knows about it.",
    "Declare less of these devices at once, apply that, then the rest. If what is declared looks "
    "right, tell the makers of reconciler.",
)

WEB_WITHOUT_PRIMARY: Final = Code(
    "E410",
    "web-without-primary",
    "A browser declares isPrimary",
    Severity.ERROR,
    "The registration is one of a browser (cloudType WEB), and the service gives isPrimary only to "
    "those of phones.",
    "Delete isPrimary of this device, or of the defaults of its document.",
)

RECORD_MISSING: Final = Code(
    "E601",
    "state-missing",
    "No state",
    Severity.ERROR,
    "The state is where the section state of the project file says; it holds what was applied and "
    "the lock.",
    "Start one: reconciler state init; or bring the old one back to where it was.",
)
RECORD_OUT_OF_REACH: Final = Code(
    "E602",
    "state-out-of-reach",
    "The state cannot be used",
    Severity.ERROR,
    "The operating system refused to open, read or write the file or its directory.",
    "Give this user read and write permission for the file and its directory, and room on the "
    "disk.",
)
RECORD_FOREIGN: Final = Code(
    "E603",
    "state-foreign",
    "Not a state",
    Severity.ERROR,
    "What stands there was not written by reconciler, and nothing was changed in it.",
    "Let the section state of the project file name another place, or move this away.",
)
RECORD_NEWER: Final = Code(
    "E604",
    "state-newer",
    "State of a newer reconciler",
    Severity.ERROR,
    "An older reconciler could misread what a newer one wrote, so it does not try.",
    "Use a reconciler at least as new as the one that wrote the state.",
)
RECORD_DAMAGED: Final = Code(
    "E605",
    "state-damaged",
    "Damaged state",
    Severity.ERROR,
    "It starts as a state does, and the rest of it cannot be read.",
    "Bring back a copy of it; or move it away and apply again: that is safe, what is as declared "
    "is adopted, and nothing undeclared is removed.",
)
RECORD_BUSY: Final = Code(
    "E606",
    "state-busy",
    "The state is in use",
    Severity.ERROR,
    "Another process kept the file locked for longer than a transaction takes.",
    "Wait for it to end, then run again.",
)
LEASE_LOST: Final = Code(
    "E607",
    "lock-lost",
    "The lock was lost",
    Severity.ERROR,
    "Only the run that has the lock may write. One that stood still for half a minute (stopped, "
    "asleep) has it no more, nor has one whose lock was taken away by state unlock.",
    "Let the run that has it now come to its end, then run plan: it shows what is left.",
)
STORE_OUT_OF_REACH: Final = Code(
    "E608",
    "store-out-of-reach",
    "The state cannot be reached",
    Severity.ERROR,
    "The place where the state is kept did not answer, or not with sense; several tries failed.",
    "Check the address under state of the project file, the network, and whether that service is "
    "up.",
)
STORE_DENIED: Final = Code(
    "E609",
    "store-denied",
    "The state is denied to us",
    Severity.ERROR,
    "The place where the state is kept refuses these credentials, or there are none.",
    "Check the credentials for the place that state of the project file names, and what they may "
    "do: plan reads, apply writes too.",
)
STORE_UNUSABLE: Final = Code(
    "E610",
    "store-unusable",
    "The state cannot be kept there",
    Severity.ERROR,
    "The place does not exist, or cannot do what a state needs: compare, then write.",
    "Make it first (a bucket, a database), or let state of the project file name another place.",
)
RECORD_KEY: Final = Code(
    "E611",
    "state-key",
    "The state does not open with this key",
    Severity.ERROR,
    "It is encrypted with another key, or is not encrypted although the project file has a key.",
    "Set the key that it was written with, or name that one under state.encryption.previousKey; "
    "after a change of encryption: reconciler state migrate",
)
RECORD_OTHER: Final = Code(
    "E612",
    "state-other",
    "Another state stands there",
    Severity.ERROR,
    "A state of another lineage, or a later one of the same, would be lost.",
    "Look at both with reconciler state pull; if this one shall win, say --force.",
)

CODES: Final[tuple[Code, ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Code)
)
