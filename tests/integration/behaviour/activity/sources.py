"""Several partners of the made-up town who report the same riders, and a town whose records are compared before they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tests.integration.behaviour.activity.town import CITY, DEMONSTRATION, LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity.operations import open_feed, post_batch, receive_batch
from tanpuhui.foundation.identity.operations import (
    OrganisationKind,
    bind_partner_subjects,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.models import Parameter

DAY = date(2026, 11, 18)
SETTLES = DAY + timedelta(days=2)
THEN = datetime(2026, 11, 19, 16, 10, tzinfo=UTC)
"""00:10 in China on the day of settling."""


@dataclass(frozen=True)
class Source:
    """A partner that reports rides: its subject ids are its own."""

    partner_id: int
    actor: Actor
    prefix: str

    def post(self, *lines: str, at: datetime, scenario: str = "bus") -> int:
        found = receive_batch(
            actor=self.actor,
            at=at,
            idempotency_key=f"{self.partner_id}-{hash(lines)}",
            partner_id=self.partner_id,
            adapter="standard",
            file_name="rides.csv",
            media_type="text/csv",
            content=csv(*lines),
        )
        post_batch(actor=SYSTEM, at=at, batch_id=found.batch_id)
        return found.batch_id


def rule(key: str, value: str, scope: str = "") -> None:
    Parameter.objects.create(
        key=key, scope=scope, value=value, unit="1", basis="测试", confidence="DEMO", note="", pack="test",
        rank=9, valid_from=date(2018, 1, 1),
    )  # fmt: skip


def source(town: Town, n: int, tier: int, scenarios: Sequence[str] = ("bus",)) -> Source:
    """Register another partner with a feed of this tier, to which every rider is known by its own number."""
    partner_id = register_organisation(
        actor=SYSTEM, at=LONG_AGO, kind=OrganisationKind.PARTNER, name=f"来源{n}", name_en=f"Source {n}",
        uscc=complete_uscc("91990000", f"MA00001{n}"), area="990100",
    ).organisation_id  # fmt: skip
    for scenario in scenarios:
        open_feed(
            actor=SYSTEM, at=LONG_AGO, partner_id=partner_id, scenario=scenario, adapter="standard",
            evidence_tier=tier, default_area="",
        )  # fmt: skip
    pairs = [(f"P{n}-{subject}", user) for subject, user in town.users.items()]
    bind_partner_subjects(actor=SYSTEM, at=LONG_AGO, partner_id=partner_id, pairs=pairs)
    actor = Actor(
        kind="partner",
        id=str(partner_id),
        grants=(Grant(role=Role.PARTNER, organisation_id=partner_id, area="990000"),),
    )
    return Source(partner_id, actor, f"P{n}-")


def compared_town(subjects: Sequence[str] = ("S1", "S2")) -> Town:
    """Build a town in which bus and bike rides wait two days and are compared over all partners."""
    town = build(subjects=subjects, parameter_set=DEMONSTRATION)
    for scenario in ("bus", "bike"):
        rule("intake.settle_days", "2", scenario)
        rule("intake.activity_kind", f"travel/{scenario}", scenario)
    rule("intake.clock_tolerance_s", "300")
    return town


def ride(source: Source, record_id: str, start: str, end: str) -> str:
    return bus(
        record_id,
        f"{source.prefix}S1",
        started=f"{DAY}T{start}:00+08:00",
        ended=f"{DAY}T{end}:00+08:00",
    )


def bike_ride(source: Source, record_id: str, start: str, end: str) -> str:
    return (
        f"{record_id},{source.prefix}S1,bike,{DAY}T{start}:00+08:00,{DAY}T{end}:00+08:00,{CITY},2.5,600,bike"
    )
