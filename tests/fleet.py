"""Short ways to say what is declared, what is there and what we applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.core.device import Desired, DesiredDevice, Lifecycle, Owner
from reconciler.core.digest import Digester
from reconciler.core.identity import Identity, IdentityKind, IdentityValue
from reconciler.core.live import Found, Gone, Live, LivePerson, LiveRegistration, Needs
from reconciler.core.project import ApiKey, ApiSettings, Application, Project
from reconciler.core.record import Record, record_entry
from reconciler.core.secret import Secret
from reconciler.core.setting import Setting
from reconciler.core.source import Source
from reconciler.core.state_backends import LocalBackend, StateSettings
from reconciler.diff.required_reads import required_reads
from reconciler.plan.build import Circumstances, build
from reconciler.plan.model import Plan, ReadCounts, Reads
from reconciler.platform.operations import DEFAULT_LIMITS

KEY = Secret(b"k" * 32)
DIGESTER = Digester(KEY)
HERE = Source("devices/zg.yaml", 7, 3)
APPLICATION_IDS = {"courier": "APP-COURIER", "shop": "APP-SHOP"}


def external(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.EXTERNAL_ID, text)


def phone(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.PHONE_NUMBER, text)


def email(text: str) -> IdentityValue:
    return IdentityValue.of(IdentityKind.EMAIL, text)


def owner(name: str, *values: IdentityValue, **options: Any) -> Owner:
    """A declared person; without values it has the external id of its name."""
    identity = Identity.of(*(values or (external(name),)))
    return Owner(f"devices/zg.yaml#people.{name}", identity, **options)


def device(id_: str, *, data: Mapping[str, Any] | None = None, **fields: Any) -> DesiredDevice:
    lifecycle = fields.pop("lifecycle", Lifecycle())
    return DesiredDevice(
        id=id_,
        application=fields.pop("application", "courier"),
        source=HERE,
        additional_data=data or {},
        lifecycle=lifecycle,
        **fields,
    )


def desired(*devices: DesiredDevice) -> Desired:
    return Desired({one.id: one for one in sorted(devices, key=lambda one: one.id)})


def registration(id_: str, application: str = "courier", **fields: Any) -> LiveRegistration:
    """A registration; `enabled` and `data` for short, all other fields by their attributes."""
    data, enabled = fields.pop("data", {}), fields.pop("enabled", True)
    values = {"is_primary": False, "registration_enabled": enabled, **fields}
    return LiveRegistration(id_, APPLICATION_IDS[application], additional_data=data, **values)


def person(
    number: int, *values: IdentityValue, owns: Iterable[LiveRegistration] = (), **more: Any
) -> LivePerson:
    return LivePerson(number, frozenset(values), registrations=tuple(owns), **more)


def project(**fields: Any) -> Project:
    def setting(text: str, path: str) -> Setting:
        return Setting(text, path, Source("reconciler.yaml", 1, 1))

    api = ApiSettings(
        setting("http://127.0.0.1:1", "api.baseUrl"),
        ApiKey(setting("key", "api.auth.apiKey")),
        assume=fields.pop("assume", {}),
    )
    names = fields.pop("applications", ("courier", "shop"))
    return Project(
        file="reconciler.yaml",
        api=api,
        applications={
            name: Application(name, setting(f"{name}-code", "code"), HERE) for name in names
        },
        manifests=(),
        state=StateSettings(LocalBackend(setting("state.db", "state.path"))),
        **fields,
    )


def record(*devices: DesiredDevice, **fields: Any) -> Record:
    """A state in which these devices were applied as declared here."""
    entries = {one.id: record_entry(one, DIGESTER) for one in devices}
    return Record("lineage-1", 3, KEY, entries, **fields)


class Service:
    """People and registrations that answer `missing` until nothing is missing."""

    def __init__(self, *people: LivePerson, unowned: Iterable[LiveRegistration] = ()) -> None:
        self.people = people
        self.registrations: dict[str, Found] = {one.id: one for one in unowned}
        self.registrations |= {one.id: one for p in people for one in p.registrations}

    def owner(self, id_: str) -> LivePerson | None:
        for one in self.people:
            if any(entry.id == id_ for entry in one.registrations):
                return one
        return None

    def holder(self, value: IdentityValue) -> LivePerson | None:
        return next((one for one in self.people if value in one.identities), None)

    def answer(self, live: Live, needs: Needs) -> Live:
        """Add what is needed; of a match the number, and the whole owner only where it is asked."""
        registrations = {id_: self.registrations.get(id_, Gone()) for id_ in needs.registrations}
        found = {**live.registrations, **registrations}
        matched = {
            id_: self.owner(id_)
            for id_ in needs.matches
            if isinstance(found.get(id_), LiveRegistration)
        }
        partly_known = {
            id_: LivePerson(owner.number, frozenset(needs.matches[id_]), is_whole=False)
            for id_, owner in matched.items()
            if owner is not None and owner.identities.issuperset(needs.matches[id_])
        }
        owners = {id_: self.owner(id_) for id_ in needs.owners}
        return Live(
            found,
            {**live.owners, **partly_known, **owners},
            {**live.people} | {value: self.holder(value) for value in needs.people},
            {**live.owner_numbers}
            | {id_: None if one is None else one.number for id_, one in matched.items()},
        )

    def read(
        self,
        declared: Desired,
        recorded: Record,
        of: Project,
        scope: frozenset[str] | None = None,
    ) -> Live:
        live = Live()
        for _ in range(8):
            needs = required_reads(declared, recorded, live, of, scope)
            if not needs:
                return live
            live = self.answer(live, needs)
        raise AssertionError("missing never ends")


def plan(
    declared: Desired,
    service: Service,
    recorded: Record | None = None,
    of: Project | None = None,
    **made: Any,
) -> Plan:
    """Read and plan; `made` are fields of Circumstances."""
    recorded = recorded or record()
    of = of or project()
    live = service.read(declared, recorded, of, made.get("scope"))
    circumstances = Circumstances(
        id="plan-1",
        created_at="2026-11-23T20:00:00Z",
        reads=Reads("points", ReadCounts()),
        rates=dict(DEFAULT_LIMITS),
        **made,
    )
    return build(declared, recorded, live, of, circumstances)
