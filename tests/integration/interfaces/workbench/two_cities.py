"""Two cities with everything in them that the desk shows, each under a mark of its own that stands nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction
from tests.integration.behaviour.activity.test_sandbox import content as application_content
from tests.integration.behaviour.activity.town import HUANGHAI
from tests.integration.interfaces.api.test_signed_requests import pem
from tests.integration.interfaces.workbench.conftest import LONG_AGO, NOW, PASSWORD, Desk

from tanpuhui.behaviour.activity.models import DaySettlement, WaitingRows
from tanpuhui.behaviour.activity.operations import (
    open_application,
    open_feed,
    open_scenario,
    post_batch,
    propose_agreement,
    receive_batch,
    request_correction,
)
from tanpuhui.behaviour.activity.operations._post_batch._wait import write_payloads
from tanpuhui.behaviour.carbon_accounts.operations import (
    AppealedRecord,
    appeal_record,
    disown_record,
    open_carbon_account,
    propose_freeze,
    receive_admission,
)
from tanpuhui.credits.projects.operations import open_monitoring_report, register_project
from tanpuhui.credits.registry.operations import offer_transfer, open_holding
from tanpuhui.credits.registry.queries import issuances
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import (
    AuthorisedPerson,
    OrganisationFacts,
    OrganisationKind,
    add_member,
    assign_area,
    bind_partner_subjects,
    delegate,
    give_consents,
    issue_api_key,
    record_contract,
    register_citizen,
    register_organisation,
    register_signing_key,
)
from tanpuhui.foundation.identity.queries import ROLES_OF_KIND, actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import GRAMS_PER_TONNE, Fen, Grams, Points, Tonnes
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.workflow.operations import attach, decide, remark
from tanpuhui.journeys import apply_for_organisation
from tanpuhui.science.methodology.operations import open_draft
from tanpuhui.science.methodology.queries import files, library
from tanpuhui.uses.rewards.operations import list_good

NORTH, SOUTH = "990100", "990200"
KINDS = (
    OrganisationKind.SUBCENTRE,
    OrganisationKind.PARTNER,
    OrganisationKind.OWNER,
    OrganisationKind.BUYER,
    OrganisationKind.VERIFIER,
    OrganisationKind.EXPERT_BODY,
    OrganisationKind.MERCHANT,
    OrganisationKind.PILOT_AREA,
    OrganisationKind.REGULATOR,
)
PDF = b"%PDF-1.7 "


@dataclass(kw_only=True)
class City:
    """A city: its mark, its organisations by kind, its people by kind and role, and what there is to be guessed."""

    area: str
    mark: str
    number: int
    organisations: dict[str, int] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    things: dict[str, list[object]] = field(default_factory=dict)

    def actor(self, kind: str, role: Role) -> Actor:
        """Return somebody of an organisation of this city as they may act now."""
        return actor_of(user_id=self.users[f"{kind}:{role}"].pk, at=NOW)

    def keep(self, name: str, value: object) -> None:
        """Remember an identifier under the name that addresses give it."""
        self.things.setdefault(name, []).append(value)


def two_cities(desk: Desk) -> tuple[City, City]:
    """Fill both cities of the made-up province through operations, the same in each."""
    cities = (City(area=NORTH, mark="北标Q7", number=1), City(area=SOUTH, mark="南标X9", number=2))
    for city in cities:
        _organisations(city)
    for city in cities:
        _data(desk, city)
        _case_file(city, _project(desk, city))
        _goods(city)
        _papers(desk, city)
    return cities


def _organisations(city: City) -> None:
    for number, kind in enumerate(KINDS):
        organisation_id = register_organisation(
            actor=SYSTEM,
            at=LONG_AGO,
            kind=kind,
            name=f"{city.mark}{kind}",
            name_en=f"{city.mark} {kind}",
            uscc=complete_uscc("91990000", f"MC00{city.number}0{number:02d}"),
            area=city.area,
        ).organisation_id
        city.organisations[kind] = organisation_id
        city.keep("organisation_id", organisation_id)
        for role in sorted(ROLES_OF_KIND[kind]):
            added = add_member(
                actor=SYSTEM, at=LONG_AGO, organisation_id=organisation_id,
                username=f"city{city.number}.{kind}.{role}", display_name=f"{city.mark}{role}", password=PASSWORD,
                role=role, area="990000" if kind is OrganisationKind.SUBCENTRE else city.area,
            )  # fmt: skip
            city.users[f"{kind}:{role}"] = User.objects.get(pk=added.user_id)
            city.keep("membership_id", added.membership_id)
            city.keep("user_id", added.user_id)
    assign_area(
        actor=SYSTEM, at=NOW - timedelta(days=1), area=city.area, organisation_id=city.organisations["subcentre"],
        reason="开办",
    )  # fmt: skip
    partner = city.organisations["partner"]
    record_contract(
        actor=SYSTEM, at=NOW, organisation_id=partner, number=f"{city.mark}-合同", valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
    )  # fmt: skip
    issued = issue_api_key(actor=SYSTEM, at=NOW, organisation_id=partner, name=f"{city.mark}-生产")
    city.keep("api_key_id", issued.api_key_id)
    key = register_signing_key(
        actor=SYSTEM, at=NOW, organisation_id=partner, name=f"{city.mark}-签名",
        public_key=pem(Ed25519PrivateKey.generate()),
    )  # fmt: skip
    city.keep("signing_key_id", key.signing_key_id)


def _data(desk: Desk, city: City) -> None:
    partner = city.organisations["partner"]
    open_feed(
        actor=SYSTEM, at=LONG_AGO, partner_id=partner, scenario="bus", adapter="standard", evidence_tier=1
    )
    batch_id = receive_batch(
        actor=city.actor("partner", Role.PARTNER), at=NOW, idempotency_key=f"batch {city.number}", partner_id=partner,
        adapter="standard", file_name=f"{city.mark}.csv", media_type="text/csv",
        content=desk.rides(2, extra=(f"{city.mark},S0,bus,not a time,,{city.area},5",)),
    ).batch_id  # fmt: skip
    post_batch(actor=SYSTEM, at=NOW, batch_id=batch_id)
    city.keep("batch_id", batch_id)
    city.keep("partner_id", partner)
    city.keep("day", f"{NOW:%Y-%m-%d}")
    # No rider is bound to the city's partner, so the set is empty; its page names the file, which carries the mark.
    held = WaitingRows.objects.create(
        batch_id=batch_id, slice_number=0, scenario="bus", evidence_tier=1, day=NOW.date(), part=1,
        held_for="IMPLAUSIBLE_PLACE", settles_on=None, n_records=0, chunks=1,
    )  # fmt: skip
    city.keep("waiting_id", held.pk)
    shared = propose_agreement(
        actor=city.actor("subcentre", Role.MAKER), at=NOW, idempotency_key=f"agreement {city.number}", partner_id=partner,
        number=f"{city.mark}-协议", scenarios=("bus",), fields=(f"{city.mark}字段",), purpose=f"{city.mark}用途",
        legal_basis="虚构", valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1),
    )  # fmt: skip
    city.keep("agreement_id", shared.agreement_id)
    city.keep("case_id", shared.case_id)
    asked = request_correction(actor=city.actor("subcentre", Role.MAKER), at=NOW, batch_id=batch_id)
    city.keep("case_id", asked.case_id)
    application = open_application(
        actor=city.actor("partner", Role.PARTNER), at=NOW, organisation_id=partner,
        content=application_content(name_zh=f"{city.mark}场景"), idempotency_key=f"application {city.number}",
    )  # fmt: skip
    city.keep("application_id", application.application_id)


def _project(desk: Desk, city: City) -> int:
    """Register a project, carry its report to issuance, and offer units inside the city; return the report's case."""
    maker = city.actor("subcentre", Role.MAKER)
    owner_id = city.organisations["owner"]
    scenario = f"ride{city.number}"
    open_scenario(
        actor=SYSTEM, at=LONG_AGO, code=scenario, name_zh=f"{city.mark}出行", name_en=f"{city.mark} rides", area=city.area
    )  # fmt: skip
    city.keep("code", scenario)
    for kind in ("owner", "buyer"):
        open_holding(actor=SYSTEM, at=NOW, organisation_id=city.organisations[kind])
    project = register_project(
        actor=maker, at=NOW, owner_id=owner_id, code=f"C{city.number}001", scenario=scenario,
        name_zh=f"{city.mark}项目", name_en=f"{city.mark} project", area=city.area,
    )  # fmt: skip
    city.keep("project_id", project.project_id)
    opened = open_monitoring_report(
        actor=maker, at=NOW, project_id=project.project_id, verifier_id=city.organisations["verifier"],
        pool_id=500 + city.number, pool_scenario=scenario, pool_root="00" * 32, first_day=date(2026, 10, 1),
        last_day=date(2026, 10, 31), grams=Grams(20 * GRAMS_PER_TONNE), tonnes=Tonnes(20), remainder=Grams(0),
        methodologies=("A01 1.0",),
    )  # fmt: skip
    city.keep("case_id", opened.case_id)
    for kind, role, outcome in (
        ("owner", Role.OWNER, "submit"),
        ("verifier", Role.VERIFIER, "verify"),
        ("subcentre", Role.MAKER, "prepare"),
        ("subcentre", Role.CHECKER, "issue"),
    ):
        decide(
            actor=city.actor(kind, role), at=NOW, idempotency_key=None, case_id=opened.case_id, outcome=outcome,
            opinion=f"{city.mark}意见",
        )  # fmt: skip
    issuance = max(issuances(), key=lambda one: one.issuance_id)
    city.keep("issuance_id", issuance.issuance_id)
    offered = offer_transfer(
        actor=city.actor("owner", Role.OWNER), at=NOW, issuance_id=issuance.issuance_id,
        source_organisation_id=owner_id, target_organisation_id=city.organisations["buyer"], quantity=Tonnes(2),
        idempotency_key=f"offer {city.number}",
    )  # fmt: skip
    city.keep("transfer_id", offered.transfer_id)
    second = open_monitoring_report(
        actor=maker, at=NOW, project_id=project.project_id, verifier_id=city.organisations["verifier"],
        pool_id=600 + city.number, pool_scenario=scenario, pool_root="00" * 32, first_day=date(2026, 9, 1),
        last_day=date(2026, 9, 30), grams=Grams(5 * GRAMS_PER_TONNE), tonnes=Tonnes(5), remainder=Grams(0),
        methodologies=("A01 1.0",),
    )  # fmt: skip
    city.keep("case_id", second.case_id)
    return second.case_id


def _case_file(city: City, case_id: int) -> None:
    owner = city.actor("owner", Role.OWNER)
    with transaction.atomic():
        sha256 = store_document(
            content=PDF + city.mark.encode(), name=f"{city.mark}.pdf", media_type="application/pdf", at=NOW
        ).sha256
    city.keep("sha256", sha256)
    attached = attach(
        actor=owner, at=NOW, idempotency_key=None, case_id=case_id, kind="说明", name=f"{city.mark}.pdf", sha256=sha256
    )  # fmt: skip
    city.keep("attachment_id", attached.attachment_id)
    remark(
        actor=city.actor("subcentre", Role.MAKER), at=NOW, idempotency_key=None, case_id=case_id, item="数据",
        text=f"{city.mark}逐项意见",
    )  # fmt: skip


def _goods(city: City) -> None:
    good = list_good(
        actor=city.actor("merchant", Role.MERCHANT), at=NOW, merchant_id=city.organisations["merchant"],
        name_zh=f"{city.mark}茶", name_en=f"{city.mark} tea", face_value=Fen(800), price=Points(1), stock=5,
        valid_from=date(2026, 10, 1), valid_to=date(2026, 12, 31),
    )  # fmt: skip
    city.keep("good_id", good.good_id)
    city.keep("merchant_id", city.organisations["merchant"])


def _appeal(city: City, *, citizen: int, account_id: int) -> None:
    """Leave an appeal about a ride on a line of the city that was not counted."""
    day = NOW.date()
    settlement = DaySettlement.objects.create(
        day=day, settled_at=NOW, rows=1, counted=0, reasons={"SAME_RIDE_OTHER_PARTNER": 1}, grams=Grams(0), points=Points(0)
    )  # fmt: skip
    waited = WaitingRows.objects.create(
        batch_id=city.things["batch_id"][0], slice_number=0, scenario="bus", evidence_tier=1, day=day, part=0,
        settles_on=day, n_records=1, chunks=1, day_settlement=settlement,
    )  # fmt: skip
    row = {
        "row_number": 2, "account_id": account_id, "started": datetime(2026, 11, 20, 8),  # noqa: DTZ001  as it waited
        "ended": None, "area": city.area,
        "record_id": "1", "line": city.mark, "distance_km": "5", "reason": "SAME_RIDE_OTHER_PARTNER", "winner_batch": None,
        "winner_row": None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        write_payloads(cursor, "activity_set_aside", waited.pk, pa.Table.from_pylist([row]), chunks=1)
    lodged = appeal_record(
        actor=actor_of(user_id=citizen, at=NOW), at=NOW, user_id=citizen,
        record=AppealedRecord(row=2, set_aside_id=waited.pk), statement=f"{city.mark}是另一趟车",
        idempotency_key=f"appeal {city.number}",
    )  # fmt: skip
    city.keep("appeal_id", lodged.appeal_id)
    city.keep("case_id", lodged.case_id)


def _disowning(city: City, *, citizen: int) -> None:
    """Leave a ride on a line of the city that counts and that its person says is not theirs."""
    partner = city.organisations["partner"]
    bind_partner_subjects(actor=SYSTEM, at=LONG_AGO, partner_id=partner, pairs=[(f"{city.mark}卡", citizen)])
    give_consents(actor=SYSTEM, at=LONG_AGO, user_ids=[citizen], scenario="bus", text_version="1")
    batch_id = receive_batch(
        actor=city.actor("partner", Role.PARTNER), at=NOW, idempotency_key=f"ride {city.number}", partner_id=partner,
        adapter="standard", file_name=f"{city.mark}-2.csv", media_type="text/csv",
        content=(
            "record_id,subject,scenario,started_at,ended_at,area,distance_km,line\n"
            f"own{city.number},{city.mark}卡,bus,2026-11-18T08:00:00+08:00,,{city.area},8.4,{city.mark}\n"
        ).encode(),
    ).batch_id  # fmt: skip
    (posting_id,) = post_batch(actor=SYSTEM, at=NOW, batch_id=batch_id).posting_ids
    said = disown_record(
        actor=actor_of(user_id=citizen, at=NOW), at=NOW, user_id=citizen, posting_id=posting_id, row=2,
        statement=f"{city.mark}那天没有坐车", idempotency_key=f"disown {city.number}",
    )  # fmt: skip
    city.keep("disowning_id", said.disowning_id)
    city.keep("case_id", said.case_id)


def _papers(desk: Desk, city: City) -> None:
    """Leave an application for an organisation, a delegation and a draft of a methodology."""
    load_templates(actor=SYSTEM, at=LONG_AGO, folder=HUANGHAI)
    citizen = register_citizen(
        actor=SYSTEM, at=LONG_AGO, phone=f"1391111000{city.number}", display_name=f"{city.mark}市民", area=city.area
    ).user_id  # fmt: skip
    account = open_carbon_account(actor=SYSTEM, at=LONG_AGO, user_id=citizen)
    propose_freeze(
        actor=city.actor("subcentre", Role.MAKER), at=NOW, number=account.number, kind="freeze",
        reason=f"{city.mark}待核实", urgent=True, idempotency_key=f"freeze {city.number}",
    )  # fmt: skip
    _appeal(city, citizen=citizen, account_id=account.ledger_account_id)
    _disowning(city, citizen=citizen)
    received = receive_admission(
        actor=city.actor("subcentre", Role.MAKER), at=NOW, idempotency_key=f"admission {city.number}",
        programme_id=city.organisations["partner"], as_of=date(2026, 10, 31), file_name=f"{city.mark}.csv",
        media_type="text/csv",
        content=f"member_id,phone,area,points,as_of\nM1,1391111000{city.number},{city.area},5,2026-10-31\n".encode(),
    )  # fmt: skip
    city.keep("admission_id", received.admission_id)
    applied = apply_for_organisation(
        actor=actor_of(user_id=citizen, at=NOW),
        at=NOW,
        facts=OrganisationFacts(
            kind=OrganisationKind.BUYER,
            name=f"{city.mark}申请机构",
            name_en=f"{city.mark} applicant",
            uscc=complete_uscc("91990000", f"MD00{city.number}001"),
            area=city.area,
            contract_number=f"{city.mark}-2",
            contract_from=date(2026, 1, 1),
            contract_to=date(2027, 1, 1),
            people=(
                AuthorisedPerson(
                    name=f"{city.mark}人", phone=f"1392222000{city.number}", username=f"applicant{city.number}",
                    roles=(Role.ADMINISTRATOR, Role.BUYER),
                ),
            ),
        ),
        licence_name="a.pdf",
        licence=PDF,
        authorisation_name="b.pdf",
        authorisation=PDF,
    )  # fmt: skip
    city.keep("case_id", applied.case_id)
    given = delegate(
        actor=city.actor("subcentre", Role.MAKER), at=NOW, receiver_id=city.users["subcentre:checker"].pk,
        organisation_id=city.organisations["subcentre"], roles=[Role.MAKER], area=city.area, valid_from=NOW,
        valid_to=NOW + timedelta(days=9), reason=f"{city.mark}休假",
    )  # fmt: skip
    city.keep("delegation_id", given.delegation_id)
    filed = next(version for version in library() if version.state == "filed")
    draft = open_draft(
        actor=city.actor("owner", Role.OWNER), at=NOW, organisation_id=city.organisations["owner"],
        files=dict(files(filed.id)), based_on_id=filed.id,
        idempotency_key=f"draft {city.number}",
    )  # fmt: skip
    city.keep("draft_id", draft.draft_id)
