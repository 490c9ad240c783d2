"""Keep partners within their quotas (配额): what the rules do not limit is not counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from tanpuhui.behaviour.activity.domain import QuotaExceeded
from tanpuhui.behaviour.activity.models import PartnerCalls
from tanpuhui.behaviour.activity.queries._quotas import (
    CALLS_RULE,
    RECORDS_RULE,
    day_bounds,
    limit_of,
    minute_of,
    records_of_day,
)
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role

CALLS_KEPT = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallsForgotten:
    """How many minutes were forgotten, and before when they lay."""

    before: datetime
    minutes: int


def count_call(partner_id: int, *, at: datetime) -> None:
    """Count one call of a partner, in a transaction of its own, so that a call counts that is refused afterwards.

    Raises QuotaExceeded with the seconds until the next minute.
    """
    limit = limit_of(CALLS_RULE, partner_id, at=at)
    if limit is None:
        return
    minute = minute_of(at)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "insert into activity_partner_calls as c (partner_id, minute, calls) values (%s, %s, 1) "
            "on conflict (partner_id, minute) do update set calls = c.calls + 1 returning calls",
            [partner_id, minute],
        )
        calls = int(cursor.fetchone()[0])
    if calls > limit:
        wait = minute + timedelta(minutes=1) - at
        raise QuotaExceeded(
            what="每分钟调用次数 calls a minute",
            limit=limit,
            retry_after_s=max(1, round(wait.total_seconds())),
        )


def check_records(partner_id: int, *, at: datetime, more: int) -> None:
    """Refuse records that go beyond the day's quota; of a file it is not known yet how many come, so `more` is 1.

    Raises QuotaExceeded with the seconds until the next day in China.
    """
    limit = limit_of(RECORDS_RULE, partner_id, at=at)
    if limit is None or records_of_day(partner_id, at=at) + more <= limit:
        return
    wait = day_bounds(at)[1] - at
    raise QuotaExceeded(
        what="每天记录条数 records a day", limit=limit, retry_after_s=max(1, round(wait.total_seconds()))
    )


@operation(roles={Role.SYSTEM}, subject="calls:{before}")
def forget_calls(*, actor: Actor, at: datetime) -> CallsForgotten:
    """Delete the counts of minutes that are over for a day."""
    before = at - CALLS_KEPT
    return CallsForgotten(before=before, minutes=PartnerCalls.objects.filter(minute__lt=before).delete()[0])
