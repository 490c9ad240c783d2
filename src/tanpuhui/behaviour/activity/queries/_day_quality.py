"""The quality of what partners send, day by day of receipt in China (每日数据质量), with what is beyond its limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from django.db import connection

from tanpuhui.behaviour.activity.domain.day_quality import DayFigures, QualityLimits, alerts
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.rulebook import queries as rulebook

DAYS_COMPARED = 28
"""Days before the one in question with which it is compared; those without data are left out."""

_FIGURES = """
with sent as (
  select id, (received_at at time zone interval '8 hours')::date as day, report from activity_batch
  where partner_id = %(partner)s and received_at >= %(begins)s and received_at < %(ends)s and state <> 'received'
), counts as (
  select day, sum((report->>'rows')::bigint)::bigint as rows,
    sum((report->'verdicts'->>'counted')::bigint + (report->'verdicts'->>'clipped')::bigint)::bigint as counted,
    sum((report->'verdicts'->>'paired')::bigint + coalesce((report->'verdicts'->>'waiting')::bigint, 0))::bigint as other,
    sum((report->'verdicts'->>'duplicate')::bigint)::bigint as duplicates,
    sum((report->'verdicts'->>'rejected')::bigint)::bigint as rejected, sum((report->>'grams')::bigint)::bigint as grams
  from sent group by day
), delays as (
  select s.day, sum(k.n_keys * (s.day - k.day))::bigint as delay_days, sum(k.n_keys)::bigint as dated from sent s
  join lateral (
    select k.n_keys, k.day from activity_posting p join activity_key_segment k on k.posting_id = p.id where p.batch_id = s.id
    union all
    select w.n_records, w.day from activity_waiting w where w.batch_id = s.id
  ) k on true group by s.day
)
select c.day, c.rows, c.counted + c.other, c.duplicates, c.rejected, c.counted, c.grams, coalesce(d.delay_days, 0),
  coalesce(d.dated, 0)
from counts c left join delays d on d.day = c.day order by c.day
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayQuality:
    """A day's figures and the codes of what is beyond its limit."""

    figures: DayFigures
    alerts: tuple[str, ...]


def day_qualities(partner_id: int, *, last_day: date, days: int) -> tuple[DayQuality, ...]:
    """Return the quality of each day on which a partner sent something, and of the last day in any case, newest first.

    Judged by the rules of the last day.
    """
    first = last_day - timedelta(days=days - 1)
    found = _figures(partner_id, first - timedelta(days=DAYS_COMPARED), last_day)
    limits = quality_limits(last_day)
    by_day = {one.day: one for one in found}
    if found:
        by_day.setdefault(last_day, _nothing(last_day))
    return tuple(
        DayQuality(
            figures=one,
            alerts=alerts(
                one,
                [other for other in found if one.day - timedelta(days=DAYS_COMPARED) <= other.day < one.day],
                limits,
            ),
        )
        for one in sorted(by_day.values(), key=lambda figures: figures.day, reverse=True)
        if one.day >= first
    )


def quality_limits(day: date) -> QualityLimits:
    """Return the limits of the rules on a day."""

    def limit(name: str) -> Fraction | None:
        value = rulebook.parameter(key=f"data_quality.{name}", at=day).value
        return None if value is None else Fraction(str(value))

    return QualityLimits(
        volume_share_min=limit("volume_share_min"),
        volume_share_max=limit("volume_share_max"),
        duplicate_share_max=limit("duplicate_share_max"),
        rejected_share_max=limit("rejected_share_max"),
        delay_days_max=limit("delay_days_max"),
        drift_share_max=limit("drift_share_max"),
    )


def _figures(partner_id: int, first: date, last: date) -> list[DayFigures]:
    begins = datetime.combine(first, time(), CHINA)
    ends = datetime.combine(last + timedelta(days=1), time(), CHINA)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"partner": partner_id, "begins": begins, "ends": ends})
        return [
            DayFigures(
                day=day, rows=rows, accepted=accepted, duplicates=duplicates, rejected=rejected, counted=counted,
                grams=grams, delay_days=delay_days, dated=dated,
            )
            for day, rows, accepted, duplicates, rejected, counted, grams, delay_days, dated in cursor.fetchall()
        ]  # fmt: skip


def _nothing(day: date) -> DayFigures:
    return DayFigures(
        day=day, rows=0, accepted=0, duplicates=0, rejected=0, counted=0, grams=0, delay_days=0, dated=0
    )
