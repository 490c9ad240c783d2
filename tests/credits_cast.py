"""Everybody between a pool and a certificate, set up through operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tanpuhui.credits.projects.operations import (
    MonitoringReportOpened,
    open_monitoring_report,
    register_project,
)
from tanpuhui.credits.registry.operations import open_holding
from tanpuhui.credits.registry.queries import IssuanceView, issuances
from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import GRAMS_PER_TONNE, Grams, Tonnes
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import decide

AREA = "990000"


@dataclass(frozen=True, kw_only=True)
class CreditsCast:
    """Who acts, and the project they act on."""

    at: datetime
    owner_id: int
    buyer_id: int
    verifier_id: int
    project_id: int
    owner: Actor
    buyer: Actor
    verifier: Actor
    maker: Actor
    checker: Actor

    def report(self, *, pool_id: int = 1, tonnes: int = 100, remainder_g: int = 5) -> MonitoringReportOpened:
        """Open the monitoring report of a pool of so many tonnes and grams."""
        return open_monitoring_report(
            actor=self.maker,
            at=self.at,
            project_id=self.project_id,
            verifier_id=self.verifier_id,
            pool_id=pool_id,
            pool_scenario="bus",
            pool_root="00" * 32,
            first_day=date(2026, 10, 1),
            last_day=date(2026, 10, 31),
            grams=Grams(tonnes * GRAMS_PER_TONNE + remainder_g),
            tonnes=Tonnes(tonnes),
            remainder=Grams(remainder_g),
            methodologies=("A01 1.0",),
        )

    def decide(self, opened: MonitoringReportOpened, outcome: str, actor: Actor) -> None:
        """Decide the report's case with an opinion."""
        decide(
            actor=actor,
            at=self.at,
            idempotency_key=None,
            case_id=opened.case_id,
            outcome=outcome,
            opinion="数据与原始记录一致",
        )

    def issued(self, *, pool_id: int = 1, tonnes: int = 100) -> IssuanceView:
        """Take a report all the way to issuance."""
        opened = self.report(pool_id=pool_id, tonnes=tonnes)
        self.decide(opened, "submit", self.owner)
        self.decide(opened, "verify", self.verifier)
        self.decide(opened, "prepare", self.maker)
        self.decide(opened, "issue", self.checker)
        return issuances()[0]


def assemble(*, at: datetime, folder: Path) -> CreditsCast:
    """Load the jurisdiction, register everybody and the project, open both holding accounts."""
    load_jurisdiction(actor=SYSTEM, at=at, folder=folder)
    ids = {
        kind: register_organisation(
            actor=SYSTEM,
            at=at,
            kind=kind,
            name=f"{kind} 机构",
            name_en=f"{kind} organisation",
            uscc=complete_uscc("91990000", f"MA0000{number:02d}"),
            area=AREA,
        ).organisation_id
        for number, kind in enumerate(
            (
                OrganisationKind.OWNER,
                OrganisationKind.BUYER,
                OrganisationKind.VERIFIER,
                OrganisationKind.CENTRE,
            )
        )
    }

    def person(number: int, role: Role, kind: OrganisationKind) -> Actor:
        return Actor(kind="user", id=str(number), grants=(Grant(role, ids[kind], AREA),))

    maker = person(1, Role.MAKER, OrganisationKind.CENTRE)
    project = register_project(
        actor=maker,
        at=at,
        owner_id=ids[OrganisationKind.OWNER],
        code="P0001",
        scenario="bus",
        name_zh="公交出行减排项目",
        name_en="Bus travel project",
        area=AREA,
    )
    for kind in (OrganisationKind.OWNER, OrganisationKind.BUYER):
        open_holding(actor=maker, at=at, organisation_id=ids[kind])
    return CreditsCast(
        at=at,
        owner_id=ids[OrganisationKind.OWNER],
        buyer_id=ids[OrganisationKind.BUYER],
        verifier_id=ids[OrganisationKind.VERIFIER],
        project_id=project.project_id,
        owner=person(2, Role.OWNER, OrganisationKind.OWNER),
        buyer=person(3, Role.BUYER, OrganisationKind.BUYER),
        verifier=person(4, Role.VERIFIER, OrganisationKind.VERIFIER),
        maker=maker,
        checker=person(5, Role.CHECKER, OrganisationKind.CENTRE),
    )
