"""Open a scenario, and a partner's feed for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters import adapter_named
from tanpuhui.behaviour.activity.models import Feed, Scenario
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
) -> FeedOpened:
    """Let a partner send one scenario in one format; an open feed stays as it is.

    `evidence_tier`: 1 operator's record, 2 signed device, 3 uploaded proof, 4 self check-in. `default_area` stands
    for rows without an area. Raises NotFound (scenario), AdapterUnknown, Invalid (tier).
    """
    found = Scenario.objects.filter(code=scenario).first()
    if found is None:
        raise NotFound(what="场景 scenario", id=scenario)
    adapter_named(adapter)
    if evidence_tier not in EVIDENCE_TIERS:
        raise Invalid(field="evidence_tier", why=f"{evidence_tier} is not 1, 2, 3 or 4")
    feed, _ = Feed.objects.get_or_create(
        partner_id=partner_id,
        scenario=found,
        adapter=adapter,
        defaults={"evidence_tier": evidence_tier, "default_area": default_area, "opened_at": at},
    )
    return FeedOpened(feed_id=feed.pk, partner_id=partner_id, scenario=scenario, adapter=adapter)
