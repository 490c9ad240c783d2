"""Open a scenario, and a partner's feed for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters import check_adapter
from tanpuhui.behaviour.activity.adapters.mapping_file import read_mapping
from tanpuhui.behaviour.activity.domain.mappings import (
    MAPPED,
    MappingMissing,
    MappingSource,
    feed_adapter,
    is_mapped,
    mapping_sha256,
)
from tanpuhui.behaviour.activity.models import Feed, FieldMappingVersion, Scenario
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound

EVIDENCE_TIERS = range(1, 5)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioOpened:
    """A scenario by its code."""

    scenario_id: int
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedOpened:
    """A feed: what a partner may send."""

    feed_id: int
    partner_id: int
    scenario: str
    adapter: str


@operation(roles={Role.MAKER}, subject="scenario:{code}")
def open_scenario(
    *,
    actor: Actor,
    at: datetime,
    code: str,
    name_zh: str,
    name_en: str,
    area: str,
    scenario_class: str = "",
    reach: str = "",
) -> ScenarioOpened:
    """Open a scenario of the scheme in an area (GB/T 2260 code); one that is open stays as it is.

    `scenario_class` is one of the classes that the rules name, `reach` general or regional; empty where nobody said.
    """
    scenario, _ = Scenario.objects.get_or_create(
        code=code,
        defaults={
            "name_zh": name_zh,
            "name_en": name_en,
            "area": area,
            "scenario_class": scenario_class,
            "reach": reach,
            "opened_at": at,
        },
    )
    return ScenarioOpened(scenario_id=scenario.pk, code=code)


@operation(roles={Role.MAKER}, subject="feed:{feed_id}")
def open_feed(
    *,
    actor: Actor,
    at: datetime,
    partner_id: int,
    scenario: str,
    adapter: str,
    evidence_tier: int,
    default_area: str = "",
    mapping: str = "",
    mapping_source: MappingSource | None = None,
) -> FeedOpened:
    """Let a partner send one scenario in one format; an open feed stays as it is.

    `evidence_tier`: 1 operator's record, 2 signed device, 3 uploaded proof, 4 self check-in. `default_area` stands
    for rows without an area. `mapping` is the field mapping of a feed whose format is mapped.<scenario>, in force from now.
    Raises NotFound (scenario), AdapterUnknown, MappingMissing, MappingInvalid, Invalid (tier, format of another scenario).
    """
    found = Scenario.objects.filter(code=scenario).first()
    if found is None:
        raise NotFound(what="场景 scenario", id=scenario)
    check_adapter(adapter)
    if is_mapped(adapter):
        if adapter != feed_adapter(MAPPED, scenario):
            raise Invalid(field="adapter", why=f"{adapter} is not {feed_adapter(MAPPED, scenario)}")
        if not mapping:
            raise MappingMissing(adapter=adapter)
    if evidence_tier not in EVIDENCE_TIERS:
        raise Invalid(field="evidence_tier", why=f"{evidence_tier} is not 1, 2, 3 or 4")
    feed, is_new = Feed.objects.get_or_create(
        partner_id=partner_id,
        scenario=found,
        adapter=adapter,
        defaults={"evidence_tier": evidence_tier, "default_area": default_area, "opened_at": at},
    )
    if is_new and mapping:
        put_in_force(feed, mapping, actor=actor, at=at, source=mapping_source)
    return FeedOpened(feed_id=feed.pk, partner_id=partner_id, scenario=scenario, adapter=adapter)


def put_in_force(
    feed: Feed,
    document: str,
    *,
    actor: Actor,
    at: datetime,
    source: MappingSource | None = None,
) -> FieldMappingVersion:
    """Write the next version of a feed's field mapping; files that come from now on are read with it. Raises MappingInvalid."""
    read_mapping(document)
    last = FieldMappingVersion.objects.filter(feed=feed).order_by("-version").first()
    return FieldMappingVersion.objects.create(
        feed=feed,
        version=last.version + 1 if last is not None else 1,
        document=document,
        document_sha256=mapping_sha256(document),
        application_id=source.application_id if source else None,
        application_version=source.application_version if source else None,
        sample_id=source.sample_id if source else None,
        in_force_from=at,
        by_kind=actor.kind,
        by_id=actor.id,
    )
