"""Let points lapse."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db import connection

from tanpuhui.books.ledger.domain import AccountDayLegs
from tanpuhui.books.ledger.operations._post import post_account_days
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.rulebook.queries import require_parameter

EXPIRED = "points:expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpired:
    """What lapsed on a business day: credits up to `credited_through`, of how many accounts, how many points."""

    day: date
    credited_through: date
    accounts: int
    points: Points
    journal_id: int | None


_LAPSED = """
select account_id, (old - used)::bigint from (
  select e.account_id,
    coalesce(sum(e.points) filter (where e.points > 0 and not j.restores and e.day <= %(through)s), 0) as old,
    coalesce(-sum(e.points) filter (where e.points < 0 or j.restores), 0) as used
  from ledger_entry e join ledger_journal j on j.id = e.journal_id
  where e.account_id in (
    select b.account_id from ledger_balance b
    where b.points > 0 and (%(accounts)s::bigint[] is null or b.account_id = any(%(accounts)s))
  )
  group by e.account_id
) lots where old > used order by account_id
"""


@operation(roles={Role.MAKER}, subject="points_expiry:{day}")
def expire_points(*, actor: Actor, at: datetime, idempotency_key: str | None = None) -> PointsExpired:
    """Take the points whose lots have lapsed to the system account `points:expired`, first in, first out.

    A lot credited for day d lapses at the end of d + `points.validity_days` (the rule of the day of the call).
    Repeating it on the same business day does nothing more. Raises ParameterUnset: nothing lapses by guess.
    """
    validity = require_parameter(key="points.validity_days", at=at)
    day = business_day(at)
    through = day - timedelta(days=int(str(validity.value)) + 1)
    lapsed = _lock_and_read(through)
    points = Points(sum(amount for _, amount in lapsed))
    if not lapsed:
        return PointsExpired(day=day, credited_through=through, accounts=0, points=points, journal_id=None)
    size = len(lapsed)
    posted = post_account_days(
        kind="points_expiry",
        reference=f"{at.isoformat()}:{_digest(lapsed)}",
        at=at,
        system_code=EXPIRED,
        legs=AccountDayLegs(
            account_id=np.array([account for account, _ in lapsed], dtype=np.int64),
            day=np.full(size, day, dtype="datetime64[D]"),
            grams=np.zeros(size, dtype=np.int64),
            points=np.array([-amount for _, amount in lapsed], dtype=np.int64),
            n_records=np.zeros(size, dtype=np.int64),
        ),
    )
    return PointsExpired(
        day=day,
        credited_through=through,
        accounts=size,
        points=-posted.points,
        journal_id=posted.journal_id,
    )


def _digest(lapsed: list[tuple[int, int]]) -> str:
    """Name a run by what it takes, because two runs of one moment can find different lots."""
    return hashlib.sha256(repr(lapsed).encode()).hexdigest()[:16]


def _lock_and_read(through: date) -> list[tuple[int, int]]:
    """Find the accounts, lock their balances in order, and read again, because a person may be spending right now."""
    with connection.cursor() as cursor:
        cursor.execute(_LAPSED, {"through": through, "accounts": None})
        accounts = [account for account, _ in cursor.fetchall()]
        if not accounts:
            return []
        cursor.execute(
            "select account_id from ledger_balance where account_id = any(%s) order by account_id for update",
            [accounts],
        )
        cursor.execute(_LAPSED, {"through": through, "accounts": accounts})
        return list(cursor.fetchall())
