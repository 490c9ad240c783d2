"""Behaviour records (行为记录) of any number, the same for the same seed, with the faults that real files have."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tanpuhui.foundation.kernel.calendar import CHINA

COLUMNS = (
    "record_id", "subject", "scenario", "started_at", "ended_at", "area", "distance_km", "duration_s", "vehicle_type",
    "line", "from_place", "to_place",
)  # fmt: skip

FUTURE_DAYS = 400
"""How far a clock that runs ahead puts a ride into the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveller:
    """A person as the partner knows them, and where they travel (GB/T 2260 code)."""

    subject: str
    area: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """How far (tenths of a kilometre: least, usual, most) and how fast (km/h) one travels; invented for demonstration."""

    tenths_km: tuple[int, int, int]
    speed_km_h: tuple[int, int]
    vehicle_type: str = ""


MODES = {
    "bus": Mode(tenths_km=(10, 60, 220), speed_km_h=(14, 24)),
    "metro": Mode(tenths_km=(20, 95, 300), speed_km_h=(28, 42)),
    "bike": Mode(tenths_km=(5, 22, 80), speed_km_h=(8, 16), vehicle_type="bike"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How many rows in a thousand go wrong, and how."""

    late: int = 6
    duplicate: int = 8
    impossible: int = 5
    malformed: int = 4
    unknown: int = 7


def behaviour_rows(
    *,
    seed: int,
    scenario: str,
    travellers: Sequence[Traveller],
    first_day: date,
    days: int,
    records: int,
    faults: Faults | None = None,
) -> Iterator[dict[str, str]]:
    """Yield `records` rows of one scenario over `days` days from `first_day`, as the standard format's columns.

    Late rows happened up to 45 days before the first day; duplicates repeat an earlier row; impossible rows have a
    negative distance or lie in the future; malformed rows lack a field, hold a formula or no number; unknown rows are
    of a person nobody bound. Memory does not grow with the number of rows.
    """
    chance = random.Random(f"{seed}:{scenario}:{first_day}")  # noqa: S311  made-up rides need no secret
    wrong = faults or Faults()
    mode = MODES[scenario]
    last: dict[str, str] | None = None
    for number in range(records):
        if last is not None and chance.randrange(1000) < wrong.duplicate:
            yield dict(last)
            continue
        # The lower half of the list travels more, as people do.
        traveller = travellers[min(chance.randrange(len(travellers)), chance.randrange(len(travellers)))]
        day = first_day + timedelta(days=chance.randrange(days))
        row = _ride(chance, number=number, scenario=scenario, mode=mode, traveller=traveller, day=day)
        _spoil(chance, row, wrong, day=day)
        last = row
        yield row


def _ride(
    chance: random.Random, *, number: int, scenario: str, mode: Mode, traveller: Traveller, day: date
) -> dict[str, str]:
    least, usual, most = mode.tenths_km
    tenths = least + min(chance.randrange(2 * (usual - least) + 1), chance.randrange(most - least + 1))
    seconds = tenths * 360 // chance.randint(*mode.speed_km_h)
    hour = chance.choice((7, 7, 8, 8, 12, 17, 18, 18, 20))
    started = datetime.combine(day, time(hour, chance.randrange(60), chance.randrange(60)), tzinfo=CHINA)
    return {
        "record_id": f"{scenario}-{day:%Y%m%d}-{number:08d}",
        "subject": traveller.subject,
        "scenario": scenario,
        "started_at": started.isoformat(),
        "ended_at": (started + timedelta(seconds=seconds)).isoformat(),
        "area": traveller.area,
        "distance_km": str(Decimal(tenths) / 10),
        "duration_s": str(seconds),
        "vehicle_type": mode.vehicle_type,
        "line": f"{scenario[0].upper()}{chance.randrange(1, 140)}",
        "from_place": f"{scenario[0]}{chance.randrange(900)}",
        "to_place": f"{scenario[0]}{chance.randrange(900)}",
    }


def _spoil(chance: random.Random, row: dict[str, str], wrong: Faults, *, day: date) -> None:
    draw = chance.randrange(1000)
    if draw < wrong.late:
        row.update(moved(row, days=-chance.randint(31, 45)))
        row["record_id"] += "-late"
    elif draw < wrong.late + wrong.impossible:
        if chance.randrange(2):
            row["distance_km"] = "-" + row["distance_km"]
        else:
            row.update(moved(row, days=FUTURE_DAYS))
    elif draw < wrong.late + wrong.impossible + wrong.malformed:
        field, value = chance.choice((("distance_km", "=1+1"), ("subject", ""), ("distance_km", "六公里"), ("area", "000001"), ("started_at", "昨天")))  # fmt: skip
        row[field] = value
    elif draw < wrong.late + wrong.impossible + wrong.malformed + wrong.unknown:
        row["subject"] = f"stranger-{day:%m%d}-{chance.randrange(10_000)}"


def moved(row: dict[str, str], *, days: int) -> dict[str, str]:
    """Return the row as if it had happened some days later (earlier where negative)."""
    times = {
        name: datetime.fromisoformat(row[name]) + timedelta(days=days) for name in ("started_at", "ended_at")
    }
    return row | {name: moment.isoformat() for name, moment in times.items()}


def csv_lines(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """Yield the lines of a CSV file, header first; the generator's values need no quoting."""
    yield ",".join(COLUMNS) + "\n"
    for row in rows:
        yield ",".join(row[name] for name in COLUMNS) + "\n"


def ndjson_lines(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """Yield one JSON object a line; empty values are left out."""
    for row in rows:
        yield json.dumps({name: value for name, value in row.items() if value}, ensure_ascii=False) + "\n"
