"""Tell a partner and the desk, once, that a day's data are out of line (数据质量提醒)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.queries._day_quality import day_qualities
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisations, users_with_role
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.messages.operations import tell


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityWarned:
    """Of how many partners somebody was told, and how many people were."""

    day: date
    partners: int
    people: int


@operation(roles={Role.SYSTEM}, subject="data_quality:{day}")
def warn_of_quality(*, actor: Actor, at: datetime, day: date) -> QualityWarned:
    """Tell of every partner whose day is beyond a limit: its own people and the makers of its area, once each.

    A limit that the rules do not set is not judged. Raises TemplateUnknown.
    """
    partners = people = 0
    for partner in organisations(kind="partner"):
        quality = day_qualities(partner.id, last_day=day, days=1)
        if not quality or not quality[0].alerts:
            continue
        told = tell(
            at=at,
            user_ids=users_with_role(role=Role.PARTNER, area=partner.area, at=at, organisation_id=partner.id)
            | users_with_role(role=Role.MAKER, area=partner.area, at=at),
            template="data_quality.alert",
            data={
                "partner": partner.name,
                "partner_en": partner.name_en,
                "day": day.isoformat(),
                "count": len(quality[0].alerts),
            },
            event=f"data_quality:{partner.id}:{day}",
        )
        partners += 1
        people += len(told.user_ids)
    return QualityWarned(day=day, partners=partners, people=people)
