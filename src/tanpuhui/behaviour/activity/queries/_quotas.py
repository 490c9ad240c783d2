"""What a partner may send and has sent (配额): calls a minute, records a day in China."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import connection

from tanpuhui.behaviour.activity.models import PartnerCalls
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.rulebook import queries as rulebook

CALLS_RULE = "api.calls_per_minute_max"
RECORDS_RULE = "api.records_per_day_max"


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaUse:
    """Calls in the minute and records in the day so far, and the most there may be; None is not limited."""

    calls: int
    calls_max: int | None
    records: int
    records_max: int | None


def quota_use(partner_id: int, *, at: datetime) -> QuotaUse:
    """Return a partner's quotas and what is used of them. Rows of a file count once it is read. Raises NotFound."""
    calls = PartnerCalls.objects.filter(partner_id=partner_id, minute=minute_of(at)).first()
    return QuotaUse(
        calls=calls.calls if calls else 0,
        calls_max=limit_of(CALLS_RULE, partner_id, at=at),
        records=records_of_day(partner_id, at=at),
        records_max=limit_of(RECORDS_RULE, partner_id, at=at),
    )


def limit_of(rule: str, partner_id: int, *, at: datetime) -> int | None:
    """Return a limit: the partner's own (scope `partner/<uscc>`), that of all partners (`partner`), or none."""
    value = rulebook.parameter(key=rule, at=at, scope=f"partner/{organisation(partner_id).uscc}").value
    return None if value is None else int(value)


def minute_of(at: datetime) -> datetime:
    """Return the beginning of the minute."""
    return at.replace(second=0, microsecond=0)


def day_bounds(at: datetime) -> tuple[datetime, datetime]:
    """Return the beginning of the day in China and that of the next."""
    begins = datetime.combine(business_day(at), time(), CHINA)
    return begins, begins + timedelta(days=1)


def records_of_day(partner_id: int, *, at: datetime) -> int:
    """Return how many records came today: rows of files that were read, and pushed records that wait to be gathered."""
    begins, ends = day_bounds(at)
    with connection.cursor() as cursor:
        cursor.execute(
            "select (select coalesce(sum((report->>'rows')::bigint), 0) from activity_batch "
            "where partner_id = %(partner)s and received_at >= %(begins)s and received_at < %(ends)s and state <> 'received') "
            "+ (select count(*) from activity_pushed_record where partner_id = %(partner)s and batch_id is null "
            "and received_at >= %(begins)s and received_at < %(ends)s)",
            {"partner": partner_id, "begins": begins, "ends": ends},
        )
        return int(cursor.fetchone()[0])
