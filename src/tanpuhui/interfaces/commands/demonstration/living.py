"""Act two: ninety days of behaviours, sent by the partners as files and posted; the last day's files still wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tanpuhui.behaviour.activity.operations import BatchReceived, post_batch, receive_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.interfaces.commands.demonstration.behaviour_generator import (
    Traveller,
    behaviour_rows,
    csv_lines,
    ndjson_lines,
)
from tanpuhui.interfaces.commands.demonstration.cast import Feed, Troupe
from tanpuhui.interfaces.commands.demonstration.stage import Stage

DAYS_PER_FILE = 10
REGULARS_RIDES_A_DAY = 2
"""The first citizen, whose login is printed, takes the bus to work and back, 8.4 km, so that their pages are full."""


LAST_FILE = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """One file of a partner: which, and the days it covers."""

    number: int
    first_day: date
    days: int


def plans(stage: Stage) -> list[FilePlan]:
    """Return the files that each partner sends: ten days a file, and the day before today alone."""
    found = [
        FilePlan(
            number=number,
            first_day=stage.first_day + timedelta(days=first),
            days=min(DAYS_PER_FILE, stage.cast.days - 1 - first),
        )
        for number, first in enumerate(range(0, stage.cast.days - 1, DAYS_PER_FILE))
    ]
    return [*found, FilePlan(number=LAST_FILE, first_day=stage.today - timedelta(days=1), days=1)]


def live(stage: Stage) -> None:
    """Send and post every partner's files up to the day before today; today's are left to the worker."""
    for troupe in stage.cast.troupes:
        for plan in plans(stage) if troupe.feed is not None else ():
            at = stage.moment(plan.first_day + timedelta(days=plan.days), 2)
            received = send(
                stage,
                troupe,
                rows=rides(stage, troupe, plan),
                name=file_stem(troupe, plan),
                key=stage.key("batch", troupe.key, plan.number),
                at=at,
            )
            if plan.number != LAST_FILE:
                post_batch(actor=SYSTEM, at=at + timedelta(minutes=1), batch_id=received.batch_id)


def file_stem(troupe: Troupe, plan: FilePlan) -> str:
    """Return the name of a partner's file without its ending."""
    return f"{troupe.feed.code if troupe.feed else ''}-{plan.first_day:%Y%m%d}"


def send(
    stage: Stage, troupe: Troupe, *, rows: Iterable[dict[str, str]], name: str, key: str, at: datetime
) -> BatchReceived:
    """Send rows as a file of the partner. One partner sends NDJSON, the others CSV: both are in the demonstration."""
    as_json = stage.cast.troupes.index(troupe) % 3 == 0
    lines = (ndjson_lines if as_json else csv_lines)(rows)
    return receive_batch(
        actor=stage.actor(stage.player(troupe.key), at),
        at=at,
        idempotency_key=key,
        partner_id=stage.organisation_ids[troupe.key],
        adapter="standard",
        file_name=f"{name}.{'ndjson' if as_json else 'csv'}",
        media_type="application/x-ndjson" if as_json else "text/csv",
        content="".join(lines).encode(),
    )


def rides(stage: Stage, troupe: Troupe, plan: FilePlan) -> Iterator[dict[str, str]]:
    """Yield the rows of a partner's file, with the faults that real files have."""
    if troupe.feed is not None:
        yield from _rows(stage, troupe.feed, first_day=plan.first_day, days=plan.days)


def _rows(stage: Stage, feed: Feed, *, first_day: date, days: int) -> Iterator[dict[str, str]]:
    travellers = [
        Traveller(subject=citizen.subject, area=citizen.area)
        for citizen in stage.citizens
        if not feed.areas or citizen.area in feed.areas
    ]
    records = stage.cast.records * feed.share * days // (100 * stage.cast.days)
    yield from behaviour_rows(
        seed=stage.cast.seed,
        scenario=feed.code,
        travellers=travellers,
        first_day=first_day,
        days=days,
        records=records,
    )
    if feed is not next(troupe.feed for troupe in stage.cast.troupes if troupe.feed is not None):
        return
    home = stage.citizens[0]
    for day in (first_day + timedelta(days=number) for number in range(days)):
        if day.weekday() < 5:
            yield from _commute(home.subject, home.area, feed.code, day)


def _commute(subject: str, area: str, scenario: str, day: date) -> Iterator[dict[str, str]]:
    for ride, hour in enumerate((7, 18)[:REGULARS_RIDES_A_DAY]):
        yield {
            "record_id": f"{scenario}-{day:%Y%m%d}-regular-{ride}",
            "subject": subject,
            "scenario": scenario,
            "started_at": f"{day.isoformat()}T{hour:02d}:42:00+08:00",
            "ended_at": f"{day.isoformat()}T{hour + 1:02d}:11:00+08:00",
            "area": area,
            "distance_km": "8.4",
            "duration_s": "1740",
            "vehicle_type": "",
            "line": "K115",
            "from_place": "east-gate",
            "to_place": "stadium",
        }
