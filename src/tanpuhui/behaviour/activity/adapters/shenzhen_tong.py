"""Taps of a transit card (深圳通刷卡数据): entry and exit taps of the metro make one trip, a bus tap makes one.

The file has no distances; the methodologies' per-trip and default-distance variants count it. A tap of the metro
without a station is reported and takes part in no trip, because what it was the entry or exit of is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters._port import ENVELOPE, Adapted, RowVerdict
from tanpuhui.behaviour.activity.domain.mappings import PLAIN, TextStyle

BUS, ENTRY, EXIT = "巴士", "地铁入站", "地铁出站"
SCENARIO_BUS, SCENARIO_METRO = "bus", "metro"
COLUMNS = (
    "card_no", "deal_date", "deal_type", "deal_money", "deal_value", "equ_no",
    "company_name", "station", "car_no", "conn_mark", "close_date",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tap:
    row_number: int
    card: str
    time: str
    kind: str
    device: str
    line: str
    station: str
    raw: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trip:
    row_number: int
    record_id: str
    subject: str
    scenario: str
    started_at: str
    ended_at: str
    line: str
    from_place: str
    to_place: str
    device: str


@dataclass(frozen=True, slots=True)
class ShenzhenTong:
    """Pairs taps by card in order of time; columns are found by name."""

    name: str = "shenzhen_tong"
    person: tuple[str, ...] = ("card_no",)
    style: TextStyle = PLAIN
    required: tuple[str, ...] = ("card_no", "deal_date", "deal_type", "equ_no", "company_name", "station")

    def wanted(self, fields: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002  the file has columns of its own
        """Return the columns of the card company."""
        return COLUMNS

    def adapt(self, table: pa.Table) -> Adapted:
        """Return the trips and, for every tap that made none, its reason."""
        settled: list[RowVerdict] = []
        taps = list(_without_repeats(table, settled))
        usable = [tap for tap in taps if not _fault(tap, settled)]
        trips = [_bus_trip(tap) for tap in usable if tap.kind == BUS]
        metro = sorted(
            (tap for tap in usable if tap.kind != BUS), key=lambda t: (t.card, t.time, t.row_number)
        )
        for _, of_card in groupby(metro, key=lambda tap: tap.card):
            trips.extend(_metro_trips(list(of_card), settled))
        trips.sort(key=lambda trip: trip.row_number)
        return Adapted(rows=_table(trips), settled=tuple(settled))


def _without_repeats(table: pa.Table, settled: list[RowVerdict]) -> Iterator[_Tap]:
    """Yield each tap once; a row equal to an earlier one in every column is the same tap sent twice."""
    names = [name for name in COLUMNS if name in table.column_names]
    numbers = table.column("row_number").to_pylist()
    columns = [table.column(name).to_pylist() for name in names]
    at = {name: index for index, name in enumerate(names)}
    first: dict[tuple[str, ...], int] = {}
    for number, *cells in zip(numbers, *columns, strict=True):
        raw = tuple((cell or "").strip() for cell in cells)
        earlier = first.setdefault(raw, number)
        if earlier != number:
            settled.append(
                RowVerdict(row_number=number, reason="DUPLICATE_IN_FILE", field="", value=str(earlier))
            )
            continue
        yield _Tap(
            row_number=number,
            card=raw[at["card_no"]],
            time=raw[at["deal_date"]],
            kind=raw[at["deal_type"]],
            device=raw[at["equ_no"]],
            line=raw[at["company_name"]],
            station=raw[at["station"]],
            raw=raw,
        )


def _fault(tap: _Tap, settled: list[RowVerdict]) -> bool:
    """Say whether the tap can be part of no trip, and why."""
    if not tap.card or not tap.time:
        field = "card_no" if not tap.card else "deal_date"
        settled.append(RowVerdict(row_number=tap.row_number, reason="MISSING_FIELD", field=field))
    elif tap.kind not in {BUS, ENTRY, EXIT}:
        settled.append(
            RowVerdict(row_number=tap.row_number, reason="UNKNOWN_TAP", field="deal_type", value=tap.kind)
        )
    elif tap.kind != BUS and not tap.station:
        settled.append(RowVerdict(row_number=tap.row_number, reason="MISSING_STATION", field="station"))
    else:
        return False
    return True


def _metro_trips(taps: list[_Tap], settled: list[RowVerdict]) -> Iterator[_Trip]:
    """Pair each entry with the next tap of the card when that is an exit."""
    entry: _Tap | None = None
    for tap in taps:
        if tap.kind == ENTRY:
            if entry is not None:
                settled.append(RowVerdict(row_number=entry.row_number, reason="UNMATCHED_ENTRY"))
            entry = tap
        elif entry is None:
            settled.append(RowVerdict(row_number=tap.row_number, reason="UNMATCHED_EXIT"))
        else:
            settled.append(
                RowVerdict(row_number=entry.row_number, reason="PART_OF_TRIP", value=str(tap.row_number))
            )
            yield _Trip(
                row_number=tap.row_number,
                record_id=f"M-{tap.card}-{entry.time}-{entry.device}",
                subject=tap.card,
                scenario=SCENARIO_METRO,
                started_at=entry.time,
                ended_at=tap.time,
                line=entry.line if entry.line == tap.line else f"{entry.line}→{tap.line}",
                from_place=entry.station,
                to_place=tap.station,
                device=tap.device,
            )
            entry = None
    if entry is not None:
        settled.append(RowVerdict(row_number=entry.row_number, reason="UNMATCHED_ENTRY"))


def _bus_trip(tap: _Tap) -> _Trip:
    return _Trip(
        row_number=tap.row_number,
        record_id=f"B-{tap.card}-{tap.time}-{tap.device}",
        subject=tap.card,
        scenario=SCENARIO_BUS,
        started_at=tap.time,
        ended_at=tap.time,
        line=tap.station or tap.line,
        from_place="",
        to_place="",
        device=tap.device,
    )


def _table(trips: Sequence[_Trip]) -> pa.Table:
    text = [name for name in (*ENVELOPE, "line", "from_place", "to_place", "device") if name != "area"]
    columns: dict[str, pa.Array] = {
        "row_number": pa.array([trip.row_number for trip in trips], pa.int64()),
        **{name: pa.array([getattr(trip, name) for trip in trips], pa.string()) for name in text},
    }
    return pa.table(columns)


SHENZHEN_TONG = ShenzhenTong()
