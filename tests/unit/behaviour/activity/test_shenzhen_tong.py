"""Taps to trips: every tap leaves once, as a trip, as part of one, or with its reason."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from tanpuhui.behaviour.activity.adapters import adapter_named
from tanpuhui.behaviour.activity.adapters.shenzhen_tong import BUS, COLUMNS, ENTRY, EXIT, SHENZHEN_TONG
from tanpuhui.behaviour.activity.domain import AdapterUnknown

Tap = tuple[str, str, str, str]


def table(*taps: Tap) -> pa.Table:
    columns: dict[str, list[str]] = {name: [""] * len(taps) for name in COLUMNS}
    for place, name in enumerate(("card_no", "deal_date", "deal_type", "station")):
        columns[name] = [tap[place] for tap in taps]
    columns["equ_no"] = ["E"] * len(taps)
    columns["company_name"] = ["一号线"] * len(taps)
    return pa.table({"row_number": list(range(2, len(taps) + 2)), **columns})


def reasons(*taps: Tap) -> dict[int, str]:
    return {verdict.row_number: verdict.reason for verdict in SHENZHEN_TONG.adapt(table(*taps)).settled}


def test_an_entry_and_the_next_exit_of_a_card_are_one_trip() -> None:
    adapted = SHENZHEN_TONG.adapt(
        table(("C1", "2018-09-01 09:30:00", EXIT, "B"), ("C1", "2018-09-01 09:00:00", ENTRY, "A"))
    )
    (trip,) = adapted.rows.to_pylist()
    assert (trip["row_number"], trip["scenario"], trip["subject"]) == (2, "metro", "C1")
    assert (trip["started_at"], trip["ended_at"]) == ("2018-09-01 09:00:00", "2018-09-01 09:30:00")
    assert (trip["from_place"], trip["to_place"]) == ("A", "B")
    assert [(v.row_number, v.reason, v.value) for v in adapted.settled] == [(3, "PART_OF_TRIP", "2")]


def test_taps_of_different_cards_are_never_paired() -> None:
    assert reasons(("C1", "1", ENTRY, "A"), ("C2", "2", EXIT, "B")) == {
        2: "UNMATCHED_ENTRY",
        3: "UNMATCHED_EXIT",
    }


def test_two_entries_then_an_exit_leave_the_first_unmatched() -> None:
    found = reasons(("C", "1", ENTRY, "A"), ("C", "2", ENTRY, "A"), ("C", "3", EXIT, "B"))
    assert found == {2: "UNMATCHED_ENTRY", 3: "PART_OF_TRIP"}


def test_a_tap_without_station_is_named_and_pairs_with_nothing() -> None:
    found = reasons(("C", "1", ENTRY, "A"), ("C", "2", EXIT, ""))
    assert found == {2: "UNMATCHED_ENTRY", 3: "MISSING_STATION"}


def test_a_tap_sent_twice_is_named_with_the_first_row() -> None:
    adapted = SHENZHEN_TONG.adapt(table(("C", "1", BUS, "M1"), ("C", "1", BUS, "M1")))
    assert [(v.row_number, v.reason, v.value) for v in adapted.settled] == [(3, "DUPLICATE_IN_FILE", "2")]
    assert adapted.rows.num_rows == 1


def test_a_bus_tap_is_a_trip_even_without_a_line() -> None:
    assert reasons(("C", "1", BUS, "")) == {}


def test_a_tap_of_an_unknown_kind_is_named() -> None:
    assert reasons(("C", "1", "轮渡", "A")) == {2: "UNKNOWN_TAP"}


def test_every_tap_leaves_exactly_once_whatever_comes() -> None:
    made = random.Random(20181001)
    for _ in range(200):
        taps = [
            (
                made.choice(["C1", "C2", ""]),
                str(made.randrange(5)),
                made.choice([BUS, ENTRY, EXIT, "?"]),
                made.choice(["A", "B", ""]),
            )
            for _ in range(made.randrange(1, 30))
        ]
        adapted = SHENZHEN_TONG.adapt(table(*taps))
        left = [*adapted.rows.column("row_number").to_pylist(), *(v.row_number for v in adapted.settled)]
        assert sorted(left) == list(range(2, len(taps) + 2))


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AdapterUnknown, match="shenzhen_tong, standard"):
        adapter_named("excel")
