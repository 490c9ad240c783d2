"""A made-up town in which files can be received and posted: rules, filed methodologies, a partner, riders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from django.db import transaction

from tanpuhui.behaviour.activity.operations import (
    BatchPosted,
    open_feed,
    open_scenario,
    post_batch,
    receive_batch,
)
from tanpuhui.books.ledger.operations import open_accounts
from tanpuhui.config.wiring import install
from tanpuhui.foundation.identity.operations import (
    NewCitizen,
    OrganisationKind,
    bind_partner_subjects,
    give_consents,
    load_consent_texts,
    register_citizens,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.science.methodology.models import MethodologyVersion
from tanpuhui.science.methodology.operations import import_version

ROOT = Path(__file__).resolve().parents[4]
HUANGHAI = ROOT / "tests" / "jurisdictions" / "huanghai"
METHODOLOGIES = ROOT / "methodologies"
DEMONSTRATION = ROOT / "jurisdictions" / "shandong" / "parameter_sets" / "demonstration.yaml"
SHENZHEN_TEST = ROOT / "tests" / "parameter_sets" / "shenzhen-test.yaml"
CITY = "990102"
LONG_AGO = datetime(2018, 1, 1, tzinfo=UTC)
HEADER = "record_id,subject,scenario,started_at,ended_at,area,distance_km,duration_s,vehicle_type"


@dataclass(frozen=True, kw_only=True)
class Town:
    """The partner, who acts for it, and the ledger account of each subject."""

    partner_id: int
    partner: Actor
    accounts: dict[str, int]
    users: dict[str, int]

    def receive(
        self,
        content: bytes,
        *,
        at: datetime,
        key: str = "k1",
        name: str = "rides.csv",
        adapter: str = "standard",
    ) -> int:
        found = receive_batch(
            actor=self.partner,
            at=at,
            idempotency_key=key,
            partner_id=self.partner_id,
            adapter=adapter,
            file_name=name,
            media_type="text/csv",
            content=content,
        )
        return found.batch_id

    def post(
        self,
        content: bytes,
        *,
        at: datetime,
        key: str = "k1",
        name: str = "rides.csv",
        adapter: str = "standard",
    ) -> BatchPosted:
        batch_id = self.receive(content, at=at, key=key, name=name, adapter=adapter)
        return post_batch(actor=SYSTEM, at=at, batch_id=batch_id)


def file_methodology(
    folder: str,
    *,
    parameter_set: Path,
    valid_from: date = date(2018, 1, 1),
    files: dict[str, bytes] | None = None,
) -> int:
    """Import a version and mark it filed, as the committee's decision would."""
    path = METHODOLOGIES / folder / "1.0"
    given = files or {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}
    imported = import_version(
        actor=SYSTEM, at=LONG_AGO, files=given, parameter_set=parameter_set.read_bytes()
    )
    number = f"T-{imported.version_id}"
    MethodologyVersion.objects.filter(pk=imported.version_id).update(
        state="filed", case_id=1, filing_number=number, filed_at=LONG_AGO, valid_from=valid_from, leaf_id=1
    )
    return imported.version_id


def build(
    *,
    subjects: Sequence[str],
    scenarios: Iterable[tuple[str, str]] = (("bus", "a01-bus"), ("bike", "a03-bike")),
    adapter: str = "standard",
    parameter_set: Path = DEMONSTRATION,
    default_area: str = "",
    with_accounts: bool = True,
    files: dict[str, bytes] | None = None,
) -> Town:
    """Build the town: every subject is a rider with account and consent to every scenario."""
    install()
    load_jurisdiction(actor=SYSTEM, at=LONG_AGO, folder=HUANGHAI)
    partner_id = register_organisation(
        actor=SYSTEM, at=LONG_AGO, kind=OrganisationKind.PARTNER, name="灯塔出行", name_en="Lighthouse Rides",
        uscc=complete_uscc("91990000", "MA000001"), area="990100",
    ).organisation_id  # fmt: skip
    partner = Actor(
        kind="partner",
        id=str(partner_id),
        grants=(Grant(role=Role.PARTNER, organisation_id=partner_id, area="990000"),),
    )
    load_consent_texts(actor=SYSTEM, at=LONG_AGO, folder=HUANGHAI)
    citizens = [
        NewCitizen(phone=f"1390{n:07d}", display_name=f"乘客{n}", area=CITY) for n in range(len(subjects))
    ]
    users = dict(
        zip(subjects, register_citizens(actor=SYSTEM, at=LONG_AGO, citizens=citizens).user_ids, strict=True)
    )
    if users:
        bind_partner_subjects(actor=SYSTEM, at=LONG_AGO, partner_id=partner_id, pairs=list(users.items()))
    for scenario, folder in scenarios:
        file_methodology(folder, parameter_set=parameter_set, files=files)
        open_scenario(
            actor=SYSTEM, at=LONG_AGO, code=scenario, name_zh=scenario, name_en=scenario, area="990000"
        )
        open_feed(
            actor=SYSTEM, at=LONG_AGO, partner_id=partner_id, scenario=scenario, adapter=adapter, evidence_tier=1,
            default_area=default_area,
        )  # fmt: skip
        if users:
            give_consents(
                actor=SYSTEM,
                at=LONG_AGO,
                user_ids=list(users.values()),
                scenario=scenario,
                text_version="2026-1",
            )
    accounts: dict[int, int] = {}
    if with_accounts:
        with transaction.atomic():
            accounts = open_accounts(owner_type="user", owner_ids=list(users.values()), at=LONG_AGO)
    return Town(
        partner_id=partner_id,
        partner=partner,
        accounts={subject: accounts[user] for subject, user in users.items() if user in accounts},
        users=users,
    )


def bus(
    record_id: str,
    subject: str = "S1",
    *,
    started: str = "2026-11-18T08:00:00+08:00",
    distance: str = "8.4",
    area: str = CITY,
    ended: str = "",
) -> str:
    return f"{record_id},{subject},bus,{started},{ended},{area},{distance},,"


def csv(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()
